//! OpenAI Chat Completions.

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
    let (turn, fault) = match next(&server, "/v1/chat/completions", &body, answers, problems(&headers, &body))
    {
        Ok(found) => found,
        Err(why) => {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({ "error": { "message": why, "type": "invalid_request_error" } })),
            )
                .into_response();
        }
    };
    let event = |data: Value| format!("data: {data}\n\n");
    let chunk = |delta: Value, finish: Value| {
        event(
            json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }),
        )
    };
    let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    for word in turn.text.split_inclusive(' ') {
        events.push(chunk(json!({ "content": word }), Value::Null));
    }
    for (i, (name, _)) in turn.calls.iter().enumerate() {
        let id = format!("call_{answers}_{i}");
        events.push(chunk(json!({ "tool_calls": [{ "index": i, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }] }), Value::Null));
        let all = arguments(&turn, i, fault.as_ref());
        let (a, b) = all.split_at(all.len() / 2);
        for part in [a, b] {
            events.push(chunk(
                json!({ "tool_calls": [{ "index": i, "function": { "arguments": part } }] }),
                Value::Null,
            ));
        }
    }
    let finish = if turn.calls.is_empty() { "stop" } else { "tool_calls" };
    events.push(chunk(json!({}), finish.into()));
    events.push(event(json!({ "choices": [], "usage": { "prompt_tokens": turn.tokens.0, "completion_tokens": turn.tokens.1 } })));
    events.push("data: [DONE]\n\n".to_owned());
    respond(fault.as_ref(), &events)
}

fn problems(headers: &HeaderMap, body: &Value) -> Vec<String> {
    let mut pairs = check::Pairs::new();
    let mut problems = Vec::new();
    if !text(headers, "authorization").starts_with("Bearer ") {
        problems.push("the bearer key is missing".to_owned());
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        check::tool(&tool["function"]["name"], &tool["function"]["parameters"], &mut problems);
    }
    for message in body["messages"].as_array().into_iter().flatten() {
        match message["role"].as_str().unwrap_or_default() {
            "tool" => pairs.result(message["tool_call_id"].as_str().unwrap_or_default()),
            role @ ("system" | "developer" | "user" | "assistant") => pairs.settled(role),
            role => problems.push(format!("the role '{role}' is not legal")),
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            pairs.call(call["id"].as_str().unwrap_or_default());
        }
    }
    pairs.settled("the end");
    problems.extend(pairs.problems);
    problems
}
