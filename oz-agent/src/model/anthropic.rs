//! Anthropic's Messages API, and servers that speak it. Thinking blocks are kept as they came and handed back; the
//! provider's prompt cache is used for the tools, the system prompt and the whole conversation so far.

mod thinking;

use super::{
    arguments_object,
    endpoint::{Credential, Endpoint},
    refusal,
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
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

const NAME: &str = "anthropic";
const API_VERSION: &str = "2023-06-01";

#[derive(Debug)]
pub(super) struct Anthropic(Endpoint);

impl Anthropic {
    pub(super) fn new(base_url: &str, key: Option<String>, silence: Duration) -> Result<Self, Error> {
        let credential = key.map_or(Credential::None, |key| Credential::Header("x-api-key", key));
        let root = base_url.trim_end_matches('/').trim_end_matches("/v1");
        let endpoint = Endpoint::new(NAME, root, "/v1/messages", &credential, silence)?;
        Ok(Self(endpoint.header("anthropic-version", API_VERSION)))
    }
}

#[async_trait]
impl Model for Anthropic {
    fn provider(&self) -> &str {
        NAME
    }

    async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ModelError> {
        self.0.post(&body(request)?, Decoder::default()).await
    }
}

fn body(request: &ModelRequest) -> Result<Value, ModelError> {
    let mut tools: Vec<Value> = request
        .tools
        .iter()
        .map(|t| json!({ "name": t.name, "description": t.description, "input_schema": t.input_schema }))
        .collect();
    let mut body = json!({
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "stream": true,
        "messages": messages(&request.messages),
    });
    if !request.system.is_empty() {
        body["system"] = json!([cached(json!({ "type": "text", "text": request.system }))]);
    }
    if let Some(last) = tools.pop() {
        tools.push(cached(last));
        body["tools"] = tools.into();
    }
    thinking::ask(&mut body, request)?;
    Ok(body)
}

/// Marks a block as the end of a prefix worth caching.
fn cached(mut block: Value) -> Value {
    block["cache_control"] = json!({ "type": "ephemeral" });
    block
}

/// Messages in the wire's form: results of tools are part of the user's messages, and roles alternate.
fn messages(messages: &[ChatMessage]) -> Vec<Value> {
    let mut wire: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = match message {
            ChatMessage::User { text, images } => ("user", shown(text, images)),
            ChatMessage::Assistant { text, reasoning, calls } => ("assistant", said(text, reasoning, calls)),
            ChatMessage::Tool { results } => ("user", results.iter().map(result).collect()),
        };
        match wire.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, all)) if *last == role => all.extend(blocks),
            _ => wire.push((role, blocks)),
        }
    }
    // The last is for the next request; the one before it is where this request finds what the last one left.
    for (_, blocks) in wire.iter_mut().rev().filter(|(role, _)| *role == "user").take(2) {
        let last = blocks.pop().map(cached);
        blocks.extend(last);
    }
    wire.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect()
}

fn said(text: &str, reasoning: &[Value], calls: &[ToolCall]) -> Vec<Value> {
    let mut blocks = reasoning.to_vec();
    if !text.trim().is_empty() {
        blocks.push(json!({ "type": "text", "text": text }));
    }
    blocks.extend(calls.iter().map(|call| {
        json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(&call.arguments) })
    }));
    blocks
}

fn shown(text: &str, images: &[Image]) -> Vec<Value> {
    let source = |i: &Image| json!({ "type": "base64", "media_type": i.media_type, "data": i.data });
    let images = images.iter().map(|image| json!({ "type": "image", "source": source(image) }));
    images.chain((!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }))).collect()
}

fn result(result: &ToolResult) -> Value {
    let content = match (result.content.as_str(), result.images.as_slice()) {
        ("", []) => "(nothing)".into(),
        (text, []) => text.into(),
        (text, images) => Value::from(shown(text, images)),
    };
    json!({
        "type": "tool_result", "tool_use_id": result.call_id, "content": content, "is_error": result.is_error,
    })
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        index: u64,
        content_block: Value,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        #[serde(default)]
        delta: End,
        #[serde(default)]
        usage: Tokens,
    },
    MessageStop,
    Error {
        error: Problem,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    usage: Tokens,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default)]
