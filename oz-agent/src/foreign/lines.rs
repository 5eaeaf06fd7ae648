//! Output as lines, in bounded memory whatever a program writes.

use std::mem;

/// The longest line that is kept whole. Results of tools come in one line, pictures among them.
const LONGEST: usize = 16 << 20;

/// Cuts bytes into lines.
#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    left_out: u64,
}

/// A line.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// Its text, as far as it was kept.
    pub(super) text: String,
    /// How many bytes of it were not.
    pub(super) left_out: u64,
}

impl Lines {
    /// The lines that end in `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |piece| (piece, true));
            let kept = piece.len().min(LONGEST.saturating_sub(self.line.len()));
            self.line.extend_from_slice(&piece[..kept]);
            self.left_out += (piece.len() - kept) as u64;
            if ends {
                lines.extend(self.take());
            }
        }
        lines
    }

    /// The last line, when it has no end.
    pub(super) fn rest(&mut self) -> Option<Line> {
        self.take()
    }

    fn take(&mut self) -> Option<Line> {
        let line = mem::take(&mut self.line);
        let left_out = mem::take(&mut self.left_out);
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
        (!text.trim().is_empty()).then_some(Line { text, left_out })
    }
}

/// The end of a text.
pub(super) struct Tail {
    bytes: Vec<u8>,
}

/// How much of the end is kept.
const KEEP: usize = 8 << 10;

impl Tail {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEEP {
            self.bytes.drain(..self.bytes.len() - KEEP);
        }
    }

    pub(super) fn text(&self) -> String {
        let start = self.bytes.len().saturating_sub(KEEP);
        String::from_utf8_lossy(&self.bytes[start..]).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_read() {
        let text = b"one\r\n\n  \ntwo \xff three\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut all: Vec<String> =
                text.chunks(size).flat_map(|chunk| lines.push(chunk)).map(|line| line.text).collect();
            all.extend(lines.rest().map(|line| line.text));
            assert_eq!(all, ["one", "two \u{fffd} three", "last"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let mut lines = Lines::default();
        let chunk = vec![b'a'; 1 << 20];
        for _ in 0..100 {
            assert_eq!(lines.push(&chunk), []);
        }
        assert!(lines.line.capacity() <= 2 * LONGEST);
        let line = lines.push(b"\nnext\n");
        assert_eq!(line[0].text.len(), LONGEST);
        assert_eq!(line[0].left_out, (100 << 20) - LONGEST as u64);
        assert_eq!(line[1], Line { text: "next".into(), left_out: 0 });
    }

    #[test]
    fn the_tail_is_the_end() {
        let mut tail = Tail::new();
        for i in 0..10_000 {
            tail.push(format!("{i}\n").as_bytes());
        }
        assert!(tail.bytes.len() <= 2 * KEEP && tail.text().ends_with("9998\n9999"));
    }
}
