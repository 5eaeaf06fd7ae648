//! What a search has found so far.

use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};
use oz_core::Redactor;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io,
    time::{Duration, Instant},
};

/// How much of a line is shown.
const MAX_LINE: usize = 300;
/// How much is shown in all.
const MAX_ALL: usize = 64 << 10;
/// How long a search may take.
const TIME: Duration = Duration::from_secs(20);

/// What was found.
pub(super) struct Found {
    limit: usize,
    lines: usize,
    with_context: bool,
    redactor: Redactor,
    begun: Instant,
    pub(super) content: String,
    pub(super) files: Vec<Value>,
}

impl Found {
    pub(super) fn new(limit: usize, with_context: bool, redactor: Redactor) -> Self {
        Self {
            limit,
            lines: 0,
            with_context,
            redactor,
            begun: Instant::now(),
            content: String::new(),
            files: Vec::new(),
        }
    }

    fn has_room(&self) -> bool {
        self.lines < self.limit && self.content.len() < MAX_ALL && self.begun.elapsed() < TIME
    }

    fn line(&mut self, path: &str, number: u64, mark: char, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes.trim_ascii_end());
        // First, so that no part of a secret stands where the line is cut.
        let text = self.redactor.text(&text);
        let cut = text.floor_char_boundary(MAX_LINE);
        let more = if cut < text.len() { "[…]" } else { "" };
        let _ = writeln!(self.content, "{path}{mark}{number}{mark}{}{more}", &text[..cut]);
    }
}

/// What is found in one file.
pub(super) struct Hits<'a> {
    found: &'a mut Found,
    path: &'a str,
    numbers: Vec<u64>,
    /// How much there was before this file: what turns out to be binary is taken back.
    before: (usize, usize),
    whole: bool,
}

impl<'a> Hits<'a> {
    pub(super) fn new(found: &'a mut Found, path: &'a str) -> Self {
        let before = (found.content.len(), found.lines);
        let whole = found.has_room();
        Self { found, path, numbers: Vec::new(), before, whole }
    }

    /// Notes the file. Answers whether there is room for more.
    pub(super) fn end(self, failed: Option<String>) -> bool {
        let Self { found, path, numbers, whole, .. } = self;
        if let Some(failed) = failed {
            let _ = writeln!(found.content, "[{path} was not searched to its end: {failed}]");
        }
        if !numbers.is_empty() {
            found.files.push(json!({ "path": path, "lines": numbers }));
        }
        whole && found.has_room()
    }
}

impl Sink for Hits<'_> {
    type Error = io::Error;

    fn begin(&mut self, _: &Searcher) -> Result<bool, io::Error> {
        Ok(self.whole)
    }

    fn matched(&mut self, _: &Searcher, hit: &SinkMatch<'_>) -> Result<bool, io::Error> {
        if !self.found.has_room() {
            self.whole = false;
            return Ok(false);
        }
        let number = hit.line_number().unwrap_or(0);
        self.found.line(self.path, number, ':', hit.bytes());
        self.found.lines += 1;
        self.numbers.push(number);
        Ok(true)
    }

    fn context(&mut self, _: &Searcher, line: &SinkContext<'_>) -> Result<bool, io::Error> {
        self.found.line(self.path, line.line_number().unwrap_or(0), '-', line.bytes());
        Ok(true)
    }

    fn context_break(&mut self, _: &Searcher) -> Result<bool, io::Error> {
        if self.found.with_context && !self.found.content.is_empty() {
            self.found.content.push_str("--\n");
        }
        Ok(true)
    }

    fn finish(&mut self, _: &Searcher, end: &SinkFinish) -> Result<(), io::Error> {
        if end.binary_byte_offset().is_some() {
            self.found.content.truncate(self.before.0);
            self.found.lines = self.before.1;
            self.numbers.clear();
        }
        Ok(())
    }
}
