//! A model that replays a YAML script: the same prompt gives the same answers, without a network or a key. It holds no
//! conversation; where it stands in a script follows from the messages it is sent.

use super::yaml_error;
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use oz_core::{
    Error,
    model::{
        ChatMessage, Model, ModelError, ModelErrorKind, ModelRequest, ModelStream, StopReason, StreamEvent,
        ToolCall,
    },
    usage::Usage,
};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scripts: Vec<Script>,
}

/// What to answer to prompts that match.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(rename = "match")]
    prompt: String,
    #[serde(default)]
    turns: Vec<Turn>,
}

/// One answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Turn {
    text: Option<String>,
    reasoning: Option<String>,
    tool_calls: Vec<Call>,
    usage: Counts,
    /// What the results of the tools before must match.
    expect: Option<String>,
    delay_ms: u64,
    fail: Option<Fail>,
    #[serde(skip)]
    failed: AtomicU32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    #[serde(default)]
    input: Map<String, Value>,
    /// The arguments as raw text, to replay what is no JSON.
    #[serde(default)]
    arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Counts {
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    cost_usd: Option<f64>,
}

/// How a turn fails before it works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    kind: Kind,
    #[serde(default)]
    message: Option<String>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    RateLimited,
    Unavailable,
    Network,
    Authentication,
    InsufficientCredits,
    ContextTooLong,
    InvalidRequest,
    Protocol,
}

impl From<Kind> for ModelErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::RateLimited => Self::RateLimited,
            Kind::Unavailable => Self::Unavailable,
            Kind::Network => Self::Network,
            Kind::Authentication => Self::Authentication,
            Kind::InsufficientCredits => Self::InsufficientCredits,
            Kind::ContextTooLong => Self::ContextTooLong,
            Kind::InvalidRequest => Self::InvalidRequest,
            Kind::Protocol => Self::Protocol,
        }
    }
}

/// A model that follows scripts.
#[derive(Debug)]
pub(super) struct Scripted {
    scripts: Vec<Script>,
}

impl Scripted {
    /// The model of the script file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::invalid(format!("the model script '{shown}' can't be read: {e}")))?;
        Self::parse(&text)
            .map_err(|e| Error::invalid(format!("the model script '{shown}' is not valid: {e}")))
    }

    fn parse(yaml: &str) -> Result<Self, String> {
        let File { scripts } = serde_saphyr::from_str(yaml).map_err(|e| yaml_error(&e))?;
        Ok(Self { scripts })
    }

    /// The turn that answers `messages`.
    fn turn(&self, messages: &[ChatMessage]) -> Result<&Turn, ModelError> {
        let prompt = messages.iter().find_map(|m| match m {
            ChatMessage::User { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let prompt = prompt.unwrap_or_default();
        let place = place(messages);
        for script in &self.scripts {
            if !regex(&script.prompt, "match")?.is_match(prompt) {
                continue;
            }
            let turn = script.turns.get(place - 1).ok_or_else(|| {
                let (rule, turns) = (&script.prompt, script.turns.len());
                refuse(format!("the script for '{rule}' has {turns} turns but was asked for turn {place}"))
            })?;
            return Ok(turn);
        }
        Err(refuse(format!("no script matches the prompt '{}'", words(prompt))))
    }
}

/// Checks what a turn expects of what happened before it.
fn check(turn: &Turn, messages: &[ChatMessage]) -> Result<(), ModelError> {
    let Some(expected) = &turn.expect else { return Ok(()) };
    let results = since_last_answer(messages);
    if regex(expected, "expect")?.is_match(&results) {
        return Ok(());
    }
    Err(refuse(format!(
        "turn {} expects '{expected}' but the tools returned: {}",
        place(messages),
        words(&results)
    )))
}

/// Which turn answers `messages`, counted from 1.
fn place(messages: &[ChatMessage]) -> usize {
    1 + messages.iter().filter(|m| matches!(m, ChatMessage::Assistant { .. })).count()
}

/// What the tools returned, and the user said, since the last answer.
fn since_last_answer(messages: &[ChatMessage]) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for message in messages.iter().rev() {
        match message {
            ChatMessage::Assistant { .. } => break,
            ChatMessage::User { text, .. } => parts.push(text),
            ChatMessage::Tool { results } => parts.extend(results.iter().rev().map(|r| r.content.as_str())),
        }
    }
    parts.reverse();
    parts.join("\n")
}

fn regex(pattern: &str, field: &str) -> Result<Regex, ModelError> {
    Regex::new(pattern).map_err(|e| refuse(format!("{field}: '{pattern}' is not a regular expression: {e}")))
}

fn refuse(text: impl std::fmt::Display) -> ModelError {
    ModelError::new(ModelErrorKind::InvalidRequest, format!("scripted model: {text}"))
}

/// The beginning of a text.
fn words(text: &str) -> String {
    let mut short: String = text.chars().take(200).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[async_trait]
impl Model for Scripted {
    fn provider(&self) -> &str {
        "scripted"
    }

    async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ModelError> {
        let turn = self.turn(&request.messages)?;
        if turn.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(turn.delay_ms)).await;
        }
        if let Some(fail) = &turn.fail
            && turn.failed.fetch_add(1, Ordering::Relaxed) < fail.times
        {
            let message = fail.message.clone().unwrap_or_else(|| "scripted failure".to_owned());
            return Err(ModelError::new(fail.kind.into(), message));
        }
        check(turn, &request.messages)?;
        let events: Vec<_> = answer(turn, request.messages.len()).into_iter().map(Ok).collect();
        Ok(stream::iter(events).boxed())
    }
}

