//! OpenAI's Responses API. Nothing is stored at the provider: encrypted reasoning comes with each answer and is handed
//! back with the next request.

use super::{
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
use std::{collections::VecDeque, time::Duration};

const NAME: &str = "openai";

#[derive(Debug)]
pub(super) struct Responses(Endpoint);

impl Responses {
    pub(super) fn new(base_url: &str, key: Option<String>, silence: Duration) -> Result<Self, Error> {
        let credential = key.map_or(Credential::None, Credential::Bearer);
        Endpoint::new(NAME, base_url, "/responses", &credential, silence).map(Self)
    }
}

#[async_trait]
impl Model for Responses {
    fn provider(&self) -> &str {
        NAME
    }

    async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ModelError> {
        self.0.post(&body(request), Decoder::default()).await
    }
}

fn body(request: &ModelRequest) -> Value {
    let tools: Vec<Value> = request
        .tools
        .iter()
        .map(|t| {
            json!({
                "type": "function", "name": t.name, "description": t.description,
                "parameters": t.input_schema, "strict": false,
            })
        })
        .collect();
    let mut body = json!({
        "model": request.model,
        "instructions": request.system,
        "input": request.messages.iter().flat_map(items).collect::<Vec<_>>(),
        "max_output_tokens": request.max_output_tokens,
        "store": false,
        "stream": true,
    });
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    // Other models refuse a request that asks for it.
    if reasons(&request.model) {
        body["include"] = json!(["reasoning.encrypted_content"]);
        if let Some(level) = &request.reasoning_level {
            body["reasoning"] = json!({ "effort": level });
        }
    }
    body
}

/// Whether a model is one that thinks before it answers, by its name.
pub(super) fn reasons(model: &str) -> bool {
    let o_series = model.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    o_series || model.starts_with("gpt-5") || model.starts_with("codex")
}

fn items(message: &ChatMessage) -> Vec<Value> {
    let spoken = |role: &str, kind: &str, text: &str| json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] });
    match message {
        ChatMessage::User { text, images } => {
            vec![json!({ "type": "message", "role": "user", "content": shown(text, images) })]
        }
        ChatMessage::Assistant { text, reasoning, calls } => {
            let mut items = reasoning.clone();
            if !text.is_empty() {
                items.push(spoken("assistant", "output_text", text));
            }
            items.extend(calls.iter().map(|call| {
                json!({
                    "type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments,
                })
            }));
            items
        }
        ChatMessage::Tool { results } => results
            .iter()
            .map(|r| json!({ "type": "function_call_output", "call_id": r.call_id, "output": output(r) }))
            .collect(),
    }
}

fn output(result: &ToolResult) -> Value {
    match result.images.as_slice() {
        [] => result.content.as_str().into(),
        images => shown(&result.content, images).into(),
    }
}

