//! Reads `stream-json` of Gemini CLI.

use crate::foreign::{End, Reader, Told, fault::code, shown};
use oz_core::{
    ErrorCode,
    harness::{ActionCategory, HarnessEvent},
    usage::Usage,
};
use serde_json::Value;
use std::mem;

/// What the program ended with, by its own table.
const NOT_LOGGED_IN: i32 = 41;
const OUT_OF_TURNS: i32 = 53;

/// The lines of one start.
#[derive(Default)]
pub(super) struct Lines {
    /// What the agent is saying.
    saying: String,
    /// What it said last.
    said: Option<String>,
    /// Whether the model is at it, rather than a tool.
    model_speaks: bool,
    /// Whether it reported that all went well.
    succeeded: bool,
    /// What went wrong, in its words.
    trouble: Option<String>,
}

impl Lines {
    /// What it was saying until now.
    fn pause(&mut self) -> Option<Told> {
        let text = mem::take(&mut self.saying);
        if text.trim().is_empty() {
            return None;
        }
        self.said = Some(text.clone());
        Some(Told::Event(HarnessEvent::Text { text }))
    }

    /// Takes note that the model speaks. Answers whether that is a new turn.
    fn turn(&mut self) -> Option<Told> {
        (!mem::replace(&mut self.model_speaks, true)).then_some(Told::Turn)
    }

    fn action(line: &Value) -> Vec<Told> {
        let name = text(line, "tool_name").to_owned();
        let input = shown::input(&line["parameters"]);
        let mut told = vec![Told::Event(HarnessEvent::Action {
            id: text(line, "tool_id").to_owned(),
            category: category(&name),
            input,
            name: name.clone(),
        })];
        if name == "write_todos" {
            told.push(Told::Event(shown::tasks(&line["parameters"]["todos"], "description")));
        }
        told
    }

    fn result(line: &Value) -> Told {
        let good = line["status"] == "success";
        let said =
            if good { &line["output"] } else { line.pointer("/error/message").unwrap_or(&line["output"]) };
        Told::Event(shown::result(text(line, "tool_id"), !good, shown::output(&shown::text(said), !good)))
    }

    /// The end of the work, with what each model used.
    fn ended(&mut self, line: &Value) -> Vec<Told> {
        self.succeeded = line["status"] == "success";
        if let Some(message) = line.pointer("/error/message").and_then(Value::as_str) {
            self.trouble = Some(message.to_owned());
        }
        let models = line["stats"]["models"].as_object();
        let usage = |(model, stats): (&String, &Value)| {
            let number = |field: &str| stats[field].as_u64().unwrap_or_default();
            let usage = Usage {
                input_tokens: number("input_tokens").saturating_sub(number("cached")),
                cache_read_tokens: number("cached"),
                // Thoughts are in the total only.
                output_tokens: number("total_tokens").saturating_sub(number("input_tokens")),
                ..Usage::default()
            };
            Told::Event(HarnessEvent::Usage { model: model.clone(), usage })
        };
        models.into_iter().flatten().map(usage).collect()
    }
}

impl Reader for Lines {
    fn line(&mut self, line: &str) -> Vec<Told> {
        let Ok(line) = serde_json::from_str::<Value>(line) else { return Vec::new() };
        let mut told = Vec::new();
        match text(&line, "type") {
            "init" => told.push(Told::Session(text(&line, "session_id").to_owned())),
            "message" if line["role"] == "assistant" => {
                told.extend(self.turn());
                let piece = text(&line, "content");
                self.saying.push_str(piece);
                told.push(Told::Event(HarnessEvent::Delta { text: piece.to_owned() }));
            }
            "tool_use" => {
                told.extend(self.turn());
                told.extend(self.pause());
                told.extend(Self::action(&line));
            }
            "tool_result" => {
                self.model_speaks = false;
                told.push(Self::result(&line));
            }
            "error" if line["severity"] == "error" => self.trouble = Some(text(&line, "message").to_owned()),
            "result" => {
                told.extend(self.pause());
                told.extend(self.ended(&line));
            }
            _ => {}
        }
        told
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        if self.succeeded && exit_code == 0 {
            return End::Done(self.said.take());
        }
        let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let message = self.trouble.take().unwrap_or_else(|| last.trim().to_owned());
        let code = match exit_code {
            NOT_LOGGED_IN => ErrorCode::AuthenticationRequired,
            OUT_OF_TURNS => ErrorCode::BudgetExceeded,
            _ => code(&message),
        };
        End::Failed(code, format!("Gemini CLI ended with {exit_code}: {message}"))
    }
}

/// What kind of action a tool is.
fn category(tool: &str) -> ActionCategory {
    match tool {
        "run_shell_command" | "list_background_processes" | "read_background_output" => {
            ActionCategory::Command
        }
        "read_file" | "read_many_files" | "write_file" | "replace" | "list_directory" => {
            ActionCategory::Files
        }
        "glob" | "grep_search" | "search_file_content" => ActionCategory::Search,
        "activate_skill" => ActionCategory::Skill,
        "write_todos" | "update_topic" | "enter_plan_mode" | "exit_plan_mode" | "save_memory" => {
            ActionCategory::Documents
        }
        _ => ActionCategory::Integration,
    }
}

/// A field that should be text.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
