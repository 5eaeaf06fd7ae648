//! Words, operators and what stands in quotes: the grammar of POSIX shells with the usual additions of bash.

mod expand;

use super::{Script, Word};

/// Words before which or after which a command stands.
const AROUND: &[&str] =
    &["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "{", "}", "!", "time"];

/// Where a list of commands ends.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    End,
    Parenthesis,
}

/// The simple command that is being read.
#[derive(Default)]
struct Current {
    words: Vec<Word>,
    writes: Vec<String>,
    /// Whether the words are those after `for`, which run nothing.
    values: bool,
}

struct Heredoc {
    end: String,
    tabs: bool,
    literal: bool,
}

pub(super) struct Lexer<'a> {
    chars: Vec<char>,
    at: usize,
    script: &'a mut Script,
    depth: usize,
    heredocs: Vec<Heredoc>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &str, script: &'a mut Script, depth: usize) -> Self {
        Self { chars: text.chars().collect(), at: 0, script, depth, heredocs: Vec::new() }
    }

    pub(super) fn read(mut self) {
        self.list(Until::End);
        if !self.heredocs.is_empty() {
            self.script.doubt("a here-document does not begin");
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn begins(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn take(&mut self, text: &str) -> bool {
        let begins = self.begins(text);
        if begins {
            self.at += text.chars().count();
        }
        begins
    }

    fn finish(&mut self, current: &mut Current) {
        let Current { words, writes, values } = std::mem::take(current);
        if !values {
            self.script.command(&words, writes, self.depth);
        } else if words.iter().any(|word| word.text == "do") {
            self.script.doubt("a loop is written in a way that is not followed");
        }
    }

    /// Reads commands up to the end.
    fn list(&mut self, until: Until) {
        let mut current = Current::default();
        self.depth += 1;
        if self.depth > super::DEPTH {
            self.script.doubt("commands stand too deep within commands");
            self.at = self.chars.len();
        }
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '\n' => {
                    self.at += 1;
                    self.finish(&mut current);
                    self.read_heredocs();
                }
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                ')' => {
                    self.finish(&mut current);
                    self.at += 1;
                    if until == Until::Parenthesis {
                        self.depth -= 1;
                        return;
                    }
                    self.script.doubt("a ')' stands where no '(' is open");
                }
                '(' if current.words.is_empty() && self.peek(1) == Some('(') => {
                    self.script.doubt("arithmetic is not followed");
                    self.at += 2;
                }
                '(' if current.words.is_empty() => {
                    self.at += 1;
                    self.list(Until::Parenthesis);
                }
                '(' if current.words.len() == 1 && self.peek(1) == Some(')') => {
                    // A function; what it does follows.
                    current.words.clear();
                    self.at += 2;
                }
                '(' => {
                    self.script.doubt("a '(' stands where none is expected");
                    self.finish(&mut current);
                    self.at += 1;
                }
                '&' if self.peek(1) == Some('>') => {
                    self.at += 1;
                    self.redirect(&mut current);
                }
                ';' | '&' | '|' => {
                    self.at += 1;
                    self.finish(&mut current);
                }
                '<' | '>' if self.peek(1) == Some('(') => self.word_into(&mut current),
                '<' | '>' => self.redirect(&mut current),
                _ => self.word_into(&mut current),
            }
        }
        self.finish(&mut current);
        self.depth -= 1;
        if until == Until::Parenthesis {
            self.script.doubt("a '(' has no end");
        }
    }

    fn word_into(&mut self, current: &mut Current) {
        let word = self.word();
        let bare = word.text == word.raw && !word.dynamic;
        // A number that touches a redirection is the number of a file.
        if bare
            && word.text.chars().all(|c| c.is_ascii_digit())
            && matches!(self.peek(0), Some('<' | '>'))
            && self.peek(1) != Some('(')
        {
            return self.redirect(current);
        }
        if current.words.is_empty() && (bare || word.text == "{" || word.text == "}") {
            match word.text.as_str() {
                text if AROUND.contains(&text) => return,
                "for" | "select" => {
                    current.values = true;
                    return;
                }
                "case" | "esac" | "function" | "coproc" => {
                    let why = format!("'{}' is not followed", word.text);
                    self.script.doubt(&why);
                }
                _ => {}
            }
        }
        current.words.push(word);
    }

    fn redirect(&mut self, current: &mut Current) {
        let here = ["<<<", "<<-", "<<"].into_iter().find(|op| self.take(op));
        if let Some(op @ ("<<" | "<<-")) = here {
            self.blanks();
            let word = self.word();
            let literal = word.text != word.raw;
            self.heredocs.push(Heredoc { end: word.text, tabs: op == "<<-", literal });
            return;
        }
        let reads = here.is_some() || (self.begins("<") && !self.begins("<>"));
        let ops = [">>", ">|", ">&", "<>", "<&", ">", "<"];
        let op = here.or_else(|| ops.into_iter().find(|op| self.take(op))).unwrap_or_default();
        self.blanks();
        let target = self.word();
        let number = |text: &str| text == "-" || text.chars().all(|c| c.is_ascii_digit());
        let nowhere = ["/dev/null", "/dev/stdout", "/dev/stderr"].contains(&target.text.as_str());
        let duplicates = op.ends_with('&') && number(&target.text);
        if !reads && !nowhere && !duplicates {
            current.writes.push(target.raw);
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn read_heredocs(&mut self) {
        for Heredoc { end, tabs, literal } in std::mem::take(&mut self.heredocs) {
            let mut body = String::new();
            loop {
                if self.at >= self.chars.len() {
                    self.script.doubt("a here-document has no end");
                    break;
                }
                let rest = &self.chars[self.at..];
                let length = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
                let line: String = rest[..length].iter().collect();
                self.at = (self.at + length + 1).min(self.chars.len());
                if (if tabs { line.trim_start_matches('\t') } else { &line }) == end {
                    break;
                }
                body.push_str(&line);
                body.push('\n');
            }
            if !literal {
                let mut inner = Lexer::new(&body, self.script, self.depth);
                while inner.at < inner.chars.len() {
                    inner.expandable(&mut Word::default());
                }
            }
        }
    }

    /// Reads one word. It always goes on by at least one character, unless there is none.
    fn word(&mut self) -> Word {
        let (mut word, start) = (Word::default(), self.at);
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if self.peek(1) == Some('(') && self.at == start => {
                    self.at += 2;
                    word.dynamic = true;
                    self.list(Until::Parenthesis);
                }
                '<' | '>' => break,
                '(' if self.at > start && self.chars[self.at - 1] == '=' => {
                    self.script.doubt("lists of values are not followed");
                    break;
                }
                '(' => break,
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word),
                '\\' => {
                    self.at += 1;
                    match self.peek(0) {
                        Some('\n') => {}
                        Some(c) => word.text.push(c),
                        None => word.text.push('\\'),
                    }
                    self.at += 1;
                }
                '$' | '`' => self.expandable(&mut word),
                '*' | '?' | '[' | '{' => {
                    // `[` and `{` alone are commands.
                    word.dynamic |= c == '*' || c == '?' || self.at > start || !self.ends_word(1);
                    word.text.push(c);
                    self.at += 1;
                }
                c => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        self.at = self.at.min(self.chars.len());
        word.raw = self.chars[start..self.at].iter().collect();
        // `[[` is a command.
        if word.raw == "[[" {
            word.dynamic = false;
        }
        word
    }

    fn ends_word(&self, ahead: usize) -> bool {
        self.peek(ahead).is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')'))
    }
}