struct End {
    stop_reason: Option<String>,
    #[serde(default)]
    stop_details: Option<Details>,
}

/// What the service says of a refusal.
#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    explanation: Option<String>,
}

#[derive(Deserialize, Default)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    message: String,
}

/// A content block as far as it has come; `arguments` collects the input of a tool call.
struct Block {
    value: Value,
    arguments: String,
}

#[derive(Default)]
struct Decoder {
    blocks: BTreeMap<u64, Block>,
    usage: Usage,
    stop: Option<String>,
    explanation: Option<String>,
}

impl Decode for Decoder {
    fn event(&mut self, data: &str, out: &mut VecDeque<StreamEvent>) -> Result<(), ModelError> {
        match serde_json::from_str(data).map_err(|e| sse::protocol(NAME, &e.to_string()))? {
            Event::MessageStart { message } => self.count(&message.usage, out),
            Event::ContentBlockStart { index, content_block } => {
                if let Some(text) = content_block["text"].as_str().filter(|text| !text.is_empty()) {
                    out.push_back(StreamEvent::Text(text.to_owned()));
                }
                self.blocks.insert(index, Block { value: content_block, arguments: String::new() });
            }
            Event::ContentBlockDelta { index, delta } => {
                let block = self.blocks.get_mut(&index);
                let block = block.ok_or_else(|| sse::protocol(NAME, "more of a block that never began"))?;
                block.append(delta, out);
            }
            Event::ContentBlockStop { index } => {
                if let Some(block) = self.blocks.remove(&index) {
                    out.extend(block.finished());
                }
            }
            Event::MessageDelta { delta, usage } => {
                self.stop = delta.stop_reason.or(self.stop.take());
                self.explanation = delta.stop_details.and_then(|details| details.explanation);
                self.count(&usage, out);
            }
            Event::MessageStop => out.push_back(StreamEvent::Stop(match self.stop.take().as_deref() {
                Some("end_turn" | "stop_sequence") | None => StopReason::EndTurn,
                Some("tool_use") => StopReason::ToolUse,
                Some("max_tokens" | "model_context_window_exceeded") => StopReason::MaxTokens,
                Some("refusal") => StopReason::Refusal(self.explanation.take()),
                Some(other) => StopReason::Other(other.to_owned()),
            })),
            Event::Error { error } => return Err(refusal::interrupted(NAME, &error.kind, &error.message)),
            Event::Other => {}
        }
        Ok(())
    }
}

impl Decoder {
    /// Later counts replace earlier ones, field by field.
    fn count(&mut self, tokens: &Tokens, out: &mut VecDeque<StreamEvent>) {
        let usage = &mut self.usage;
        usage.input_tokens = tokens.input_tokens.unwrap_or(usage.input_tokens);
        usage.output_tokens = tokens.output_tokens.unwrap_or(usage.output_tokens);
        usage.cache_read_tokens = tokens.cache_read_input_tokens.unwrap_or(usage.cache_read_tokens);
        usage.cache_write_tokens = tokens.cache_creation_input_tokens.unwrap_or(usage.cache_write_tokens);
        out.push_back(StreamEvent::Usage(usage.clone()));
    }
}

impl Block {
    fn append(&mut self, delta: Delta, out: &mut VecDeque<StreamEvent>) {
        match delta {
            Delta::Text { text } => out.push_back(StreamEvent::Text(text)),
            Delta::Thinking { thinking } => {
                self.extend("thinking", &thinking);
                out.push_back(StreamEvent::Reasoning(thinking));
            }
            Delta::Signature { signature } => self.extend("signature", &signature),
            Delta::Input { partial_json } => self.arguments.push_str(&partial_json),
            Delta::Other => {}
        }
    }

