//! Chat Completions as OpenAI defined it and as many servers, local ones among them, more or less speak it. It forgives
//! what they get wrong where the meaning is clear, and nothing else.

use super::{
    arguments_object,
    endpoint::{Credential, Endpoint},
    refusal, responses,
    sse::{self, Decode},
};
use async_trait::async_trait;
use oz_core::{
    Error,
    model::{
        ChatMessage, Image, Model, ModelError, ModelRequest, ModelStream, StopReason, StreamEvent, ToolCall,
        ToolResult,
    },
    usage::Usage,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};

const END: &str = "[DONE]";

#[derive(Debug)]
pub(super) struct Chat {
    name: &'static str,
    endpoint: Endpoint,
    /// Newer models of OpenAI refuse the name that everybody else knows.
    limit_field: &'static str,
}

impl Chat {
    /// The server at `base_url`, which `name` stands for in messages.
    pub(super) fn new(
        name: &'static str,
        base_url: &str,
        key: Option<String>,
        silence: Duration,
    ) -> Result<Self, Error> {
        let credential = key.map_or(Credential::None, Credential::Bearer);
        let endpoint = Endpoint::new(name, base_url, "/chat/completions", &credential, silence)?;
        let openai = base_url.contains("://api.openai.com");
        Ok(Self { name, endpoint, limit_field: if openai { "max_completion_tokens" } else { "max_tokens" } })
    }
}

#[async_trait]
impl Model for Chat {
    fn provider(&self) -> &str {
        self.name
    }

    async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ModelError> {
        let mut body = body(request);
        body[self.limit_field] = request.max_output_tokens.into();
        // OpenAI's other models refuse it.
        let thinks = self.limit_field == "max_tokens" || responses::reasons(&request.model);
        if let Some(level) = request.reasoning_level.as_ref().filter(|_| thinks) {
            body["reasoning_effort"] = level.as_str().into();
        }
        self.endpoint.post(&body, Decoder { name: self.name, ..Decoder::default() }).await
    }
}

fn body(request: &ModelRequest) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": request.system })];
    messages.extend(request.messages.iter().flat_map(wire));
    let mut body = json!({
        "model": request.model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if !request.tools.is_empty() {
        let tool = |t: &oz_core::model::ToolSpec| json!({ "name": t.name, "description": t.description, "parameters": t.input_schema });
        let tools = request.tools.iter().map(|t| json!({ "type": "function", "function": tool(t) }));
        body["tools"] = tools.collect::<Vec<_>>().into();
    }
    body
}

fn wire(message: &ChatMessage) -> Vec<Value> {
    match message {
        ChatMessage::User { text, images } if images.is_empty() => {
            vec![json!({ "role": "user", "content": text })]
        }
        ChatMessage::User { text, images } => vec![shown(text, images)],
        ChatMessage::Assistant { text, calls, .. } if text.is_empty() && calls.is_empty() => Vec::new(),
        ChatMessage::Assistant { text, calls, .. } => {
            let mut message = json!({ "role": "assistant", "content": text });
            if !calls.is_empty() {
                message["tool_calls"] = calls.iter().map(wire_call).collect::<Vec<_>>().into();
            }
            vec![message]
        }
        ChatMessage::Tool { results } => {
            let result =
                |r: &ToolResult| json!({ "role": "tool", "tool_call_id": r.call_id, "content": r.content });
            let mut messages: Vec<Value> = results.iter().map(result).collect();
            // Results can't hold pictures here.
            let images: Vec<Image> = results.iter().flat_map(|r| r.images.clone()).collect();
            if !images.is_empty() {
                messages.push(shown("The pictures that the tools returned:", &images));
            }
            messages
        }
    }
}

/// A message of the user with pictures.
fn shown(text: &str, images: &[Image]) -> Value {
    let text = json!({ "type": "text", "text": text });
    let images = images.iter().map(|i| json!({ "type": "image_url", "image_url": { "url": i.data_url() } }));
    json!({ "role": "user", "content": std::iter::once(text).chain(images).collect::<Vec<_>>() })
}

/// Servers that put calls into a prompt parse the arguments and fail on what is no JSON.
fn wire_call(call: &ToolCall) -> Value {
    let arguments = Value::Object(arguments_object(&call.arguments)).to_string();
    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    reasoning_content: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Piece>>,
}

/// A tool call or a part of one.
#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<Function>,
}

