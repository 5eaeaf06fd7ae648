//! Takes secrets out of whatever leaves a run: every value is replaced by `***`, also where it is encoded. Found are a
//! value as it is, each of its lines, and both in base64 (either alphabet, any alignment, wrapped or not), in hexadecimal,
//! percent-encoded in any measure and escaped as in JSON, once or twice.
//!
//! It guards against accidents, not against an agent that wants to tell: whoever has a secret can write it backwards.
//! Values shorter than [`MIN_BYTES`] stay, since they would be found everywhere. Where base64 does not begin with the
//! secret, up to four bits of its first byte may stay visible in the character that it shares with what stands before.

mod forms;
mod matcher;
mod stream;
mod view;

pub use forms::MIN_BYTES;
pub use stream::Stream;

use crate::{
    Error, Open,
    artifact::Artifact,
    harness::{HarnessEvent, TaskItem},
    request::{Answer, Request},
};
use matcher::Matcher;
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// What stands in for a secret.
pub const MARK: &str = "***";

/// Knows secrets and takes them out of things. Clones know what any of them is told.
#[derive(Clone, Default)]
pub struct Redactor {
    matcher: Arc<RwLock<Arc<Matcher>>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Knows these values.
    pub fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let redactor = Self::default();
        redactor.add(values);
        redactor
    }

    /// Tells it more values, such as a token that was issued in the middle of a run.
    pub fn add(&self, values: impl IntoIterator<Item = impl Into<String>>) {
        let mut matcher = self.matcher.write().unwrap_or_else(PoisonError::into_inner);
        let known = matcher.values();
        let more: Vec<String> = values.into_iter().map(Into::into).filter(|v| !known.contains(v)).collect();
        if !more.is_empty() {
            *matcher = Arc::new(Matcher::new(known.iter().cloned().chain(more).collect()));
        }
    }

    /// Whether there is nothing that it would replace.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current().is_empty()
    }

    /// A text without secrets.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.current().scan(text.as_bytes()).found;
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = Vec::with_capacity(text.len());
        let mut done = 0;
        for range in found {
            clean.extend_from_slice(&text.as_bytes()[done..range.start]);
            clean.extend_from_slice(MARK.as_bytes());
            done = range.end;
        }
        clean.extend_from_slice(&text.as_bytes()[done..]);
        Cow::Owned(String::from_utf8_lossy(&clean).into_owned())
    }

    /// The same for a text that is not needed any more.
    #[must_use]
    pub fn string(&self, text: String) -> String {
        match self.text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }
    }

    /// A JSON value without secrets, in keys, texts and numbers.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.string(text)),
            Value::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(map) => Value::Object(self.map(map)),
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Borrowed(_) => Value::Number(number),
                Cow::Owned(clean) => Value::String(clean),
            },
            other => other,
        }
    }

    /// A JSON object without secrets.
    #[must_use]
    pub fn map(&self, map: Map<String, Value>) -> Map<String, Value> {
        if self.is_empty() {
            return map;
        }
        map.into_iter().map(|(key, value)| (self.string(key), self.value(value))).collect()
    }

    /// An event without secrets; its kind stays.
    #[must_use]
    pub fn event(&self, event: HarnessEvent) -> HarnessEvent {
        use HarnessEvent as E;
        let text = |text: String| self.string(text);
        match event {
            event if self.is_empty() => event,
            E::Prompt { text: t } => E::Prompt { text: text(t) },
            E::Text { text: t } => E::Text { text: text(t) },
            E::Delta { text: t } => E::Delta { text: text(t) },
            E::Reasoning { text: t } => E::Reasoning { text: text(t) },
            E::Tasks { tasks } => E::Tasks {
                tasks: tasks.into_iter().map(|t| TaskItem { title: text(t.title), ..t }).collect(),
            },
            E::Request { request } => E::Request {
                request: Request {
                    title: text(request.title),
                    reason: request.reason.map(text),
                    detail: self.map(request.detail),
                    options: request.options.into_iter().map(text).collect(),
                    ..request
                },
            },
            E::Answered { request_id, answer } => {
                E::Answered { request_id, answer: Answer { text: answer.text.map(text), ..answer } }
            }
            E::Session { format, session_id } => E::Session { format, session_id },
            E::Action { id, category, name, input } => {
                E::Action { id: text(id), category, name: text(name), input: self.map(input) }
            }
            E::ActionResult { action_id, category, name, state, output } => E::ActionResult {
                action_id: text(action_id),
                category,
                name: text(name),
                state,
                output: self.map(output),
            },
            E::Artifact { artifact } => E::Artifact { artifact: self.artifact(artifact) },
            E::Usage { model, usage } => E::Usage { model: text(model), usage },
            E::State { state, message, code } => E::State { state, message: message.map(text), code },
            E::Output { stage, text: t } => E::Output { stage, text: text(t) },
            E::Stage { name, ok, duration_ms, detail } => {
                E::Stage { name, ok, duration_ms, detail: detail.map(text) }
            }
        }
    }

    fn artifact(&self, artifact: Open<Artifact>) -> Open<Artifact> {
        match artifact {
            Open::Unknown(value) => Open::Unknown(self.value(value)),
            Open::Known(known) => {
                let Ok(mut value) = serde_json::to_value(&known) else { return Open::Unknown(Value::Null) };
                if let Some(data) = value.get_mut("data") {
                    *data = self.value(data.take());
                }
                match serde_json::from_value(value.clone()) {
                    Ok(clean) => Open::Known(clean),
                    Err(_) => Open::Unknown(value),
                }
            }
        }
    }

    /// An error without secrets.
    #[must_use]
    pub fn error(&self, error: Error) -> Error {
        let Error { code, detail, status, retryable, auth_url, provider } = error;
        let text = |text: String| self.string(text);
        Error {
            code,
            detail: text(detail),
            status,
            retryable,
            auth_url: auth_url.map(text),
            provider: provider.map(text),
        }
    }

    /// Takes secrets out of bytes that come piece by piece.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    fn current(&self) -> Arc<Matcher> {
        Arc::clone(&self.matcher.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
