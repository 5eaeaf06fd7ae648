//! OpenAI Responses.

use crate::{
    check::Check,
    service::error,
    wire::{self, Answer, Said, Stop, Wire, halves, list, named, text},
};
use axum::{http::HeaderMap, response::Response};
use serde_json::{Value, json};

/// The kinds of items that the model writes beside messages.
const BY_MODEL: [&str; 3] = ["reasoning", "function_call", "custom_tool_call"];

pub(crate) struct Responses;

impl Wire for Responses {
    const PATH: &str = "/v1/responses";

    fn caller(headers: &HeaderMap, check: &mut Check) {
        check.bearer(headers);
    }

    fn check(body: &Value, check: &mut Check) {
        check.required(body, "model");
        check.tokens(body, "max_output_tokens", 16);
        check.ours(body["store"] == false, "store must be false: nothing of a run may be kept elsewhere");
        for tool in list(body, "tools") {
            declared(tool, check);
        }
        let items = list(body, "input");
        check.must(!items.is_empty() || body["input"].is_string(), "there is no input");
        let mut thought = false;
        for item in items {
            let kind = item["type"].as_str().unwrap_or("message");
            let of_model = by_model(item) && kind != "reasoning";
            check.must(!thought || of_model, "reasoning without the item that it led to");
            thought = kind == "reasoning";
            match kind {
                "function_call" => {
                    check
                        .must(item["arguments"].is_string(), "the arguments of a function_call are not text");
                    check.call(text(item, "call_id"), text(item, "name"));
                }
                "custom_tool_call" => {
                    check.must(item["input"].is_string(), "the input of a custom_tool_call is not text");
                    check.call(text(item, "call_id"), text(item, "name"));
                }
                "function_call_output" | "custom_tool_call_output" => {
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
                other => check.ours(false, format!("an item of type '{other}' is not legal")),
            }
        }
        check.must(!thought, "reasoning without the item that it led to");
    }

    /// Neighbouring items that the model wrote are one answer.
    fn said(body: &Value) -> Vec<Said> {
        if let Value::String(text) = &body["input"] {
            return vec![Said::User(text.clone())];
        }
        let runs = list(body, "input").chunk_by(|a, b| by_model(a) && by_model(b));
        runs.filter_map(
            |items| if by_model(&items[0]) { Some(Said::Model) } else { Said::message(&items[0]) },
        )
        .collect()
    }

    fn whole(answer: &Answer<'_>) -> Value {
        let (read, written) = answer.turn.tokens;
        let mut whole = begun(answer, status(answer));
        if let Some(reason) = incomplete(answer) {
            whole["incomplete_details"] = json!({ "reason": reason });
        }
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
                    let (kind, field) = match answer.stop {
                        Stop::Refusal => ("refusal", "refusal"),
                        Stop::Said | Stop::Length => ("output_text", "text"),
                    };
                    for word in answer.turn.text.split_inclusive(' ') {
                        event(&format!("{kind}.delta"), json!({ "content_index": 0, "delta": word }));
                    }
                    event(&format!("{kind}.done"), json!({ "content_index": 0, field: answer.turn.text }));
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
                "custom_tool_call" => {
                    empty["input"] = "".into();
                    event("output_item.added", json!({ "item": empty }));
                    event("custom_tool_call_input.delta", json!({ "delta": item["input"] }));
                    event("custom_tool_call_input.done", json!({ "input": item["input"] }));
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
        let end = format!("response.{}", status(answer));
        events.push(json!({ "type": end, "response": Self::whole(answer) }));
        for (number, event) in events.iter_mut().enumerate() {
            event["sequence_number"] = number.into();
        }
        events.iter().map(named).collect()
    }

    fn error(status: u16, message: &str) -> Value {
        wire::openai_error(status, message)
    }

    fn wrong_key() -> Response {
        error::<Self>(401, "Incorrect API key provided.")
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

/// Whether the model wrote an item.
fn by_model(item: &Value) -> bool {
    item["role"] == "assistant" || BY_MODEL.contains(&text(item, "type"))
}

/// The declaration of a tool. Of others' clients it may be of a kind that is the service's own.
fn declared(tool: &Value, check: &mut Check) {
    match text(tool, "type") {
        "function" => check.tool(&tool["name"], &tool["parameters"]),
        "custom" => check.required(tool, "name"),
        _ => check.ours(false, "a tool is not a function"),
    }
}

fn begun(answer: &Answer<'_>, status: &str) -> Value {
    json!({
        "id": format!("resp_{}", answer.number), "object": "response", "status": status, "model": answer.body["model"],
        "output": [], "error": null, "incomplete_details": null, "usage": null,
    })
}

/// Why an answer is not complete. A refusal in words is a complete one.
fn incomplete(answer: &Answer<'_>) -> Option<&'static str> {
    match answer.stop {
        Stop::Said => None,
        Stop::Refusal => answer.turn.text.is_empty().then_some("content_filter"),
        Stop::Length => Some("max_output_tokens"),
    }
}

fn status(answer: &Answer<'_>) -> &'static str {
    if incomplete(answer).is_some() { "incomplete" } else { "completed" }
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
        let part = match answer.stop {
            Stop::Refusal => json!({ "type": "refusal", "refusal": turn.text }),
            Stop::Said | Stop::Length => {
                json!({ "type": "output_text", "text": turn.text, "annotations": [] })
            }
        };
        let status = if turn.calls.is_empty() { status(answer) } else { "completed" };
        items.push(json!({
            "type": "message", "id": format!("msg_{}", answer.number), "role": "assistant", "status": status,
            "content": [part],
        }));
    }
    items.extend(answer.calls("call").map(|(i, id, name)| {
        let custom = list(answer.body, "tools").iter().any(|t| t["type"] == "custom" && t["name"] == name);
        if let (true, Value::String(input)) = (custom, &turn.calls[i].1) {
            let own = answer.call_id("ctc", i);
            return json!({ "type": "custom_tool_call", "id": own, "call_id": id, "name": name, "input": input });
        }
        let mut call = json!({
            "type": "function_call", "id": answer.call_id("fc", i), "call_id": id, "name": name,
            "arguments": answer.arguments(i),
            "status": if i + 1 == turn.calls.len() { status(answer) } else { "completed" },
        });
        if let Some((namespace, tool)) = inside(list(answer.body, "tools"), name) {
            (call["namespace"], call["name"]) = (namespace.into(), tool.into());
        }
        call
    }));
    items
}

/// The namespace and the name in it of a tool that scripts call `NAMESPACE__NAME`.
fn inside<'a>(tools: &'a [Value], name: &'a str) -> Option<(&'a str, &'a str)> {
    let spaces = tools.iter().filter(|tool| tool["type"] == "namespace");
    let mut found = spaces.filter_map(|space| {
        let tool = name.strip_prefix(text(space, "name"))?.strip_prefix("__")?;
        list(space, "tools").iter().any(|t| t["name"] == tool).then(|| (text(space, "name"), tool))
    });
    found.next()
}
