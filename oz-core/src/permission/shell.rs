//! Splits a shell command into the simple commands that it would run. It is careful rather than complete: what it can't
//! follow, it says so, and nothing that runs goes unmentioned because of it. Pure.

mod lex;
mod nested;

use lex::Lexer;

/// How deep commands may stand within commands.
const DEPTH: usize = 12;

/// What a shell command would run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Script {
    /// Every simple command, those within others included.
    pub(super) parts: Vec<Part>,
    /// Why there may be more than `parts` tells.
    pub(super) unclear: Option<String>,
}

/// One simple command.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Part {
    /// Its words without quotes, with one space between them.
    pub(super) text: String,
    /// All ways to name what it runs: as written, without variables before it, without the program's directory, and what
    /// it hands to another program to run.
    pub(super) forms: Vec<String>,
    /// The files that it writes by redirection.
    pub(super) writes: Vec<String>,
}

/// A word of a command.
#[derive(Debug, Clone, Default)]
struct Word {
    /// Without quotes.
    text: String,
    /// As written.
    raw: String,
    /// Whether only the shell knows what becomes of it.
    dynamic: bool,
}

impl Word {
    /// Whether it sets a variable when it stands before a command.
    fn assigns(&self) -> bool {
        let Some((name, _)) = self.raw.split_once('=') else { return false };
        let name = name.strip_suffix('+').unwrap_or(name);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    }
}

/// Reads a command for `sh -c`.
pub(super) fn read(command: &str) -> Script {
    let mut script = Script::default();
    script.add(command, 0);
    script
}

impl Script {
    /// Adds what `text` would run.
    fn add(&mut self, text: &str, depth: usize) {
        if depth > DEPTH {
            self.doubt("commands stand too deep within commands");
            return;
        }
        Lexer::new(text, self, depth).read();
    }

    fn doubt(&mut self, why: &str) {
        self.unclear.get_or_insert_with(|| why.to_owned());
    }

    /// Adds a simple command.
    fn command(&mut self, words: &[Word], writes: Vec<String>, depth: usize) {
        let (before, rest) = words.split_at(words.iter().take_while(|word| word.assigns()).count());
        if words.is_empty() && writes.is_empty() {
            return;
        }
        let text = join(words);
        let mut part = Part { forms: vec![text.clone(), raw(words)], text, writes };
        if !before.is_empty() {
            part.forms.push(join(rest));
        }
        if let Some(program) = rest.first() {
            part.forms.extend(bare(rest));
            if program.dynamic || program.raw.starts_with('~') {
                self.doubt(&format!("which program '{}' is shows only when it runs", program.raw));
            }
        }
        if depth > DEPTH {
            self.doubt("commands stand too deep within commands");
        } else {
            nested::look(self, &mut part, rest, depth);
        }
        part.forms.dedup();
        self.parts.push(part);
    }
}

fn join(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn raw(words: &[Word]) -> String {
    words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ")
}

/// The name of a program without its directory.
fn name(program: &Word) -> &str {
    program.text.rsplit('/').next().unwrap_or_default()
}

/// A command whose program has lost its directory, if it has one.
fn bare(words: &[Word]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let name = name(program);
    let rest = join(arguments);
    (name != program.text).then(|| if rest.is_empty() { name.to_owned() } else { format!("{name} {rest}") })
}