    fn extend(&mut self, field: &str, more: &str) {
        let so_far = self.value[field].as_str().unwrap_or_default();
        self.value[field] = format!("{so_far}{more}").into();
    }

    fn finished(self) -> Option<StreamEvent> {
        let text = |field: &str| self.value[field].as_str().unwrap_or_default().to_owned();
        match self.value["type"].as_str() {
            Some("tool_use") => {
                let (id, name) = (text("id"), text("name"));
                let arguments = match self.arguments.trim().is_empty() {
                    true => self.value.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
                    false => self.arguments,
                };
                Some(StreamEvent::ToolCall(ToolCall { id, name, arguments }))
            }
            Some("thinking" | "redacted_thinking") => Some(StreamEvent::ReasoningBlock(self.value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::conversation;

    #[test]
    fn the_request_alternates_roles_hands_back_thinking_and_marks_what_to_cache() {
        let thinking = json!({ "type": "thinking", "thinking": "hm", "signature": "s" });
        let body = body(&conversation(vec![thinking.clone()])).unwrap();
        assert_eq!((&body["stream"], &body["max_tokens"]), (&true.into(), &64.into()));
        assert_eq!(body["system"][0]["cache_control"]["type"], "ephemeral");
        assert_eq!(body["tools"][0]["input_schema"]["type"], "object");
        let messages = body["messages"].as_array().unwrap();
        let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant", "user"]);
        assert_eq!(messages[1]["content"][0], thinking);
        assert_eq!(messages[1]["content"][1]["text"], "I look.");
        assert_eq!(messages[1]["content"][2]["input"], json!({ "command": "ls" }));
        assert_eq!(messages[1]["content"][3]["input"], json!({}), "malformed arguments become an object");
        assert_eq!(messages[2]["content"][0]["tool_use_id"], "c1");
        assert_eq!(messages[2]["content"][1]["is_error"], true);
        assert_eq!(messages[2]["content"][2]["text"], "And hurry.");
        assert_eq!(messages[2]["content"][2]["cache_control"]["type"], "ephemeral");
        assert_eq!(messages[0]["content"][0]["cache_control"]["type"], "ephemeral");
        assert_eq!(body["tools"][0]["cache_control"]["type"], "ephemeral");
        assert!(body.get("thinking").is_none(), "nobody asked for it");
    }

    #[test]
    fn only_the_last_two_of_the_user_are_marked_and_never_more_than_four_places() {
        let mut request = conversation(vec![]);
        let more = request.messages.clone();
        (0..3).for_each(|_| request.messages.extend(more.clone()));
        let body = body(&request).unwrap();
        assert_eq!(body.to_string().matches("cache_control").count(), 4);
        let messages = body["messages"].as_array().unwrap();
        let marked = |m: &&Value| m.to_string().contains("cache_control");
        assert_eq!(messages.iter().rev().take(3).filter(marked).count(), 2);
    }

    #[test]
    fn pictures_go_with_messages_and_inside_of_results() {
        let image = Image { media_type: "image/png".into(), data: "aGk=".into() };
        let source = json!({ "type": "base64", "media_type": "image/png", "data": "aGk=" });
        let mut request = conversation(vec![]);
        for message in &mut request.messages {
            match message {
                ChatMessage::User { images, .. } => images.push(image.clone()),
                ChatMessage::Tool { results } => results[0].images.push(image.clone()),
                ChatMessage::Assistant { .. } => {}
            }
        }
        let messages = body(&request).unwrap()["messages"].clone();
        assert_eq!(messages[0]["content"][0], json!({ "type": "image", "source": source }));
        assert_eq!(messages[0]["content"][1]["type"], "text");
        let result = &messages[2]["content"][0];
        assert_eq!((&result["type"], &result["content"][0]["source"]), (&"tool_result".into(), &source));
        assert_eq!(result["content"][1]["type"], "text");
        assert!(messages[2]["content"][1]["content"].is_string());
    }
}
