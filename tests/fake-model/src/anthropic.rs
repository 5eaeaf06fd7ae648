//! Anthropic Messages.

use crate::{Shape, arguments, check, next, respond, text};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

pub(crate) async fn answer(State(server): Shape, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let answers = messages.iter().filter(|m| m["role"] == "assistant").count();
    let (turn, fault) = match next(&server, "/v1/messages", &body, answers, problems(&headers, &body)) {
        Ok(found) => found,
        Err(why) => {
            let error =
                json!({ "type": "error", "error": { "type": "invalid_request_error", "message": why } });
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
    };
    let event =
        |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default());
    let mut events = vec![event(json!({
        "type": "message_start",
        "message": { "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": body["model"],
            "stop_reason": null, "usage": { "input_tokens": turn.tokens.0, "output_tokens": 1 } }
    }))];
    let mut index = 0;
    if !turn.text.is_empty() {
        events.push(event(json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } })));
        for word in turn.text.split_inclusive(' ') {
            events.push(event(json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": word } })));
        }
        events.push(event(json!({ "type": "content_block_stop", "index": 0 })));
        index = 1;
    }
    for (i, (name, _)) in turn.calls.iter().enumerate() {
        let id = format!("toolu_{answers}_{i}");
        events.push(event(json!({ "type": "content_block_start", "index": index,
            "content_block": { "type": "tool_use", "id": id, "name": name, "input": {} } })));
        let all = arguments(&turn, i, fault.as_ref());
        let (a, b) = all.split_at(all.len() / 3);
        for part in [a, b] {
            events.push(event(json!({ "type": "content_block_delta", "index": index,
                "delta": { "type": "input_json_delta", "partial_json": part } })));
        }
        events.push(event(json!({ "type": "content_block_stop", "index": index })));
        index += 1;
    }
    let stop = if turn.calls.is_empty() { "end_turn" } else { "tool_use" };
    events.push(event(json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": turn.tokens.1 } })));
    events.push(event(json!({ "type": "message_stop" })));
    respond(fault.as_ref(), &events)
}

fn problems(headers: &HeaderMap, body: &Value) -> Vec<String> {
    let mut pairs = check::Pairs::new();
    let mut problems = Vec::new();
    if text(headers, "x-api-key").is_empty() {
        problems.push("x-api-key is missing".to_owned());
    }
    if text(headers, "anthropic-version").is_empty() {
        problems.push("anthropic-version is missing".to_owned());
    }
    if body["max_tokens"].as_u64().unwrap_or(0) == 0 || body["model"].as_str().unwrap_or_default().is_empty()
    {
        problems.push("max_tokens and model are required".to_owned());
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        check::tool(&tool["name"], &tool["input_schema"], &mut problems);
    }
    let mut last = "";
    for message in body["messages"].as_array().into_iter().flatten() {
        let role = message["role"].as_str().unwrap_or_default();
        if !["user", "assistant"].contains(&role) || (last.is_empty() && role != "user") {
            problems.push(format!("the role '{role}' is not legal here"));
        }
        last = role;
        let blocks = message["content"].as_array().cloned().unwrap_or_default();
        if blocks.is_empty() && message["content"].as_str().unwrap_or_default().is_empty() {
            problems.push("a message without content".to_owned());
        }
        for block in &blocks {
            match block["type"].as_str().unwrap_or_default() {
                "tool_result" => pairs.result(block["tool_use_id"].as_str().unwrap_or_default()),
                kind => {
                    pairs.settled(kind);
                    if kind == "text" && block["text"].as_str().unwrap_or_default().is_empty() {
                        problems.push("an empty text block".to_owned());
                    }
                }
            }
        }
        for call in blocks.iter().filter(|b| b["type"] == "tool_use") {
            if !call["input"].is_object() {
                problems.push("the input of a tool_use is not an object".to_owned());
            }
            pairs.call(call["id"].as_str().unwrap_or_default());
        }
    }
    pairs.settled("the end");
    problems.extend(pairs.problems);
    problems
}
