//! Reads what a program tells, as its description says it does.

use crate::foreign::{End, Reader, Told, fault::code};
use oz_core::{
    ErrorCode,
    config::CommandHarness,
    harness::{AgentState, HarnessEvent},
};
use regex::Regex;

/// How much of what a program says is the summary of its work, in bytes.
const SUMMARY: usize = 4 << 10;

/// A reader that also looks for the conversation's name and for a login that is missing.
pub(super) struct Watched {
    inner: Box<dyn Reader>,
    session: Option<Regex>,
    authentication: Vec<Regex>,
    /// The line that says that the program is not logged in.
    locked_out: Option<String>,
}

impl Watched {
    pub(super) fn new(inner: Box<dyn Reader>, command: &CommandHarness) -> Self {
        // Patterns that are wrong have been refused before anything was started.
        Self {
            inner,
            session: command.session_pattern.as_ref().and_then(|pattern| Regex::new(pattern).ok()),
            authentication: command
                .authentication_patterns
                .iter()
                .filter_map(|p| Regex::new(p).ok())
                .collect(),
            locked_out: None,
        }
    }

    fn watch(&mut self, line: &str) {
        if self.locked_out.is_none() && self.authentication.iter().any(|pattern| pattern.is_match(line)) {
            self.locked_out = Some(line.trim().to_owned());
        }
    }

    fn name(&self, line: &str) -> Option<Told> {
        let name = self.session.as_ref()?.captures(line)?.get(1)?.as_str();
        (!name.is_empty()).then(|| Told::Session(name.to_owned()))
    }
}

impl Reader for Watched {
    fn line(&mut self, line: &str) -> Vec<Told> {
        self.watch(line);
        self.name(line).into_iter().chain(self.inner.line(line)).collect()
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        errors.lines().for_each(|line| self.watch(line));
        let end = self.inner.end(exit_code, errors);
        match self.locked_out.take() {
            Some(line) => End::Failed(
                ErrorCode::AuthenticationRequired,
                format!("the program is not logged in: {line}"),
            ),
            None => end,
        }
    }
}

/// A program that failed, by its exit code and the last of its errors.
fn failed(exit_code: i32, errors: &str) -> End {
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it wrote no error");
    End::Failed(code(last), format!("the program ended with {exit_code}: {}", last.trim()))
}

/// Every line is what the agent says.
#[derive(Default)]
pub(super) struct Text {
    said: String,
}

impl Reader for Text {
    fn line(&mut self, line: &str) -> Vec<Told> {
        self.said.push_str(line);
        self.said.push('\n');
        if self.said.len() > 2 * SUMMARY {
            let cut = self.said.ceil_char_boundary(self.said.len() - SUMMARY);
            self.said.drain(..cut);
        }
        vec![Told::Event(HarnessEvent::Text { text: line.to_owned() })]
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        if exit_code != 0 {
            return failed(exit_code, errors);
        }
        let said = self.said.trim();
        let end = said[said.ceil_char_boundary(said.len().saturating_sub(SUMMARY))..].trim();
        End::Done((!end.is_empty()).then(|| end.to_owned()))
    }
}

/// Every line that is one is an event of ours; the others are what the agent says.
#[derive(Default)]
pub(super) struct Events {
    text: Text,
    /// How the program says that the work ended.
    outcome: Option<(AgentState, Option<String>, Option<ErrorCode>)>,
}

impl Reader for Events {
    fn line(&mut self, line: &str) -> Vec<Told> {
        match serde_json::from_str(line) {
            Err(_) => self.text.line(line),
            Ok(HarnessEvent::Session { session_id, .. }) => vec![Told::Session(session_id)],
            Ok(HarnessEvent::State { state, message, code }) => {
                if state.is_final() {
                    self.outcome = Some((state, message, code));
                }
                Vec::new()
            }
            // What the run's driver tells, and questions, to which nobody could give the program an answer.
            Ok(
                HarnessEvent::Prompt { .. }
                | HarnessEvent::Stage { .. }
                | HarnessEvent::Request { .. }
                | HarnessEvent::Answered { .. },
            ) => Vec::new(),
            Ok(HarnessEvent::Text { text }) => self.text.line(&text),
            Ok(event @ HarnessEvent::Usage { .. }) => vec![Told::Turn, Told::Event(event)],
            Ok(event) => vec![Told::Event(event)],
        }
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        match self.outcome.take() {
            Some((AgentState::Succeeded, message, _)) if exit_code == 0 => match self.text.end(0, errors) {
                End::Done(said) => End::Done(message.or(said)),
                failed @ End::Failed(..) => failed,
            },
            Some((AgentState::Succeeded, ..)) | None => self.text.end(exit_code, errors),
            Some((state, message, code)) => {
                let message = message.unwrap_or_else(|| format!("the program says that it is {state}"));
                End::Failed(code.unwrap_or(ErrorCode::InternalError), message)
            }
        }
    }
}
