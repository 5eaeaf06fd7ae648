//! Anthropic Messages.

use crate::{
    check::{Check, header},
    service::error,
    wire::{Answer, Said, Stop, Wire, halves, list, named, text},
};
use axum::{http::HeaderMap, response::Response};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The most places in a request at which its prefix may be cached.
const MAX_CACHED: usize = 4;

pub(crate) struct Anthropic;

impl Wire for Anthropic {
    const PATH: &str = "/v1/messages";

    fn caller(headers: &HeaderMap, check: &mut Check) {
        for name in ["x-api-key", "anthropic-version"] {
            check.must(!header(headers, name).is_empty(), format!("{name} is missing"));
        }
    }

    fn check(body: &Value, check: &mut Check) {
        check.required(body, "model");
        check.must(!body["max_tokens"].is_null(), "max_tokens is missing");
        check.tokens(body, "max_tokens", 1);
        check.must(
            body.to_string().matches("\"cache_control\":{").count() <= MAX_CACHED,
            "more than 4 cached places",
        );
        list(body, "system").iter().for_each(|block| said(block, check));
        for tool in list(body, "tools") {
            check.tool(&tool["name"], &tool["input_schema"]);
        }
        let messages = list(body, "messages");
        check.must(!messages.is_empty(), "there are no messages");
        for (i, message) in messages.iter().enumerate() {
            let expected = if i % 2 == 0 { "user" } else { "assistant" };
            check.ours(message["role"] == expected, format!("message {i} is not the {expected}'s"));
            let legal = ["user", "assistant", "system"].contains(&text(message, "role"));
            check.must(legal, format!("the role of message {i} is not legal"));
            blocks(message, check);
        }
    }

    fn said(body: &Value) -> Vec<Said> {
        list(body, "messages").iter().filter_map(Said::message).collect()
    }

    fn whole(answer: &Answer<'_>) -> Value {
        let turn = answer.turn;
        let mut content = Vec::new();
        if !turn.reasoning.is_empty() {
            content.push(thinking(&turn.reasoning));
        }
        if !turn.text.is_empty() {
            content.push(json!({ "type": "text", "text": turn.text }));
        }
        content.extend(answer.calls("toolu").map(|(i, id, name)| {
            // A whole answer is parsed already, so broken arguments show as an object that means nothing.
            let input = serde_json::from_str(&answer.arguments(i)).unwrap_or_else(|_| json!({}));
            json!({ "type": "tool_use", "id": id, "name": name, "input": input })
        }));
        let mut whole = message(answer, &content, Some(stop(answer)), turn.tokens.1);
        whole["stop_details"] = stop_details(answer);
        whole
    }

    fn events(answer: &Answer<'_>) -> Vec<String> {
        let turn = answer.turn;
        let mut events = vec![
            json!({ "type": "message_start", "message": message(answer, &[], None, 1) }),
            json!({ "type": "ping" }),
        ];
        let mut index = 0;
        let mut block = |start: Value, deltas: Vec<Value>| {
            events.push(json!({ "type": "content_block_start", "index": index, "content_block": start }));
            events.extend(
                deltas
                    .into_iter()
                    .map(|d| json!({ "type": "content_block_delta", "index": index, "delta": d })),
            );
            events.push(json!({ "type": "content_block_stop", "index": index }));
            index += 1;
        };
        if !turn.reasoning.is_empty() {
            block(
                json!({ "type": "thinking", "thinking": "", "signature": "" }),
                halves(&turn.reasoning)
                    .map(|part| json!({ "type": "thinking_delta", "thinking": part }))
                    .into_iter()
                    .chain([json!({ "type": "signature_delta", "signature": signature(&turn.reasoning) })])
                    .collect(),
            );
        }
        if !turn.text.is_empty() {
            let words = turn.text.split_inclusive(' ');
            block(
                json!({ "type": "text", "text": "" }),
                words.map(|word| json!({ "type": "text_delta", "text": word })).collect(),
            );
        }
        for (i, id, name) in answer.calls("toolu") {
            block(
                json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
                halves(&answer.arguments(i))
                    .map(|part| json!({ "type": "input_json_delta", "partial_json": part }))
                    .to_vec(),
            );
        }
        events.push(json!({
            "type": "message_delta", "delta": {
                "stop_reason": stop(answer), "stop_sequence": null, "stop_details": stop_details(answer),
            },
            "usage": { "output_tokens": turn.tokens.1 },
        }));
        events.push(json!({ "type": "message_stop" }));
        events.iter().map(named).collect()
    }

