//! What a command prints, to be shown while it runs: whole lines, the beginning as it comes and the end at the end. What
//! comes between is left out, so that no command floods a transcript or memory.

use super::clip::printable;
use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How much of the beginning is shown.
const HEAD: usize = 64 << 10;
/// How much of the end is shown.
const TAIL: usize = 4 << 10;
/// A line that is longer is shown in parts.
const LINE: usize = 16 << 10;

/// Output that is read while it comes.
#[derive(Debug, Default)]
pub(crate) struct Live {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What was not read yet of the beginning.
    head: Vec<u8>,
    /// How long the beginning is so far.
    seen: usize,
    tail: VecDeque<u8>,
    /// How much was left out.
    dropped: u64,
    /// Whether it was said that something is left out.
    told: bool,
}

impl Live {
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD - state.seen));
        state.seen += head.len();
        state.head.extend_from_slice(head);
        let kept = &rest[rest.len().saturating_sub(TAIL)..];
        let excess = (state.tail.len() + kept.len()).saturating_sub(TAIL);
        state.tail.drain(..excess);
        state.tail.extend(kept);
        state.dropped += (rest.len() - kept.len() + excess) as u64;
    }

    /// The whole lines that came since the last call.
    pub(crate) fn lines(&self) -> Option<String> {
        let mut state = self.lock();
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let full = state.seen == HEAD && !state.tail.is_empty();
        let end = match state.head.iter().rposition(is_end) {
            _ if full => state.head.len(),
            Some(end) => end + 1,
            None if state.head.len() > LINE => state.head.len(),
            None => 0,
        };
        let rest = state.head.split_off(end);
        let mut text = printable(&mem::replace(&mut state.head, rest));
        if state.dropped > 0 && !mem::replace(&mut state.told, true) {
            end_line(&mut text);
            text.push_str("[… more than can be shown; the end follows when the command has ended …]\n");
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// What is left when the command has ended.
    pub(crate) fn rest(&self) -> Option<String> {
        let mut text = self.lines().unwrap_or_default();
        let mut state = self.lock();
        text.push_str(&printable(&mem::take(&mut state.head)));
        if state.dropped > 0 {
            text.push_str(&format!("[… {} bytes left out …]\n", state.dropped));
        }
        text.push_str(&printable(state.tail.make_contiguous()));
        state.tail.clear();
        end_line(&mut text);
        Some(text).filter(|text| !text.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_when_they_are_whole() {
        let live = Live::default();
        assert_eq!(live.lines(), None);
        live.push(b"one\ntw");
        assert_eq!(live.lines().as_deref(), Some("one\n"));
        live.push(b"o\n10%\r2");
        assert_eq!(live.lines().as_deref(), Some("two\n10%\n"));
        assert_eq!(live.lines(), None);
        assert_eq!(live.rest().as_deref(), Some("2\n"));
        assert_eq!(live.rest(), None);
    }

    #[test]
    fn a_flood_is_left_out_between_its_beginning_and_its_end() {
        let live = Live::default();
        let mut shown = String::new();
        for n in 0..200_000 {
            live.push(format!("line {n}\n").as_bytes());
            if n % 1000 == 0 {
                shown.push_str(&live.lines().unwrap_or_default());
            }
        }
        shown.push_str(&live.rest().unwrap());
        assert!(shown.len() < HEAD + TAIL + 300, "{}", shown.len());
        assert!(shown.starts_with("line 0\nline 1\n") && shown.ends_with("line 199998\nline 199999\n"));
        assert_eq!(shown.matches("can be shown").count(), 1);
        assert_eq!(shown.matches("bytes left out").count(), 1);
    }

    #[test]
    fn nothing_is_left_out_of_a_little_more_than_the_beginning() {
        let live = Live::default();
        let text = "x".repeat(99) + "\n";
        let count = HEAD / 100 + 10;
        for _ in 0..count {
            live.push(text.as_bytes());
        }
        let shown = live.lines().unwrap() + &live.rest().unwrap_or_default();
        assert_eq!(shown, text.repeat(count));
    }
}
