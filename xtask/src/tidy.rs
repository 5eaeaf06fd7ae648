//! `cargo xtask tidy`: the house rules that the compiler does not know. It only reads; each violation says where, which
//! rule, and what to do.

mod edges;
mod size;
mod text;

use crate::{Outcome, codegen, root};
use std::{fmt, fs, process::Command};

/// What stands against a rule.
#[derive(Debug, PartialEq)]
struct Violation {
    path: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl Violation {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, advice: advice.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// A file under version control.
struct File {
    path: String,
    text: String,
}

/// Checks every rule.
pub(crate) fn run() -> Outcome {
    let files = tracked()?;
    let mut wrong = edges::check(&edges::metadata()?);
    wrong.extend(size::check(&files));
    wrong.extend(files.iter().flat_map(text::check));
    wrong.extend(codegen::stale().into_iter().map(|path| {
        Violation::new(
            &path,
            1,
            "generated",
            "it is stale; run `cargo xtask codegen` and commit what it writes",
        )
    }));
    if wrong.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = wrong.iter().map(Violation::to_string).collect();
    Err(lines.join("\n"))
}

/// The text files under version control, with those that are new.
fn tracked() -> Result<Vec<File>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let paths = String::from_utf8_lossy(&output.stdout).into_owned();
    let read =
        |path: &str| Some(File { path: path.to_owned(), text: fs::read_to_string(root().join(path)).ok()? });
    Ok(paths.split_terminator('\0').filter_map(read).collect())
}
