//! What stands in quotes, and what the shell puts something else in the place of.

use super::{Lexer, Until, Word};

impl Lexer<'_> {
    pub(super) fn single(&mut self, word: &mut Word) {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('\'') => break self.at += 1,
                Some(c) => word.text.push(c),
                None => return self.script.doubt("a quote has no end"),
            }
            self.at += 1;
        }
    }

    pub(super) fn double(&mut self, word: &mut Word) {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('"') => break self.at += 1,
                Some('\\') => {
                    match self.peek(1) {
                        Some('\n') => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => word.text.push(c),
                        Some(c) => word.text.extend(['\\', c]),
                        None => {}
                    }
                    self.at += 2;
                }
                Some(_) => self.expandable(word),
                None => return self.script.doubt("a quote has no end"),
            }
        }
    }

    /// Reads one character, or a whole expansion that begins here.
    pub(super) fn expandable(&mut self, word: &mut Word) {
        let start = self.at;
        match (self.peek(0), self.peek(1)) {
            (Some('`'), _) => self.backticks(),
            (Some('$'), Some('(')) if self.peek(2) == Some('(') => self.arithmetic(),
            (Some('$'), Some('(')) => {
                self.at += 2;
                self.list(Until::Parenthesis);
            }
            (Some('$'), Some('{')) => self.braces(),
            (Some('$'), Some('\'' | '"')) => {
                word.dynamic = true;
                self.at += 1;
                return;
            }
            (Some('$'), Some(c)) if c.is_ascii_alphanumeric() || "_@*#?-$!".contains(c) => self.at += 2,
            (Some('\\'), _) => {
                word.text.extend(self.peek(1));
                self.at = (self.at + 2).min(self.chars.len());
                return;
            }
            (c, _) => {
                word.text.extend(c);
                self.at += 1;
                return;
            }
        }
        word.dynamic = true;
        self.at = self.at.min(self.chars.len());
        word.text.extend(&self.chars[start..self.at]);
    }

    fn backticks(&mut self) {
        self.at += 1;
        let mut inner = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('`'), _) => break self.at += 1,
                (Some('\\'), Some(c @ ('`' | '\\' | '$'))) => {
                    inner.push(c);
                    self.at += 2;
                }
                (Some(c), _) => {
                    inner.push(c);
                    self.at += 1;
                }
                (None, _) => {
                    self.script.doubt("a '`' has no end");
                    break;
                }
            }
        }
        self.script.add(&inner, self.depth + 1);
    }

    fn arithmetic(&mut self) {
        self.at += 3;
        let mut open = 2;
        while open > 0 {
            match self.peek(0) {
                Some('(') => open += 1,
                Some(')') if open == 2 && self.peek(1) != Some(')') => {
                    self.script.doubt("a '$((' is not arithmetic");
                    open -= 1;
                }
                Some(')') => open -= 1,
                Some('$' | '`') => {
                    self.expandable(&mut Word::default());
                    continue;
                }
                Some(_) => {}
                None => return self.script.doubt("a '$((' has no end"),
            }
            self.at += 1;
        }
    }

    fn braces(&mut self) {
        self.at += 2;
        let mut word = Word::default();
        loop {
            match self.peek(0) {
                Some('}') => break self.at += 1,
                Some('\'') => self.single(&mut word),
                Some('"') => self.double(&mut word),
                Some(_) => self.expandable(&mut word),
                None => return self.script.doubt("a '${' has no end"),
            }
        }
    }
}