    fn error(status: u16, message: &str) -> Value {
        let kind = match status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            400..=499 => "invalid_request_error",
            _ => "api_error",
        };
        json!({ "type": "error", "error": { "type": kind, "message": message } })
    }

    fn wrong_key() -> Response {
        error::<Self>(401, "invalid x-api-key")
    }

    fn too_long() -> Value {
        Self::error(400, "prompt is too long: 210000 tokens > 200000 maximum")
    }

    fn overloaded() -> String {
        named(&Self::error(529, "Overloaded"))
    }
}

fn message(answer: &Answer<'_>, content: &[Value], stop: Option<&str>, written: u64) -> Value {
    json!({
        "id": format!("msg_{}", answer.number), "type": "message", "role": "assistant", "model": answer.body["model"],
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": {
            "input_tokens": answer.turn.tokens.0, "output_tokens": written,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        },
    })
}

fn stop(answer: &Answer<'_>) -> &'static str {
    match answer.stop {
        Stop::Refusal => "refusal",
        Stop::Length => "max_tokens",
        Stop::Said if answer.turn.calls.is_empty() => "end_turn",
        Stop::Said => "tool_use",
    }
}

/// What the service says of a refusal; it is not part of what the model says.
fn stop_details(answer: &Answer<'_>) -> Value {
    match answer.stop {
        Stop::Refusal => json!({
            "type": "refusal", "category": "cyber",
            "explanation": "This request was declined because it could enable cyber harm.",
        }),
        Stop::Said | Stop::Length => Value::Null,
    }
}

fn thinking(text: &str) -> Value {
    json!({ "type": "thinking", "thinking": text, "signature": signature(text) })
}

/// Proves that nobody changed a thought.
fn signature(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("sig-{:016x}", hasher.finish())
}

/// Checks a message's content: first results, then the rest; calls last in an answer.
fn blocks(message: &Value, check: &mut Check) {
    if let Some(text) = message["content"].as_str() {
        check.settled("a text");
        return check.must(!text.trim().is_empty(), "an empty message");
    }
    let blocks = list(message, "content");
    check.must(!blocks.is_empty(), "a message without content");
    let mine = message["role"] == "assistant";
    for block in blocks {
        let kind = text(block, "type");
        match kind {
            "tool_result" if !mine => {
                check.result(text(block, "tool_use_id"));
                list(block, "content").iter().for_each(|part| shown(part, check));
            }
            "image" if !mine => shown(block, check),
            "tool_use" if mine => {}
            "image" | "document" if check.is_foreign() && message["role"] == "user" => {}
            "thinking" if mine => {
                let good = block["signature"] == *signature(text(block, "thinking"));
                check.must(good, "the signature of a thinking block does not fit it");
            }
            _ => said(block, check),
        }
        if kind != "tool_result" {
            check.settled(kind);
        }
    }
    for call in blocks.iter().filter(|b| b["type"] == "tool_use") {
        check.must(call["input"].is_object(), "the input of a tool_use is not an object");
        check.call(text(call, "id"), text(call, "name"));
    }
}

/// A picture, or a block of text.
fn shown(block: &Value, check: &mut Check) {
    if block["type"] != "image" {
        return said(block, check);
    }
    let source = &block["source"];
    check.must(source["type"] == "base64", "a picture that is not in Base64");
    let kind = text(source, "media_type");
    let legal = ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&kind);
    check.must(legal, format!("a picture of the kind '{kind}'"));
    check.must(!text(source, "data").is_empty(), "a picture without data");
}

/// A block of text.
fn said(block: &Value, check: &mut Check) {
    check.must(block["type"] == "text", format!("a block of type {} is not legal here", block["type"]));
    check.must(!text(block, "text").trim().is_empty(), "an empty text block");
}