#[derive(Deserialize, Default)]
struct Function {
    #[serde(default)]
    name: Option<String>,
    /// A string, but some servers send the object itself.
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Default)]
struct Decoder {
    name: &'static str,
    calls: Vec<Open>,
    finish: Option<String>,
    refused: bool,
}

/// A tool call as far as it has come.
struct Open {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

impl Decode for Decoder {
    fn event(&mut self, data: &str, out: &mut VecDeque<StreamEvent>) -> Result<(), ModelError> {
        if data.trim() == END {
            self.stop(out);
            return Ok(());
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|e| sse::protocol(self.name, &e.to_string()))?;
        if let Some(error) = chunk.error {
            let text = |field: &str| match &error[field] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let message = error.as_str().map_or_else(|| text("message"), str::to_owned);
            let word = [text("code"), text("type")].into_iter().find(|w| !w.is_empty());
            return Err(refusal::interrupted(
                self.name,
                &word.unwrap_or_else(|| "an error".into()),
                &message,
            ));
        }
        out.extend(chunk.usage.as_ref().map(count));
        for choice in chunk.choices {
            if let Some(delta) = choice.delta {
                self.delta(delta, out);
            }
            self.finish = choice.finish_reason.or(self.finish.take());
        }
        Ok(())
    }

    fn end(&mut self, out: &mut VecDeque<StreamEvent>) {
        // Some servers close without a word after the last piece.
        if self.finish.is_some() {
            self.stop(out);
        }
    }
}

impl Decoder {
    fn delta(&mut self, delta: Delta, out: &mut VecDeque<StreamEvent>) {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let reasoning = some(delta.reasoning_content).or(some(delta.reasoning));
        out.extend(reasoning.map(StreamEvent::Reasoning));
        out.extend(some(delta.content).map(StreamEvent::Text));
        if let Some(refusal) = some(delta.refusal) {
            self.refused = true;
            out.push_back(StreamEvent::Text(refusal));
        }
        for piece in delta.tool_calls.into_iter().flatten() {
            self.piece(piece);
        }
    }

    /// Adds a piece to the call it belongs to. Some servers number every call 0 or not at all, so another id, or a name
    /// where the arguments are whole already, begins a new call.
    fn piece(&mut self, piece: Piece) {
        let function = piece.function.unwrap_or_default();
        let name = function.name.filter(|name| !name.is_empty());
        let id = piece.id.filter(|id| !id.is_empty());
        let same = |open: &Open| match (&piece.index, &open.index) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        let begins = |open: &Open| match &id {
            Some(id) => *id != open.id,
            None => name.is_some() && serde_json::from_str::<Value>(&open.arguments).is_ok(),
        };
        let place = self.calls.iter().rposition(same).filter(|at| !begins(&self.calls[*at]));
        let place = place.unwrap_or_else(|| {
            let id = id.unwrap_or_else(|| format!("call_{}", uuid::Uuid::new_v4().simple()));
            let open = Open { index: piece.index, id, name: String::new(), arguments: String::new() };
            self.calls.push(open);
            self.calls.len() - 1
        });
        let open = &mut self.calls[place];
        open.name.push_str(&name.unwrap_or_default());
        match function.arguments {
            Value::Null => {}
            Value::String(more) => open.arguments.push_str(&more),
            whole => open.arguments.push_str(&whole.to_string()),
        }
    }

    fn stop(&mut self, out: &mut VecDeque<StreamEvent>) {
        let calls = std::mem::take(&mut self.calls);
        let called = !calls.is_empty();
        out.extend(calls.into_iter().map(|open| {
            let arguments = if open.arguments.trim().is_empty() { "{}".to_owned() } else { open.arguments };
            StreamEvent::ToolCall(ToolCall { id: open.id, name: open.name, arguments })
        }));
        out.push_back(StreamEvent::Stop(match self.finish.take().as_deref() {
            Some("length") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal(None),
            _ if self.refused => StopReason::Refusal(None),
            _ if called => StopReason::ToolUse,
            Some("stop" | "tool_calls" | "function_call") | None => StopReason::EndTurn,
            Some(other) => StopReason::Other(other.to_owned()),
        }));
    }
}

/// The wire counts cached tokens among the prompt; we don't.
fn count(tokens: &Tokens) -> StreamEvent {
    let cached = tokens.prompt_tokens_details.as_ref().and_then(|d| d.cached_tokens).unwrap_or(0);
    StreamEvent::Usage(Usage {
        input_tokens: tokens.prompt_tokens.saturating_sub(cached),
        cache_read_tokens: cached,
        output_tokens: tokens.completion_tokens,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests;
