//! Reads what Claude Code tells: a message a line.

use super::{permits::Desk, tasks::Tasks, tools};
use crate::foreign::{End, Reader, Told, fault, shown};
use oz_core::{ErrorCode, harness::HarnessEvent, usage::Usage};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How often it may try a key that the service refuses.
const REFUSALS: u64 = 2;

/// Reads one start of Claude Code.
#[derive(Default)]
pub(super) struct ClaudeReader {
    desk: Desk,
    /// The model call that is going on in the conversation, and in those of sub-agents by the calls that began them.
    calls: BTreeMap<String, Call>,
    /// What was told of each model.
    told: BTreeMap<String, Usage>,
    tasks: Tasks,
    /// What an answer says that is none of the model: why there is none.
    excuse: Option<String>,
    result: Option<Value>,
}

#[derive(Default)]
struct Call {
    model: String,
    usage: Usage,
}

impl ClaudeReader {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk, ..Self::default() }
    }
}

impl Reader for ClaudeReader {
    fn line(&mut self, line: &str) -> Vec<Told> {
        // What is no message is for people; errors come in messages, or at the end.
        let Ok(message) = serde_json::from_str::<Value>(line) else { return Vec::new() };
        match message["type"].as_str() {
            Some("system") => system(&message),
            Some("stream_event") => self.stream(&message),
            Some("assistant") => self.assistant(&message),
            Some("user") => self.user(&message),
            Some("result") => self.result(message),
            Some("control_request") => self.desk.wish(&message).map(Told::Wish).into_iter().collect(),
            Some("control_cancel_request") => {
                let id = message["request_id"].as_str().map(str::to_owned);
                id.map(Told::Unwished).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn end(&mut self, exit_code: i32, errors: &str) -> End {
        let Some(result) = self.result.take() else {
            let why = self.excuse.take().unwrap_or_else(|| errors.to_owned());
            let text = format!("Claude Code ended with exit code {exit_code} and no result: {why}");
            return End::Failed(fault::code(&why), text.trim_end_matches([':', ' ']).to_owned());
        };
        let text = result["result"].as_str().map(str::to_owned);
        let errors = result["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let errors = errors.collect::<Vec<_>>().join("; ");
        match (result["subtype"].as_str(), result["is_error"].as_bool()) {
            (Some("error_max_turns"), _) => {
                let turns = format!(
                    "Claude Code made as many turns as it may (max_turns) before it was done. {errors}"
                );
                End::Failed(ErrorCode::BudgetExceeded, turns.trim_end().to_owned())
            }
            (Some("error_max_budget_usd"), _) => {
                let cost =
                    format!("Claude Code cost what it may (max_cost_usd) before it was done. {errors}");
                End::Failed(ErrorCode::BudgetExceeded, cost.trim_end().to_owned())
            }
            (Some("success"), Some(false) | None) => End::Done(text.filter(|text| !text.is_empty())),
            (_, _) => {
                let why = text.or_else(|| self.excuse.take()).unwrap_or(errors);
                let code = match result["api_error_status"].as_u64() {
                    Some(status @ (401 | 402 | 403 | 429 | 500..)) => {
                        fault::code(&format!("{why} ({status})"))
                    }
                    _ => fault::code(&why),
                };
                End::Failed(code, format!("Claude Code failed: {why}"))
            }
        }
    }
}

fn system(message: &Value) -> Vec<Told> {
    match message["subtype"].as_str() {
        Some("init") => {
            message["session_id"].as_str().map(|id| Told::Session(id.to_owned())).into_iter().collect()
        }
        Some("api_retry") => {
            let attempt = message["attempt"].as_u64().unwrap_or_default();
            let error = message["error"].as_str().unwrap_or_default();
            let refused = matches!(message["error_status"].as_u64(), Some(401 | 403))
                || error == "authentication_failed";
            if refused && attempt >= REFUSALS {
                let text = "the model service refuses the key of Claude Code (authentication_failed)";
                return vec![Told::Hopeless(ErrorCode::AuthenticationRequired, text.to_owned())];
            }
            if error == "billing_error" {
                let text = "the account of Claude Code has no credit left (billing_error)";
                return vec![Told::Hopeless(ErrorCode::InsufficientCredits, text.to_owned())];
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Which conversation a message belongs to: empty, or the call that began a sub-agent.
fn conversation(message: &Value) -> &str {
    message["parent_tool_use_id"].as_str().unwrap_or_default()
}

impl ClaudeReader {
    /// A piece of an answer. Only these tell how much a call used in the end.
    fn stream(&mut self, message: &Value) -> Vec<Told> {
        let (event, of) = (&message["event"], conversation(message));
        match event["type"].as_str() {
            Some("message_start") => {
                let model = event["message"]["model"].as_str().unwrap_or_default().to_owned();
                let mut call = Call { model, ..Call::default() };
                count(&mut call.usage, &event["message"]["usage"]);
                self.calls.insert(of.to_owned(), call);
                vec![Told::Turn]
            }
            Some("message_delta") => {
                if let Some(call) = self.calls.get_mut(of) {
                    count(&mut call.usage, &event["usage"]);
                }
                Vec::new()
            }
            Some("message_stop") => {
                let Some(Call { model, usage }) = self.calls.remove(of) else { return Vec::new() };
                self.told.entry(model.clone()).or_default().add(&usage);
                vec![Told::Event(HarnessEvent::Usage { model, usage })]
            }
            Some("content_block_delta") if of.is_empty() => {
                let text = event["delta"]["text"].as_str().unwrap_or_default();
                match text {
                    "" => Vec::new(),
                    text => vec![Told::Event(HarnessEvent::Delta { text: text.to_owned() })],
                }
            }
            _ => Vec::new(),
        }
    }

    fn assistant(&mut self, message: &Value) -> Vec<Told> {
        let blocks = message["message"]["content"].as_array().into_iter().flatten();
        if message["error"].is_string() || message["message"]["model"] == "<synthetic>" {
            let text = shown::text(&message["message"]["content"]);
            self.excuse = Some(text).filter(|text| !text.is_empty());
            return Vec::new();
        }
        let mut told = Vec::new();
        for block in blocks {
            let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
            let event = match block["type"].as_str() {
                Some("text") if conversation(message).is_empty() => HarnessEvent::Text { text: text("text") },
                Some("text") => HarnessEvent::Reasoning { text: text("text") },
                Some("thinking") if !text("thinking").is_empty() => {
                    HarnessEvent::Reasoning { text: text("thinking") }
                }
                Some("tool_use" | "server_tool_use") => {
                    let (id, tool) = (text("id"), text("name"));
                    let (category, name) = tools::ours(&tool);
                    let tasks = self.tasks.called(&id, &tool, &block["input"]);
                    told.extend(tasks.map(Told::Event));
                    HarnessEvent::Action { id, category, name, input: shown::input(&block["input"]) }
                }
                Some("web_search_tool_result") => {
                    shown::result(&text("tool_use_id"), false, shown::input(&block["content"]))
                }
                _ => continue,
            };
            told.push(Told::Event(event));
        }
        told
    }

    /// What is told to the model: results of tools, and what others said.
    fn user(&mut self, message: &Value) -> Vec<Told> {
        let blocks = message["message"]["content"].as_array().into_iter().flatten();
        let mut told = Vec::new();
        for block in blocks.filter(|block| block["type"] == "tool_result") {
            let id = block["tool_use_id"].as_str().unwrap_or_default();
            let failed = block["is_error"].as_bool().unwrap_or_default();
            let text = shown::text(&block["content"]);
            let mut output = shown::output(&text, failed);
            let code = text
                .strip_prefix("Exit code ")
                .and_then(|rest| rest.lines().next()?.trim().parse::<i64>().ok());
            if let (true, Some(code)) = (failed, code) {
                output.insert("exit_code".to_owned(), code.into());
            }
            if !failed {
                told.extend(self.tasks.answered(id, &message["tool_use_result"]).map(Told::Event));
            }
            told.push(Told::Event(shown::result(id, failed, output)));
        }
        told
    }

    /// The end of what it was asked. It knows what all calls used and cost, also those that it did not tell of.
    fn result(&mut self, message: Value) -> Vec<Told> {
        let empty = Map::new();
        let models = message["modelUsage"].as_object().unwrap_or(&empty);
        let mut told = Vec::new();
        for (name, used) in models {
            // `[1m]` says how much the model may read at a time.
            let model = name.split('[').next().unwrap_or(name).to_owned();
            let number = |key: &str| used[key].as_u64().unwrap_or_default();
            let known = self.told.entry(model.clone()).or_default();
            let cost =
                used["costUSD"].as_f64().map(|cost| (cost - known.cost_usd.unwrap_or_default()).max(0.0));
            let rest = Usage {
                input_tokens: number("inputTokens").saturating_sub(known.input_tokens),
                cache_read_tokens: number("cacheReadInputTokens").saturating_sub(known.cache_read_tokens),
                cache_write_tokens: number("cacheCreationInputTokens")
                    .saturating_sub(known.cache_write_tokens),
                output_tokens: number("outputTokens").saturating_sub(known.output_tokens),
                cost_usd: cost.filter(|cost| *cost > 0.0),
            };
            if rest != Usage::default() {
                known.add(&rest);
                told.push(Told::Event(HarnessEvent::Usage { model, usage: rest }));
            }
        }
        self.result = Some(message);
        told.push(Told::Rest);
        told
    }
}

/// Takes over what a message says of a call: each number is that of the whole call so far.
fn count(usage: &mut Usage, said: &Value) {
    let set = |field: &mut u64, key: &str| *field = said[key].as_u64().unwrap_or(*field);
    set(&mut usage.input_tokens, "input_tokens");
    set(&mut usage.cache_read_tokens, "cache_read_input_tokens");
    set(&mut usage.cache_write_tokens, "cache_creation_input_tokens");
    set(&mut usage.output_tokens, "output_tokens");
}
