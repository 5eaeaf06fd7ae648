//! How a job looks to its agent: the output since the last look, or the screen of a terminal.

use crate::command::Clip;
use std::{mem, num::NonZeroU16};
use vt100::{Callbacks, Parser, Screen};

/// How much of the beginning and of the end of output is shown.
const HALF: usize = 12 << 10;
/// How many lines a terminal has.
pub(super) const ROWS: u16 = 40;
/// How many columns a terminal has.
pub(super) const COLUMNS: u16 = 120;

/// What is shown of a job.
pub(super) enum Face {
    /// The output since the last look.
    Lines(Clip),
    /// A screen, and what it looked like before its program ended.
    Screen(Box<Parser<Replies>>),
}

impl Face {
    pub(super) fn lines() -> Self {
        Self::Lines(Clip::new(HALF))
    }

    pub(super) fn screen() -> Self {
        let [rows, columns] = [ROWS, COLUMNS].map(|n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN));
        Self::Screen(Box::new(Parser::new_with_callbacks(rows, columns, 0, Replies::default())))
    }

    /// Takes output. Answers with what the terminal says to it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Lines(clip) => {
                clip.push(bytes);
                Vec::new()
            }
            Self::Screen(parser) => {
                parser.process(bytes);
                mem::take(&mut parser.callbacks_mut().0)
            }
        }
    }

    /// What there is to see, and how much of it is left out.
    pub(super) fn take(&mut self) -> (String, u64) {
        match self {
            Self::Lines(clip) => {
                let clip = mem::replace(clip, Clip::new(HALF));
                let dropped = clip.dropped();
                (clip.into_text(), dropped)
            }
            Self::Screen(parser) => (screen(parser.screen()), 0),
        }
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Lines(clip) => clip.contains(text.as_bytes()),
            Self::Screen(parser) => parser.screen().contents().contains(text),
        }
    }

    pub(super) fn application_cursor(&self) -> bool {
        matches!(self, Self::Screen(parser) if parser.screen().application_cursor())
    }
}

/// A screen as text: its lines without what is empty below them, and where the cursor is.
fn screen(screen: &Screen) -> String {
    let (row, column) = screen.cursor_position();
    let lines: Vec<String> = screen.rows(0, COLUMNS).map(|line| line.trim_end().to_owned()).collect();
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    let cursor = match screen.hide_cursor() {
        true => "hidden".to_owned(),
        false => format!("line {}, column {}", row + 1, column + 1),
    };
    format!("{}\n[cursor: {cursor}]\n", lines[..used].join("\n"))
}

/// Answers to what programs ask a terminal, which some wait for.
#[derive(Default)]
pub(super) struct Replies(Vec<u8>);

impl Callbacks for Replies {
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        kind: char,
    ) {
        match (first, parameters.first().and_then(|p| p.first()), kind) {
            (None, Some(6), 'n') => {
                let (row, column) = screen.cursor_position();
                self.0.extend_from_slice(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
            }
            (None, Some(5), 'n') => self.0.extend_from_slice(b"\x1b[0n"),
            // A VT100 with its advanced video option.
            (None, None | Some(0), 'c') => self.0.extend_from_slice(b"\x1b[?1;2c"),
            _ => {}
        }
    }
}
