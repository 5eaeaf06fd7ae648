//! Any program as a harness, as a [`CommandHarness`] describes it.

mod files;
mod reader;
mod words;

use super::{Dialect, Launch, Reader, claude, codex};
use oz_core::{
    Error,
    config::{CommandHarness, CommandOutput},
    harness::{HarnessTask, SavedSession},
};
use regex::Regex;

/// A program that a configuration describes.
pub(super) struct Command;

impl Dialect for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn format(&self) -> &'static str {
        "command"
    }

    fn install_hint(&self, task: &HarnessTask) -> String {
        let hint = task.command.as_ref().and_then(|command| command.install_hint.clone());
        hint.unwrap_or_else(|| "install it, or name its whole path in harness.command.start".to_owned())
    }

    fn launch(&self, task: &HarnessTask) -> Result<Launch, Error> {
        let command = task.command.as_ref().ok_or_else(|| {
            Error::invalid("the harness 'command' needs harness.command.start, the program and its arguments")
        })?;
        check(command)?;
        let written = match &task.saved {
            None => &command.start,
            Some(_) if !command.resume.is_empty() => &command.resume,
            Some(_) => {
                return Err(Error::unsupported(
                    "the harness 'command' can't go on with a conversation without harness.command.resume",
                ));
            }
        };
        let words = words::filled(written, task);
        if words.is_empty() {
            return Err(Error::invalid_field(
                "harness.command.start",
                "[]",
                "a program and its arguments, such as [\"my-agent\", \"{prompt}\"]",
            ));
        }
        let named = written.iter().any(|word| word.contains("{prompt}"));
        let files = task.saved.as_ref().map(|saved| files::unpacked(&saved.content)).transpose()?;
        Ok(Launch {
            words,
            files: files.unwrap_or_default(),
            stdin: command.stdin.unwrap_or(!named).then(|| task.prompt.clone()),
            ..Launch::default()
        })
    }

    fn reader(&self, task: &HarnessTask) -> Box<dyn Reader> {
        let command = task.command.clone().unwrap_or_default();
        let inner: Box<dyn Reader> = match command.output {
            Some(CommandOutput::Events) => Box::<reader::Events>::default(),
            Some(CommandOutput::ClaudeStreamJson) => claude::Claude.reader(task),
            Some(CommandOutput::CodexJson) => codex::Codex.reader(task),
            _ => Box::<reader::Text>::default(),
        };
        Box::new(reader::Watched::new(inner, &command))
    }

    fn saved(&self, task: &HarnessTask, session_id: &str) -> Option<SavedSession> {
        task.command.as_ref().filter(|command| !command.resume.is_empty())?;
        let content = files::packed(&task.home)?;
        Some(SavedSession { format: self.format().to_owned(), session_id: session_id.to_owned(), content })
    }
}

/// What can be wrong with a description before anything is started.
fn check(command: &CommandHarness) -> Result<(), Error> {
    if let Some(output) = &command.output {
        output.require_known("harness.command.output")?;
    }
    let patterns = [("session_pattern", command.session_pattern.as_slice())]
        .into_iter()
        .chain([("authentication_patterns", command.authentication_patterns.as_slice())]);
    for (field, patterns) in patterns {
        for pattern in patterns {
            Regex::new(pattern).map_err(|e| {
                let field = format!("harness.command.{field}");
                Error::invalid_field(&field, pattern, &format!("a regular expression ({e})"))
            })?;
        }
    }
    let group = |pattern: &String| Regex::new(pattern).is_ok_and(|regex| regex.captures_len() > 1);
    match command.session_pattern.as_ref().filter(|pattern| !group(pattern)) {
        Some(pattern) => Err(Error::invalid_field(
            "harness.command.session_pattern",
            pattern,
            "a regular expression with a group, such as \"session: (\\S+)\"",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
