//! OpenAI Responses.

use crate::{
    check::Check,
    wire::{self, Answer, Wire, halves, list, named, text},
};
use axum::http::HeaderMap;
use serde_json::{Value, json};

pub(crate) struct Responses;

impl Wire for Responses {
    const PATH: &str = "/v1/responses";

    fn caller(headers: &HeaderMap, check: &mut Check) {
        check.bearer(headers);
    }

    fn check(body: &Value, check: &mut Check) {
        check.required(body, "model");
        check.tokens(body, "max_output_tokens", 16);
        check.must(body["store"] == false, "store must be false: nothing of a run may be kept elsewhere");
        for tool in list(body, "tools") {
            check.must(tool["type"] == "function", "a tool is not a function");
            check.tool(&tool["name"], &tool["parameters"]);
        }
        let items = list(body, "input");
        check.must(!items.is_empty() || body["input"].is_string(), "there is no input");
        let mut thought = false;
        for item in items {
            let kind = item["type"].as_str().unwrap_or("message");
            let of_model = kind == "function_call" || item["role"] == "assistant";
            check.must(!thought || of_model, "reasoning without the item that it led to");
            thought = kind == "reasoning";
            match kind {
                "function_call" => {
                    check
                        .must(item["arguments"].is_string(), "the arguments of a function_call are not text");
                    check.call(text(item, "call_id"), text(item, "name"));
                }
                "function_call_output" => {
                    let parts = list(item, "output");
                    let legal = |part: &Value| ["input_text", "input_image"].contains(&text(part, "type"));
                    let good = item["output"].is_string() || (!parts.is_empty() && parts.iter().all(legal));
                    check.must(good, "the output of a function_call is neither text nor a list of parts");
                    check.result(text(item, "call_id"));
                }
                "reasoning" => check.required(item, "encrypted_content"),
                "message" => {
                    check.settled("a message");
                    let role = text(item, "role");
                    let legal = ["user", "assistant", "system", "developer"].contains(&role);
                    check.must(legal, format!("the role '{role}' is not legal"));
                    check.must(!wire::content(item).is_empty(), "an empty message");
                }
                other => check.must(false, format!("an item of type '{other}' is not legal")),
            }
        }
        check.must(!thought, "reasoning without the item that it led to");
    }

    fn opening(body: &Value) -> String {
        match &body["input"] {
            Value::String(text) => text.clone(),
            _ => list(body, "input")
                .iter()
                .find(|i| i["role"] == "user")
                .map(wire::content)
                .unwrap_or_default(),
        }
    }

    /// Runs of items that the model wrote.
    fn answers(body: &Value) -> usize {
        let ours =
            |i: &Value| i["role"] == "assistant" || i["type"] == "function_call" || i["type"] == "reasoning";
        list(body, "input").chunk_by(|a, b| ours(a) == ours(b)).filter(|items| ours(&items[0])).count()
    }

    fn whole(answer: &Answer<'_>) -> Value {
        let (read, written) = answer.turn.tokens;
        let mut whole = begun(answer, "completed");
        whole["output"] = output(answer).into();
        whole["usage"] = json!({
            "input_tokens": read, "output_tokens": written, "total_tokens": read + written,
            "input_tokens_details": { "cached_tokens": 0 }, "output_tokens_details": { "reasoning_tokens": 0 },
        });
        whole
    }

    fn events(answer: &Answer<'_>) -> Vec<String> {
        let mut events =
            vec![json!({ "type": "response.created", "response": begun(answer, "in_progress") })];
        for (at, item) in output(answer).into_iter().enumerate() {
            let id = item["id"].clone();
            let mut event = |kind: &str, more: Value| {
                let mut event =
                    json!({ "type": format!("response.{kind}"), "item_id": id, "output_index": at });
                if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
                    event.extend(more);
                }
                events.push(event);
            };
            let mut empty = item.clone();
            empty["status"] = "in_progress".into();
            match text(&item, "type") {
                "message" => {
                    empty["content"] = json!([]);
                    event("output_item.added", json!({ "item": empty }));
                    for word in answer.turn.text.split_inclusive(' ') {
                        event("output_text.delta", json!({ "content_index": 0, "delta": word }));
                    }
                    event("output_text.done", json!({ "content_index": 0, "text": answer.turn.text }));
                }
                "function_call" => {
                    let arguments = text(&item, "arguments");
                    empty["arguments"] = "".into();
                    event("output_item.added", json!({ "item": empty }));
                    for part in halves(arguments) {
                        event("function_call_arguments.delta", json!({ "delta": part }));
                    }
                    event("function_call_arguments.done", json!({ "arguments": arguments }));
                }
                _ => {
                    empty["summary"] = json!([]);
                    event("output_item.added", json!({ "item": empty }));
                    for part in halves(&answer.turn.reasoning) {
                        event("reasoning_summary_text.delta", json!({ "summary_index": 0, "delta": part }));
                    }
                }
            }
            event("output_item.done", json!({ "item": item }));
        }
        events.push(json!({ "type": "response.completed", "response": Self::whole(answer) }));
        for (number, event) in events.iter_mut().enumerate() {
            event["sequence_number"] = number.into();
        }
        events.iter().map(named).collect()
    }

    fn error(status: u16, message: &str) -> Value {
        wire::openai_error(status, message)
    }

    fn too_long() -> Value {
        wire::openai_too_long()
    }

    fn overloaded() -> String {
        named(
            &json!({ "type": "error", "code": "server_error", "message": "overloaded, as the script says", "param": null }),
        )
    }
}

fn begun(answer: &Answer<'_>, status: &str) -> Value {
    json!({
        "id": format!("resp_{}", answer.number), "object": "response", "status": status, "model": answer.body["model"],
        "output": [], "error": null, "incomplete_details": null, "usage": null,
    })
}

/// The items of an answer.
fn output(answer: &Answer<'_>) -> Vec<Value> {
    let turn = answer.turn;
    let mut items = Vec::new();
    if !turn.reasoning.is_empty() {
        items.push(json!({
            "type": "reasoning", "id": format!("rs_{}", answer.number), "encrypted_content": "sealed",
            "summary": [{ "type": "summary_text", "text": turn.reasoning }],
        }));
    }
    if !turn.text.is_empty() {
        items.push(json!({
            "type": "message", "id": format!("msg_{}", answer.number), "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": turn.text, "annotations": [] }],
        }));
    }
    items.extend(answer.calls("call").map(|(i, id, name)| {
        json!({
            "type": "function_call", "id": answer.call_id("fc", i), "call_id": id, "name": name,
            "arguments": answer.arguments(i), "status": "completed",
        })
    }));
    items
}