/// The events of a turn. `place` makes the ids of its calls unique in the conversation.
fn answer(turn: &Turn, place: usize) -> Vec<StreamEvent> {
    let mut events = Vec::new();
    events.extend(turn.reasoning.clone().map(StreamEvent::Reasoning));
    events.extend(turn.text.clone().map(StreamEvent::Text));
    events.extend(turn.tool_calls.iter().enumerate().map(|(i, call)| {
        let arguments =
            call.arguments.clone().unwrap_or_else(|| Value::Object(call.input.clone()).to_string());
        StreamEvent::ToolCall(ToolCall {
            id: format!("call_{place}_{i}"),
            name: call.name.clone(),
            arguments,
        })
    }));
    let Counts { input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd } = turn.usage;
    let usage = Usage { input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd };
    events.push(StreamEvent::Usage(usage));
    let stop = if turn.tool_calls.is_empty() { StopReason::EndTurn } else { StopReason::ToolUse };
    events.push(StreamEvent::Stop(stop));
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::ToolResult;

    const SCRIPT: &str = r#"
scripts:
  - match: fix .* test
    turns:
      - text: looking
        reasoning: hm
        tool_calls: [{ name: run_command, input: { command: "true" } }]
        usage: { input_tokens: 3, output_tokens: 4 }
      - expect: exit_code.*1
        text: done
  - match: flaky
    turns: [{ text: fine, fail: { kind: rate_limited, message: slow down, times: 2 } }]
"#;

    fn request(messages: Vec<ChatMessage>) -> ModelRequest {
        let model = "scripted".into();
        ModelRequest {
            model,
            system: String::new(),
            messages,
            tools: vec![],
            max_output_tokens: 1,
            reasoning_level: None,
        }
    }

    async fn ask(model: &Scripted, messages: Vec<ChatMessage>) -> Result<Vec<StreamEvent>, ModelError> {
        let stream = model.stream(&request(messages)).await?;
        stream.collect::<Vec<_>>().await.into_iter().collect()
    }

    fn user(text: &str) -> ChatMessage {
        ChatMessage::user(text)
    }

    fn after(result: &str) -> Vec<ChatMessage> {
        let result =
            ToolResult { call_id: "c".into(), content: result.into(), is_error: false, images: vec![] };
        let said = ChatMessage::Assistant { text: String::new(), reasoning: vec![], calls: vec![] };
        vec![user("fix my test"), said, ChatMessage::Tool { results: vec![result] }]
    }

    #[tokio::test]
    async fn it_answers_turn_by_turn_and_checks_what_it_is_told() {
        let model = Scripted::parse(SCRIPT).unwrap();
        let first = ask(&model, vec![user("fix my test")]).await.unwrap();
        assert!(matches!(&first[2], StreamEvent::ToolCall(c) if c.arguments == r#"{"command":"true"}"#));
        assert!(matches!(&first[3], StreamEvent::Usage(u) if u.total_tokens() == 7));
        let second = ask(&model, after("exit_code: 1\nwrong")).await.unwrap();
        assert_eq!(second[0], StreamEvent::Text("done".into()));
        let error = ask(&model, after("exit_code: 0")).await.unwrap_err();
        assert!(error.message.contains("turn 2 expects 'exit_code.*1'") && !error.is_retryable(), "{error}");
        let mut too_far = after("exit_code: 1");
        too_far.extend(after("exit_code: 1").split_off(1));
        let error = ask(&model, too_far).await.unwrap_err();
        assert!(error.message.contains("2 turns but was asked for turn 3"), "{error}");
    }

    #[tokio::test]
    async fn it_fails_as_often_as_it_is_told_and_names_a_prompt_it_does_not_know() {
        let model = Scripted::parse(SCRIPT).unwrap();
        for _ in 0..2 {
            let error = ask(&model, vec![user("flaky")]).await.unwrap_err();
            assert_eq!((error.kind, error.message.as_str()), (ModelErrorKind::RateLimited, "slow down"));
        }
        assert!(ask(&model, vec![user("flaky")]).await.is_ok());
        let error = ask(&model, vec![user("something else")]).await.unwrap_err();
        assert!(error.message.contains("no script matches the prompt 'something else'"), "{error}");
    }

    #[test]
    fn a_wrong_script_is_refused_with_the_place() {
        for (yaml, expected) in [
            ("scripts: [{ match: x, turns: [{ txt: y }] }]", "txt"),
            ("scripts: [{ turns: [] }]", "match"),
            ("scripts: [{ match: x, turns: [{ fail: { kind: odd } }] }]", "odd"),
            ("nonsense", "line 1 column 1"),
        ] {
            let error = Scripted::parse(yaml).unwrap_err();
            assert!(error.contains(expected), "{yaml}: {error}");
        }
        let error = Scripted::read(Path::new("/no/such/script.yaml")).unwrap_err().to_string();
        assert!(error.contains("/no/such/script.yaml"), "{error}");
    }
}