/// A text with pictures.
fn shown(text: &str, images: &[Image]) -> Vec<Value> {
    let text = json!({ "type": "input_text", "text": text });
    let images = images.iter().map(|i| json!({ "type": "input_image", "image_url": i.data_url() }));
    std::iter::once(text).chain(images).collect()
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.output_text.delta", alias = "response.refusal.delta")]
    Text { delta: String },
    #[serde(rename = "response.reasoning_summary_text.delta", alias = "response.reasoning_text.delta")]
    Reasoning { delta: String },
    #[serde(rename = "response.output_item.done")]
    Item { item: Value },
    #[serde(rename = "response.completed")]
    Completed { response: Response },
    #[serde(rename = "response.incomplete")]
    Incomplete { response: Response },
    #[serde(rename = "response.failed")]
    Failed { response: Response },
    #[serde(rename = "error")]
    Error(Problem),
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Response {
    usage: Option<Tokens>,
    error: Option<Problem>,
    incomplete_details: Option<Incomplete>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    input_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: u64,
}

#[derive(Default)]
struct Decoder {
    /// Whether the current message's text came in pieces.
    streamed: bool,
    called: bool,
    refused: bool,
}

impl Decode for Decoder {
    fn event(&mut self, data: &str, out: &mut VecDeque<StreamEvent>) -> Result<(), ModelError> {
        match serde_json::from_str(data).map_err(|e| sse::protocol(NAME, &e.to_string()))? {
            Event::Text { delta } => {
                self.streamed = true;
                out.push_back(StreamEvent::Text(delta));
            }
            Event::Reasoning { delta } => out.push_back(StreamEvent::Reasoning(delta)),
            Event::Item { item } => self.item(item, out),
            Event::Completed { response } => {
                let stop = match (self.refused, self.called) {
                    (true, _) => StopReason::Refusal(None),
                    (false, true) => StopReason::ToolUse,
                    (false, false) => StopReason::EndTurn,
                };
                out.extend(response.usage.as_ref().map(count));
                out.push_back(StreamEvent::Stop(stop));
            }
            Event::Incomplete { response } => {
                let reason = response.incomplete_details.and_then(|d| d.reason).unwrap_or_default();
                out.extend(response.usage.as_ref().map(count));
                out.push_back(StreamEvent::Stop(match reason.as_str() {
                    "max_output_tokens" => StopReason::MaxTokens,
                    "content_filter" => StopReason::Refusal(None),
                    _ => StopReason::Other(reason),
                }));
            }
            Event::Failed { response } => return Err(problem(response.error.unwrap_or_default())),
            Event::Error(error) => return Err(problem(error)),
            Event::Other => {}
        }
        Ok(())
    }
}

impl Decoder {
    fn item(&mut self, item: Value, out: &mut VecDeque<StreamEvent>) {
        let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
        match item["type"].as_str() {
            Some("function_call") => {
                self.called = true;
                let (id, name, arguments) = (text("call_id"), text("name"), text("arguments"));
                out.push_back(StreamEvent::ToolCall(ToolCall { id, name, arguments }));
            }
            Some("reasoning") => out.push_back(StreamEvent::ReasoningBlock(item)),
            Some("message") => {
                let whole = !std::mem::take(&mut self.streamed);
                for part in item["content"].as_array().into_iter().flatten() {
                    self.refused |= part["type"] == "refusal";
                    let text = part["text"].as_str().or(part["refusal"].as_str());
                    if let Some(text) = text.filter(|_| whole) {
                        out.push_back(StreamEvent::Text(text.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
}

fn problem(error: Problem) -> ModelError {
    let word = error.code.unwrap_or_else(|| "server_error".to_owned());
    refusal::interrupted(NAME, &word, &error.message.unwrap_or_default())
}

/// The wire counts cached tokens among the input; we don't.
fn count(tokens: &Tokens) -> StreamEvent {
    let cached = tokens.input_tokens_details.as_ref().map_or(0, |d| d.cached_tokens);
    StreamEvent::Usage(Usage {
        input_tokens: tokens.input_tokens.saturating_sub(cached),
        cache_read_tokens: cached,
        output_tokens: tokens.output_tokens,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::conversation;

    #[test]
    fn the_request_stores_nothing_and_hands_back_reasoning() {
        let reasoning = json!({ "type": "reasoning", "id": "rs_1", "encrypted_content": "x", "summary": [] });
        let mut request = conversation(vec![reasoning.clone()]);
        request.model = "gpt-5".into();
        let body = body(&request);
        assert_eq!((&body["store"], &body["instructions"]), (&false.into(), &"Be good.".into()));
        assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
        let input = body["input"].as_array().unwrap();
        let kinds: Vec<_> = input.iter().map(|i| i["type"].as_str().unwrap()).collect();
        let (call, output) = ("function_call", "function_call_output");
        assert_eq!(kinds, ["message", "reasoning", "message", call, call, output, output, "message"]);
        assert_eq!(input[1], reasoning);
        assert_eq!(input[3]["arguments"], r#"{"command":"ls"}"#);
    }

    #[test]
    fn pictures_go_along_and_who_reasons_is_told_how_hard() {
        let image = Image { media_type: "image/png".into(), data: "aGk=".into() };
        let picture = json!({ "type": "input_image", "image_url": "data:image/png;base64,aGk=" });
        let mut request = conversation(vec![]);
        request.reasoning_level = Some("high".into());
        for message in &mut request.messages {
            match message {
                ChatMessage::User { images, .. } => images.push(image.clone()),
                ChatMessage::Tool { results } => results[0].images.push(image.clone()),
                ChatMessage::Assistant { .. } => {}
            }
        }
        for (model, effort) in [("gpt-5.1", json!("high")), ("gpt-4.1", Value::Null)] {
            request.model = model.into();
            let body = body(&request);
            assert_eq!(body["reasoning"]["effort"], effort, "{model}");
            assert_eq!(body["input"][0]["content"][1], picture);
            let outputs: Vec<_> = body["input"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|i| i["type"] == "function_call_output")
                .collect();
            assert_eq!(outputs[0]["output"][1], picture);
            assert!(outputs[1]["output"].is_string());
        }
    }

    #[test]
    fn only_models_that_reason_are_asked_for_it() {
        for (model, expected) in
            [("o3", true), ("o4-mini", true), ("gpt-5.1", true), ("gpt-4.1", false), ("opus", false)]
        {
            assert_eq!(reasons(model), expected, "{model}");
        }
    }
}
