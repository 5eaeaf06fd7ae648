//! OpenAI Responses.

use crate::{Shape, arguments, check, next, respond, text};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

pub(crate) async fn answer(State(server): Shape, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let answers = answers(&body);
    let (turn, fault) = match next(&server, "/v1/responses", &body, answers, problems(&headers, &body)) {
        Ok(found) => found,
        Err(why) => {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({ "error": { "message": why, "type": "invalid_request_error" } })),
            )
                .into_response();
        }
    };
    let event =
        |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default());
    let mut events = vec![event(
        json!({ "type": "response.created", "response": { "id": "resp_1", "status": "in_progress" } }),
    )];
    let mut output = Vec::new();
    if !turn.text.is_empty() {
        for word in turn.text.split_inclusive(' ') {
            events.push(event(json!({ "type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": word })));
        }
        let item = json!({ "type": "message", "id": "m", "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": turn.text, "annotations": [] }] });
        events.push(event(json!({ "type": "response.output_item.done", "output_index": 0, "item": item })));
        output.push(item);
    }
    for (i, (name, _)) in turn.calls.iter().enumerate() {
        let item = json!({ "type": "function_call", "id": format!("fc_{i}"), "call_id": format!("call_{answers}_{i}"), "name": name,
            "arguments": arguments(&turn, i, fault.as_ref()), "status": "completed" });
        events.push(event(
            json!({ "type": "response.output_item.added", "output_index": output.len(), "item": item }),
        ));
        events.push(event(
            json!({ "type": "response.output_item.done", "output_index": output.len(), "item": item }),
        ));
        output.push(item);
    }
    events.push(event(json!({ "type": "response.completed", "response": { "id": "resp_1", "status": "completed", "output": output,
        "usage": { "input_tokens": turn.tokens.0, "output_tokens": turn.tokens.1, "total_tokens": turn.tokens.0 + turn.tokens.1 } } })));
    respond(fault.as_ref(), &events)
}

/// How many answers the input holds: runs of items that the model wrote.
fn answers(body: &Value) -> usize {
    let mut count = 0;
    let mut inside = false;
    for item in body["input"].as_array().into_iter().flatten() {
        let ours =
            item["role"] == "assistant" || item["type"] == "function_call" || item["type"] == "reasoning";
        count += usize::from(ours && !inside);
        inside = ours;
    }
    count
}

fn problems(headers: &HeaderMap, body: &Value) -> Vec<String> {
    let mut pairs = check::Pairs::new();
    let mut problems = Vec::new();
    if !text(headers, "authorization").starts_with("Bearer ") {
        problems.push("the bearer key is missing".to_owned());
    }
    if body["store"] != false {
        problems.push("store must be false: nothing of a run may be kept elsewhere".to_owned());
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        check::tool(&tool["name"], &tool["parameters"], &mut problems);
    }
    for item in body["input"].as_array().into_iter().flatten() {
        match item["type"].as_str().unwrap_or("message") {
            "function_call" => pairs.call(item["call_id"].as_str().unwrap_or_default()),
            "function_call_output" => pairs.result(item["call_id"].as_str().unwrap_or_default()),
            "reasoning" => {}
            _ => pairs.settled("a message"),
        }
    }
    pairs.settled("the end");
    problems.extend(pairs.problems);
    problems
}
