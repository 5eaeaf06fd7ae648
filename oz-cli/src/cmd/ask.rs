//! Questions at a terminal: a choice from a list, and a line of text. Esc and Ctrl-C turn away, which is no failure.

use crate::{error::CliError, out};
use console::{Key, Term};
use std::{
    io::{self, IsTerminal as _},
    ops::Range,
};

/// How many choices are shown at once.
const SHOWN: usize = 12;

/// Whether somebody is there to answer.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What a key does to an answer.
#[derive(Debug, PartialEq)]
enum Answer<T> {
    Open,
    Given(T),
    Refused,
}

/// Lets a person choose one of `items`, by its place. `None` when they turn away.
pub(super) fn select(question: &str, items: &[String]) -> Result<Option<usize>, CliError> {
    let term = Term::stderr();
    term.write_line(&format!("{question} (arrows and Enter; Esc turns away)"))?;
    let mut at = 0;
    loop {
        let shown = window(at, items.len());
        for (i, item) in items.iter().enumerate().skip(shown.start).take(shown.len()) {
            let mark = if i == at { '>' } else { ' ' };
            term.write_line(&format!("{mark} {}", out::one_line(item, 70)))?;
        }
        let answer = moved(&mut at, items.len(), &term.read_key_raw()?);
        term.clear_last_lines(shown.len())?;
        match answer {
            Answer::Open => {}
            Answer::Given(at) => {
                term.write_line(&format!("> {}", out::one_line(&items[at], 70)))?;
                return Ok(Some(at));
            }
            Answer::Refused => return refused(),
        }
    }
}

/// Lets a person write a line. `None` when they turn away.
pub(super) fn text(question: &str) -> Result<Option<String>, CliError> {
    let term = Term::stderr();
    let mut text = String::new();
    loop {
        term.clear_line()?;
        term.write_str(&format!("{question}{text}"))?;
        match typed(&mut text, &term.read_key_raw()?) {
            Answer::Open => {}
            Answer::Given(text) => {
                term.write_line("")?;
                return Ok(Some(text));
            }
            Answer::Refused => {
                term.write_line("")?;
                return refused();
            }
        }
    }
}

fn refused<T>() -> Result<Option<T>, CliError> {
    out::note("Nothing was done.");
    Ok(None)
}

fn moved(at: &mut usize, count: usize, key: &Key) -> Answer<usize> {
    let last = count.saturating_sub(1);
    match key {
        Key::ArrowUp | Key::BackTab | Key::Char('k') => *at = at.checked_sub(1).unwrap_or(last),
        Key::ArrowDown | Key::Tab | Key::Char('j') => *at = if *at >= last { 0 } else { *at + 1 },
        Key::Home | Key::PageUp => *at = 0,
        Key::End | Key::PageDown => *at = last,
        Key::Enter if count > 0 => return Answer::Given(*at),
        key if turns_away(key) => return Answer::Refused,
        _ => {}
    }
    Answer::Open
}

fn typed(text: &mut String, key: &Key) -> Answer<String> {
    match key {
        Key::Backspace => drop(text.pop()),
        Key::Char(c) if !c.is_control() => text.push(*c),
        Key::Enter if !text.trim().is_empty() => return Answer::Given(text.trim().to_owned()),
        key if turns_away(key) => return Answer::Refused,
        _ => {}
    }
    Answer::Open
}

/// Esc, Ctrl-C, Ctrl-D.
fn turns_away(key: &Key) -> bool {
    matches!(key, Key::Escape | Key::CtrlC | Key::Char('\u{3}' | '\u{4}'))
}

/// Which choices are shown while `at` is marked.
fn window(at: usize, count: usize) -> Range<usize> {
    let start = at.saturating_sub(SHOWN / 2).min(count.saturating_sub(SHOWN));
    start..(start + SHOWN).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_move_through_the_list() {
        let mut at = 0;
        for (key, expected) in
            [(Key::ArrowUp, 2), (Key::ArrowDown, 0), (Key::Tab, 1), (Key::End, 2), (Key::Char('k'), 1)]
        {
            assert_eq!(moved(&mut at, 3, &key), Answer::Open, "{key:?}");
            assert_eq!(at, expected, "{key:?}");
        }
        assert_eq!(moved(&mut at, 3, &Key::Enter), Answer::Given(1));
        assert_eq!(moved(&mut 0, 0, &Key::Enter), Answer::Open);
        for key in [Key::Escape, Key::CtrlC, Key::Char('\u{4}')] {
            assert_eq!(moved(&mut at, 3, &key), Answer::Refused, "{key:?}");
            assert_eq!(typed(&mut String::new(), &key), Answer::Refused, "{key:?}");
        }
    }

    #[test]
    fn a_line_is_written() {
        let mut text = String::new();
        for key in ['n', 'o', 'x'].map(Key::Char) {
            assert_eq!(typed(&mut text, &key), Answer::Open);
        }
        assert_eq!(typed(&mut text, &Key::Backspace), Answer::Open);
        assert_eq!(typed(&mut text, &Key::Enter), Answer::Given("no".to_owned()));
        assert_eq!(typed(&mut " ".to_owned(), &Key::Enter), Answer::Open);
    }

    #[test]
    fn the_marked_one_is_always_in_sight() {
        assert_eq!((window(0, 3), window(0, 0)), (0..3, 0..0));
        for at in 0..40 {
            let shown = window(at, 40);
            assert!(shown.contains(&at) && shown.len() == SHOWN && shown.end <= 40, "{at}: {shown:?}");
        }
    }
}
