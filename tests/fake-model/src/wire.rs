//! What a wire format is: how to read and check a request, and how to write an answer or an error.

use crate::{Turn, check::Check};
use axum::{
    http::{HeaderMap, Uri},
    response::Response,
};
use serde_json::{Value, json};

/// A wire format.
pub(crate) trait Wire {
    /// Where it is spoken.
    const PATH: &str;
    /// A request with what its address says of it.
    fn read(_: &Uri, body: Value) -> Value {
        body
    }
    /// Checks that the caller says who it is.
    fn caller(headers: &HeaderMap, check: &mut Check);
    /// Checks the request as the service does.
    fn check(body: &Value, check: &mut Check);
    /// How many tools the request offers the model.
    fn tools(body: &Value) -> usize {
        list(body, "tools").len()
    }
    /// Who said what in the conversation so far.
    fn said(body: &Value) -> Vec<Said>;
    /// The answer as one document.
    fn whole(answer: &Answer<'_>) -> Value;
    /// The answer as server-sent events.
    fn events(answer: &Answer<'_>) -> Vec<String>;
    /// An error document.
    fn error(status: u16, message: &str) -> Value;
    /// The answer to a key that the service does not know.
    fn wrong_key() -> Response;
    /// The document of a count of tokens.
    fn count(tokens: usize) -> Value {
        json!({ "input_tokens": tokens })
    }
    /// The error of a conversation that is too long.
    fn too_long() -> Value;
    /// The event with which an answer breaks off.
    fn overloaded() -> String;
}

/// A part of a conversation, as far as a script needs to know it.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// A message of the user.
    User(String),
    /// An answer of the model.
    Model,
}

impl Said {
    /// What the user says.
    pub(crate) fn by_user(&self) -> Option<&str> {
        match self {
            Self::User(text) => Some(text),
            Self::Model => None,
        }
    }

    /// A message by its role; those of neither user nor model are left out.
    pub(crate) fn message(message: &Value) -> Option<Self> {
        match text(message, "role") {
            "user" => Some(Self::User(content(message))),
            "assistant" => Some(Self::Model),
            _ => None,
        }
    }
}

/// What is answered.
pub(crate) struct Answer<'a> {
    pub(crate) turn: &'a Turn,
    /// The request.
    pub(crate) body: &'a Value,
    /// Different for every answer of a server.
    pub(crate) number: u64,
    /// Whether the first call's arguments are broken.
    pub(crate) broken: bool,
    /// Why it ends.
    pub(crate) stop: Stop,
}

/// Why an answer ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All is said.
    Said,
    /// The model refuses.
    Refusal,
    /// It may not be longer.
    Length,
}

impl Answer<'_> {
    /// The arguments of call `i` as text.
    pub(crate) fn arguments(&self, i: usize) -> String {
        let whole = self.turn.calls[i].1.to_string();
        match self.stop {
            _ if self.broken && i == 0 => "{\"path\": ".to_owned(),
            Stop::Length if i + 1 == self.turn.calls.len() => half(&whole).to_owned(),
            _ => whole,
        }
    }
    /// An id for call `i`.
    pub(crate) fn call_id(&self, prefix: &str, i: usize) -> String {
        format!("{prefix}_{}_{i}", self.number)
    }
    /// Number, id and name of each call.
    pub(crate) fn calls(&self, prefix: &str) -> impl Iterator<Item = (usize, String, &str)> {
        self.turn
            .calls
            .iter()
            .enumerate()
            .map(move |(i, (name, _))| (i, self.call_id(prefix, i), name.as_str()))
    }
}

/// An event with the name that its data carries.
pub(crate) fn named(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

/// A text in two parts, as if it had taken time to write.
pub(crate) fn halves(text: &str) -> [&str; 2] {
    let (a, b) = text.split_at(text.floor_char_boundary(text.len() / 3));
    [a, b]
}

/// The beginning of a text.
pub(crate) fn half(text: &str) -> &str {
    &text[..text.floor_char_boundary(text.len() / 2)]
}

/// The elements of a field that should be a list.
pub(crate) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// A field that should be text.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The text of a message's content, whether it is text or a list of blocks with text.
pub(crate) fn content(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        blocks => blocks.as_array().into_iter().flatten().map(|b| text(b, "text")).collect(),
    }
}

/// An error document of OpenAI.
pub(crate) fn openai_error(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", json!("invalid_api_key")),
        429 => ("requests", json!("rate_limit_exceeded")),
        400..=499 => ("invalid_request_error", Value::Null),
        _ => ("server_error", Value::Null),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// OpenAI's error of a conversation that is too long.
pub(crate) fn openai_too_long() -> Value {
    let mut error = openai_error(400, "Your input exceeds the context window of this model.");
    error["error"]["code"] = "context_length_exceeded".into();
    error
}
