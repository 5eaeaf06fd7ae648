//! Takes secrets out of bytes that come piece by piece, wherever they are split.

use super::{MARK, Redactor};
use std::{fmt, ops::Range};

/// How much of what was let through is remembered: enough to see that a line is wrapped, and how a run of backslashes
/// is to be read.
const BEHIND: usize = 96;

/// A stream without secrets. It holds back only what may be the beginning of one.
pub struct Stream {
    redactor: Redactor,
    /// The end of what was let through, as it came.
    behind: Vec<u8>,
    held: Vec<u8>,
    /// When a mark was the last that was let through: how much of what is held it stands for already.
    marked: Option<usize>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, behind: Vec::new(), held: Vec::new(), marked: None }
    }

    /// Takes the next bytes, and answers with what can be let through.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.advance(bytes, false)
    }

    /// Answers with what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = self.advance(&[], true);
        *self = Self::new(self.redactor.clone());
        rest
    }

    /// Whether anything is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    fn advance(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        let matcher = self.redactor.current();
        if matcher.is_empty() && self.held.is_empty() {
            return bytes.to_vec();
        }
        let from = self.behind.len();
        let text = [&self.behind, &self.held, bytes].concat();
        let scan = matcher.scan(&text);
        let until = if last { text.len() } else { scan.open.max(from) };
        let marked = self.marked.map(|covered| from..from + covered);
        let mut clean = Vec::new();
        let mut done = from;
        for range in ranges(marked.clone(), scan.found, from, until) {
            if Some(range.start) != marked.as_ref().map(|m| m.start) {
                clean.extend_from_slice(&text[done..range.start]);
                clean.extend_from_slice(MARK.as_bytes());
            }
            done = range.end;
        }
        self.marked = (done >= until && (done > from || marked.is_some())).then(|| done - until);
        if done < until {
            clean.extend_from_slice(&text[done..until]);
        }
        self.held = text[until..].to_vec();
        self.behind = text[until.saturating_sub(BEHIND)..until].to_vec();
        clean
    }
}

/// The ranges that begin before `until`, those that touch as one.
fn ranges(
    marked: Option<Range<usize>>,
    found: Vec<Range<usize>>,
    from: usize,
    until: usize,
) -> Vec<Range<usize>> {
    let new = found.into_iter().filter(|range| range.end > from && range.start < until);
    let new = new.map(|range| range.start.max(from)..range.end);
    super::matcher::union(marked.into_iter().chain(new).collect())
}
