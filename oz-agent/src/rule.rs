//! Rules: files in which a project says how to work in it. One directory has at most one that counts. What a rules file
//! says is told to the agent as it is, within bounds; no link in a repository leads to a file outside of it.

mod book;

pub(crate) use book::RuleBook;

use crate::tool::Workspace;
use oz_core::harness::Rule;
use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

/// The names of rules files. Of several in one directory the first counts.
const FILES: [&str; 3] = ["WARP.md", "AGENTS.md", "CLAUDE.md"];
/// Where in a home the rules for all projects lie, the weakest first.
const GLOBAL: [&str; 3] = [".warp", ".agents", ".oz"];
/// How much of a file is told, in bytes.
const BYTES: u64 = 64 << 10;

/// The rules that apply, and what is wrong with others.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The weakest first.
    pub(crate) rules: Vec<Rule>,
    /// A line each.
    pub(crate) problems: Vec<String>,
}

impl Found {
    fn add(&mut self, boundary: &Path, directory: &Path) {
        let Ok(boundary) = Workspace::new(boundary) else { return };
        match of(&boundary, directory) {
            Some(Ok(rule)) if self.rules.iter().all(|other| other.path != rule.path) => self.rules.push(rule),
            Some(Err(problem)) => self.problems.push(problem),
            Some(Ok(_)) | None => {}
        }
    }
}

/// The rules for work in `workspace`: those of the person whose `home` it is, of each of the repositories, and of the
/// directory itself.
pub(crate) fn find(home: Option<&Path>, repositories: &[PathBuf], workspace: &Path) -> Found {
    let mut found = Found::default();
    if let Some(home) = home {
        for name in GLOBAL {
            found.add(home, &home.join(name));
        }
    }
    for root in repositories {
        found.add(root, root);
    }
    if !repositories.iter().any(|root| root == workspace) {
        let around = repositories.iter().find(|root| workspace.starts_with(root));
        found.add(around.map_or(workspace, PathBuf::as_path), workspace);
    }
    found
}

/// The rules of one directory within `boundary`.
fn of(boundary: &Workspace, directory: &Path) -> Option<Result<Rule, String>> {
    FILES.iter().find_map(|name| {
        let path = directory.join(name);
        // Some file systems find `agents.md` by this name, too.
        let there = fs::symlink_metadata(&path).is_ok() && has_entry(directory, name);
        if !there || path.is_dir() {
            return None;
        }
        let text = boundary.resolve(&path.to_string_lossy()).and_then(|real| read(&real));
        match text {
            Ok(text) if text.trim().is_empty() => None,
            Ok(text) => Some(Ok(Rule { path, text })),
            Err(problem) => Some(Err(format!("the rules in '{}' can't be used: {problem}", path.display()))),
        }
    })
}

fn has_entry(directory: &Path, name: &str) -> bool {
    fs::read_dir(directory).into_iter().flatten().flatten().any(|entry| entry.file_name() == name)
}

fn read(file: &Path) -> Result<String, String> {
    let metadata = fs::metadata(file).map_err(|e| e.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(BYTES).read_to_end(&mut bytes));
    opened.map_err(|e| format!("it can't be read: {e}"))?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if metadata.len() > BYTES {
        // A character that was cut in two.
        let whole = text.trim_end_matches('\u{fffd}').len();
        text.truncate(whole);
        text.push_str(&format!("\n\n[The rest is left out: the file has more than {} KiB.]", BYTES >> 10));
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

#[cfg(test)]
mod tests;
