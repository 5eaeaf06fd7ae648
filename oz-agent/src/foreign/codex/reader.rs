//! Reads what `codex exec --json` tells: an event a line.

use super::rollout;
use crate::{
    foreign::{End, Reader, Told, fault, shown},
    model::Prices,
};
use oz_core::{
    ErrorCode,
    harness::{ActionCategory, HarnessEvent, TaskItem, TaskState},
    usage::Usage,
};
use serde_json::{Map, Value, json};

/// How often it may try what will not get better, such as a key that the service refuses or a service that is not there.
const TRIES: u32 = 2;
const WAITS: u32 = 5;

/// Reads one start of Codex.
pub(super) struct CodexReader {
    model: String,
    /// What tells its ids from those of earlier starts, which begin to count anew.
    prefix: String,
    /// What was told of already; it counts the whole conversation.
    told: Usage,
    /// Whether the last thing was a result, so that the next comes from another model call.
    answered: bool,
    said: Option<String>,
    /// The last error, and whether it ended the turn.
    error: Option<String>,
    failed: bool,
    refusals: u32,
    waits: u32,
}

impl CodexReader {
    pub(super) fn new(model: String, prefix: String, earlier: Usage) -> Self {
        Self {
            model,
            prefix,
            told: earlier,
            answered: true,
            said: None,
            error: None,
            failed: false,
            refusals: 0,
            waits: 0,
        }
    }
}

impl Reader for CodexReader {
    fn line(&mut self, line: &str) -> Vec<Told> {
        // What is no event is for people; errors come in events, or at the end.
        let Ok(event) = serde_json::from_str::<Value>(line) else { return Vec::new() };
        match event["type"].as_str() {
            Some("thread.started") => {
                event["thread_id"].as_str().map(|id| Told::Session(id.to_owned())).into_iter().collect()
            }
            Some(kind @ ("item.started" | "item.updated" | "item.completed")) => {
                self.item(kind, &event["item"])
            }
            Some("turn.completed") => self.completed(&event["usage"]),
            Some("turn.failed") => {
                self.failed = true;
                self.complain(&event["error"])
            }
            Some("error") => self.complain(&event),
            _ => Vec::new(),
        }
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        if exit_code == 0 && !self.failed {
            return End::Done(self.said.take());
        }
        let why = self.error.take().unwrap_or_else(|| errors.to_owned());
        let text = match why.as_str() {
            "" => format!("Codex ended with exit code {exit_code}"),
            why => format!("Codex failed: {why}"),
        };
        End::Failed(fault::code(&why), text)
    }
}

impl CodexReader {
    fn completed(&mut self, counts: &Value) -> Vec<Told> {
        let total = rollout::usage(counts);
        let mut usage = Usage {
            input_tokens: total.input_tokens.saturating_sub(self.told.input_tokens),
            cache_read_tokens: total.cache_read_tokens.saturating_sub(self.told.cache_read_tokens),
            cache_write_tokens: total.cache_write_tokens.saturating_sub(self.told.cache_write_tokens),
            output_tokens: total.output_tokens.saturating_sub(self.told.output_tokens),
            cost_usd: None,
        };
        self.told = total;
        (self.failed, self.error) = (false, None);
        usage.cost_usd = Prices::default().cost("openai", &self.model, &usage);
        vec![Told::Event(HarnessEvent::Usage { model: self.model.clone(), usage }), Told::Rest]
    }

    fn complain(&mut self, error: &Value) -> Vec<Told> {
        let text = error["message"].as_str().unwrap_or_default().to_owned();
        let code = fault::code(&text);
        let hopeless = match code {
            ErrorCode::AuthenticationRequired => {
                self.refusals += 1;
                self.refusals >= TRIES
            }
            // It would wait for the network for ever.
            _ if text.contains("waiting for network") => {
                self.waits += 1;
                self.waits >= WAITS
            }
            _ => false,
        };
        self.error = Some(text.clone()).filter(|text| !text.is_empty());
        if hopeless { vec![Told::Hopeless(code, format!("Codex failed: {text}"))] } else { Vec::new() }
    }

    fn item(&mut self, kind: &str, item: &Value) -> Vec<Told> {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        let (id, completed) = (format!("{}{}", self.prefix, text("id")), kind == "item.completed");
        let mut told = Vec::new();
        let name = item["type"].as_str().unwrap_or_default();
        if name == "error" {
            // A warning; what ends its work comes as an event of its own.
            return told;
        }
        if std::mem::take(&mut self.answered) {
            told.push(Told::Turn);
        }
        match name {
            "agent_message" if completed => {
                self.said = Some(text("text"));
                told.push(Told::Event(HarnessEvent::Text { text: text("text") }));
            }
            "reasoning" if completed && !text("text").is_empty() => {
                told.push(Told::Event(HarnessEvent::Reasoning { text: text("text") }));
            }
            "todo_list" => told.push(Told::Event(tasks(&item["items"]))),
            "agent_message" | "reasoning" => {}
            _ => {
                // What is done at once comes only when it is done; an action that is there already is not told again.
                let (category, name, input) = action(item);
                told.push(Told::Event(HarnessEvent::Action { id: id.clone(), category, name, input }));
                if completed {
                    told.push(Told::Event(result(&id, item)));
                    self.answered = true;
                }
            }
        }
        told
    }
}

fn tasks(items: &Value) -> HarnessEvent {
    let items = items.as_array().into_iter().flatten();
    let task = |item: &Value| TaskItem {
        title: item["text"].as_str().unwrap_or_default().to_owned(),
        state: if item["completed"] == true { TaskState::Completed } else { TaskState::Pending },
    };
    HarnessEvent::Tasks { tasks: items.map(task).collect() }
}

/// The kind, name and arguments of what it does.
fn action(item: &Value) -> (ActionCategory, String, Map<String, Value>) {
    use ActionCategory as C;
    let text = |key: &str| item[key].as_str().unwrap_or_default();
    let some = |key: &str| shown::input(&json!({ key: item[key] }));
    match text("type") {
        "command_execution" => (C::Command, "run_command".to_owned(), some("command")),
        "file_change" => (C::Files, "edit_files".to_owned(), some("changes")),
        "web_search" => (C::Search, "web_search".to_owned(), some("query")),
        "mcp_tool_call" => {
            (C::Integration, format!("{}/{}", text("server"), text("tool")), shown::input(&item["arguments"]))
        }
        "collab_tool_call" => (
            C::Integration,
            "sub_agent".to_owned(),
            shown::input(&json!({"tool": text("tool"), "prompt": item["prompt"]})),
        ),
        other => (C::Integration, other.to_owned(), Map::new()),
    }
}

fn result(id: &str, item: &Value) -> HarnessEvent {
    let failed = item["status"] == "failed" || item["status"] == "declined";
    let output = match item["type"].as_str() {
        Some("command_execution") => {
            let mut output = shown::output(item["aggregated_output"].as_str().unwrap_or_default(), false);
            output.insert("exit_code".to_owned(), item["exit_code"].clone());
            output
        }
        Some("file_change") => shown::input(&json!({"changes": item["changes"]})),
        Some("mcp_tool_call") => match item["error"]["message"].as_str() {
            Some(error) => shown::output(error, true),
            None => shown::output(&shown::text(&item["result"]["content"]), failed),
        },
        _ => Map::new(),
    };
    shown::result(id, failed, output)
}
