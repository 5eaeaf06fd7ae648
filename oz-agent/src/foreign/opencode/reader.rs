//! Reads the JSON lines of `opencode run`.

use super::NOT_FOUND;
use crate::foreign::{End, Reader, Told, fault::code, shown};
use oz_core::{
    ErrorCode,
    harness::{ActionCategory, HarnessEvent},
    usage::Usage,
};
use serde_json::Value;

/// The lines of one start.
pub(super) struct Lines {
    model: String,
    /// What the agent said last.
    said: Option<String>,
    /// What went wrong, and what that means.
    trouble: Option<(ErrorCode, String)>,
}

impl Lines {
    pub(super) fn new(model: String) -> Self {
        Self { model, said: None, trouble: None }
    }

    /// A tool that was used: it is told when it is done.
    fn tool(part: &Value) -> Vec<Told> {
        let (name, state) = (text(part, "tool").to_owned(), &part["state"]);
        let (id, category) = (text(part, "callID").to_owned(), category(&name));
        let good = state["status"] == "completed";
        let said = if good { &state["output"] } else { &state["error"] };
        let mut output = shown::output(&shown::text(said), !good);
        if let Some(exit_code) = state.pointer("/metadata/exit").filter(|code| code.is_number()) {
            output.insert("exit_code".to_owned(), exit_code.clone());
        }
        let input = shown::input(&state["input"]);
        let action = HarnessEvent::Action { id: id.clone(), category, name: name.clone(), input };
        let mut told = vec![action, shown::result(&id, !good, output)];
        if name == "todowrite" && good {
            told.push(shown::tasks(&state["input"]["todos"], "content"));
        }
        told.into_iter().map(Told::Event).collect()
    }

    /// What a step used.
    fn usage(&self, part: &Value) -> Told {
        let number = |at: &str| part["tokens"].pointer(at).and_then(Value::as_u64).unwrap_or_default();
        let usage = Usage {
            input_tokens: number("/input"),
            cache_read_tokens: number("/cache/read"),
            cache_write_tokens: number("/cache/write"),
            output_tokens: number("/output") + number("/reasoning"),
            cost_usd: part["cost"].as_f64().filter(|cost| *cost > 0.0),
        };
        Told::Event(HarnessEvent::Usage { model: self.model.clone(), usage })
    }

    fn failed(&mut self, error: &Value) {
        let message = error.pointer("/data/message").and_then(Value::as_str).unwrap_or(text(error, "name"));
        let code = match error.pointer("/data/statusCode").and_then(Value::as_u64) {
            Some(401 | 403) => ErrorCode::AuthenticationRequired,
            Some(402) => ErrorCode::InsufficientCredits,
            Some(408 | 429 | 500..) => ErrorCode::ResourceUnavailable,
            _ if text(error, "name").contains("Auth") => ErrorCode::AuthenticationRequired,
            _ => code(message),
        };
        self.trouble = Some((code, message.to_owned()));
    }
}

impl Reader for Lines {
    fn line(&mut self, line: &str) -> Vec<Told> {
        let Ok(line) = serde_json::from_str::<Value>(line) else { return Vec::new() };
        let part = &line["part"];
        let mut told = Vec::new();
        match text(&line, "sessionID") {
            "" => {}
            session_id => told.push(Told::Session(session_id.to_owned())),
        }
        let said = text(part, "text").to_owned();
        match text(&line, "type") {
            "step_start" => told.push(Told::Turn),
            "reasoning" if !said.trim().is_empty() => {
                told.push(Told::Event(HarnessEvent::Reasoning { text: said }));
            }
            "text" if !said.trim().is_empty() => {
                self.said = Some(said.clone());
                told.push(Told::Event(HarnessEvent::Text { text: said }));
            }
            "tool_use" => told.extend(Self::tool(part)),
            "step_finish" => told.push(self.usage(part)),
            "error" => self.failed(&line["error"]),
            _ => {}
        }
        told
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        match self.trouble.take() {
            Some((code, message)) => End::Failed(code, format!("opencode failed: {message}")),
            None if exit_code == 0 => End::Done(self.said.take()),
            None => {
                let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let code =
                    if exit_code == NOT_FOUND { ErrorCode::EnvironmentSetupFailed } else { code(last) };
                End::Failed(code, format!("opencode ended with {exit_code}: {}", last.trim()))
            }
        }
    }
}

/// What kind of action a tool is.
fn category(tool: &str) -> ActionCategory {
    match tool {
        "bash" => ActionCategory::Command,
        "read" | "write" | "edit" | "patch" | "multiedit" | "apply_patch" | "list" => ActionCategory::Files,
        "grep" | "glob" | "codesearch" => ActionCategory::Search,
        "skill" => ActionCategory::Skill,
        "todowrite" | "todoread" => ActionCategory::Documents,
        _ => ActionCategory::Integration,
    }
}

/// A field that should be text.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
