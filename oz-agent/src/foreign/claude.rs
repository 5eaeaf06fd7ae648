//! Claude Code. It speaks JSON, a message a line, on its input and its output, and takes messages while it works.

mod launch;
mod mcp;
mod permits;
mod reader;
mod tasks;
mod tools;

use super::{Dialect, Launch, Permit, Reader};
use oz_core::{
    Error,
    harness::{HarnessTask, SavedSession},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Claude Code.
pub(super) struct Claude;

/// Where it keeps conversations, below its home: a directory for each workspace, a file for each conversation.
const PROJECTS: &str = ".claude/projects";

impl Dialect for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn format(&self) -> &'static str {
        "claude_code"
    }

    fn install_hint(&self, _: &HarnessTask) -> String {
        "install Claude Code, for instance with `npm install -g @anthropic-ai/claude-code`".to_owned()
    }

    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        launch::launch(task)
    }

    fn reader(&self, task: &HarnessTask) -> Box<dyn Reader> {
        Box::new(reader::ClaudeReader::new(permits::Desk::of(task)))
    }

    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        let file = format!("{session_id}.jsonl");
        let projects = fs::read_dir(task.home.join(PROJECTS)).ok()?.flatten();
        // A conversation that was taken up in another workspace goes on in the directory of that one.
        let files = projects.map(|project| project.path().join(&file)).filter(|path| path.is_file());
        let newest = files.max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).ok())?;
        let content = fs::read(newest).ok()?;
        Some(SavedSession { format: self.format().to_owned(), session_id: session_id.to_owned(), content })
    }

    fn message(&self, text: &str) -> Option<String> {
        Some(user(text))
    }

    fn asks(&self) -> bool {
        true
    }

    fn word(&self, permit: &Permit) -> String {
        permits::word(permit)
    }

    fn interruption(&self) -> Option<String> {
        let id = uuid::Uuid::new_v4().to_string();
        let request =
            json!({"type": "control_request", "request_id": id, "request": {"subtype": "interrupt"}});
        Some(format!("{request}\n"))
    }
}

/// A line of its input: what its user says.
fn user(text: &str) -> String {
    let message = json!({"type": "user", "message": {"role": "user", "content": text}});
    format!("{message}\n")
}

/// Where it looks for the conversation `session_id` of `workspace`, below its home.
fn conversation(workspace: &Path, session_id: &str) -> PathBuf {
    /// Names that are longer are cut and told apart by a number.
    const LONGEST: usize = 200;
    let workspace = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let path: Vec<u16> = workspace.to_string_lossy().encode_utf16().collect();
    let plain = |unit: u16| {
        u8::try_from(unit).map_or('-', |b| if b.is_ascii_alphanumeric() { char::from(b) } else { '-' })
    };
    let mut name: String = path.iter().copied().map(plain).collect();
    if name.len() > LONGEST {
        let hash = path
            .iter()
            .fold(0_i32, |hash, unit| hash.wrapping_shl(5).wrapping_sub(hash).wrapping_add(i32::from(*unit)));
        name = format!("{}-{}", &name[..LONGEST], base36(hash.unsigned_abs()));
    }
    Path::new(PROJECTS).join(name).join(format!("{session_id}.jsonl"))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;
