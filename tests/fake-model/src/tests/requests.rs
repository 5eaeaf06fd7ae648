//! Right and wrong requests in each wire format.

use serde_json::{Value, json};

type Build = fn() -> Value;

/// A wire format as a test knows it.
pub(super) struct Format {
    pub(super) path: &'static str,
    /// The first request of a conversation.
    pub(super) first: fn(&str) -> Value,
    /// The request that hands back a whole first answer with the results of its two calls.
    pub(super) second: fn(&Value) -> Value,
    /// Requests that must be refused, with a part of the reason.
    pub(super) wrong: fn() -> Vec<(&'static str, Value)>,
    pub(super) text_delta: &'static str,
    pub(super) reasoning_delta: &'static str,
    pub(super) arguments_delta: &'static str,
    /// What a whole answer to the busy turn holds.
    pub(super) whole: &'static [(&'static str, Build)],
}

pub(super) const ALL: [Format; 3] = [
    Format {
        path: "/v1/messages",
        first: |prompt| {
            anthropic(&json!([{ "role": "user", "content": [{ "type": "text", "text": prompt }] }]))
        },
        second: |answer| {
            let calls: Vec<&str> = answer["content"].as_array().unwrap()[2..]
                .iter()
                .map(|b| b["id"].as_str().unwrap())
                .collect();
            anthropic(&json!([
                { "role": "user", "content": "hi" },
                { "role": "assistant", "content": answer["content"] },
                { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": calls[0], "content": "a" },
                    { "type": "tool_result", "tool_use_id": calls[1], "content": "b" },
                    { "type": "text", "text": "And hurry." } ] },
            ]))
        },
        wrong: wrong_anthropic,
        text_delta: "/delta/text",
        reasoning_delta: "/delta/thinking",
        arguments_delta: "/delta/partial_json",
        whole: &[
            ("/content/0/type", || json!("thinking")),
            ("/content/1/text", || json!("I look at it.")),
            ("/content/2/input", || json!({ "path": "ä" })),
            ("/stop_reason", || json!("tool_use")),
            ("/usage/input_tokens", || json!(12)),
        ],
    },
    Format {
        path: "/v1/responses",
        first: |prompt| responses(&json!([{ "role": "user", "content": prompt }])),
        second: |answer| {
            let mut input = vec![json!({ "role": "user", "content": "hi" })];
            input.extend(answer["output"].as_array().unwrap().iter().cloned());
            for i in [2, 3] {
                let call = &answer["output"][i]["call_id"];
                input.push(json!({ "type": "function_call_output", "call_id": call, "output": "" }));
            }
            responses(&Value::Array(input))
        },
        wrong: wrong_responses,
        text_delta: "/text",
        reasoning_delta: "/item/summary/0/text",
        arguments_delta: "/arguments",
        whole: &[
            ("/output/0/type", || json!("reasoning")),
            ("/output/1/content/0/text", || json!("I look at it.")),
            ("/output/2/arguments", || json!(r#"{"path":"ä"}"#)),
            ("/status", || json!("completed")),
            ("/usage/total_tokens", || json!(19)),
        ],
    },
    Format {
        path: "/v1/chat/completions",
        first: |prompt| {
            chat(&json!([{ "role": "system", "content": "s" }, { "role": "user", "content": prompt }]))
        },
        second: |answer| {
            let message = &answer["choices"][0]["message"];
            let call = |i: usize| &message["tool_calls"][i]["id"];
            chat(&json!([
                { "role": "user", "content": "hi" }, message,
                { "role": "tool", "tool_call_id": call(1), "content": "b" },
                { "role": "tool", "tool_call_id": call(0), "content": "" },
            ]))
        },
        wrong: wrong_chat,
        text_delta: "/choices/0/delta/content",
        reasoning_delta: "/choices/0/delta/reasoning_content",
        arguments_delta: "/choices/0/delta/tool_calls/0/function/arguments",
        whole: &[
            ("/choices/0/message/content", || json!("I look at it.")),
            ("/choices/0/message/tool_calls/0/function/arguments", || json!(r#"{"path":"ä"}"#)),
            ("/choices/0/finish_reason", || json!("tool_calls")),
            ("/usage/total_tokens", || json!(19)),
        ],
    },
];

fn anthropic(messages: &Value) -> Value {
    json!({ "model": "m", "max_tokens": 100, "messages": messages, "tools": [{ "name": "ls", "input_schema": { "type": "object" } }] })
}

fn responses(input: &Value) -> Value {
    let tool = json!({ "type": "function", "name": "ls", "parameters": { "type": "object" } });
    json!({ "model": "m", "store": false, "input": input, "tools": [tool] })
}

fn chat(messages: &Value) -> Value {
    let function = json!({ "name": "ls", "parameters": { "type": "object" } });
    json!({ "model": "m", "messages": messages, "tools": [{ "type": "function", "function": function }] })
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

fn wrong_anthropic() -> Vec<(&'static str, Value)> {
    let user = json!({ "role": "user", "content": "hi" });
    let called = json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "ls", "input": {} }] });
    let result = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": "x" });
    let good = anthropic(&json!([user]));
    let talk = anthropic;
    vec![
        ("max_tokens", with(good.clone(), "/max_tokens", json!(0))),
        ("model", with(good.clone(), "/model", json!(""))),
        ("not legal", with(good.clone(), "/tools/0/name", json!("a b"))),
        ("schema", with(good.clone(), "/tools/0/input_schema", json!({}))),
        ("declared twice", with(good.clone(), "/tools", json!([good["tools"][0], good["tools"][0]]))),
        ("no messages", talk(&json!([]))),
        ("not the user's", talk(&json!([called]))),
        ("not the assistant's", talk(&json!([user, user]))),
        ("empty text", talk(&json!([{ "role": "user", "content": [{ "type": "text", "text": " " }] }]))),
        ("without content", talk(&json!([{ "role": "user", "content": [] }]))),
        ("no result before the end", talk(&json!([user, called]))),
        (
            "no result before text",
            talk(
                &json!([user, called, { "role": "user", "content": [{ "type": "text", "text": "x" }, result("t1")] }]),
            ),
        ),
        (
            "answers no call",
            talk(&json!([user, called, { "role": "user", "content": [result("t1"), result("t1")] }])),
        ),
        ("answers no call", talk(&json!([user, called, { "role": "user", "content": [result("t2")] }]))),
        (
            "signature",
            talk(
                &json!([user, { "role": "assistant", "content": [{ "type": "thinking", "thinking": "x", "signature": "y" }] }]),
            ),
        ),
        ("not an object", with(talk(&json!([user, called])), "/messages/1/content/0/input", json!("{}"))),
    ]
}

fn wrong_responses() -> Vec<(&'static str, Value)> {
    let user = json!({ "role": "user", "content": "hi" });
    let call = json!({ "type": "function_call", "call_id": "c1", "name": "ls", "arguments": "{}" });
    let result = json!({ "type": "function_call_output", "call_id": "c1", "output": "x" });
    let thought = json!({ "type": "reasoning", "encrypted_content": "e", "summary": [] });
    let good = responses(&json!([user]));
    vec![
        ("store", with(good.clone(), "/store", json!(true))),
        ("function", with(good.clone(), "/tools/0/type", json!("tool"))),
        ("no input", responses(&json!([]))),
        ("no result before a message", responses(&json!([user, call, user]))),
        ("answers no call", responses(&json!([user, result]))),
        ("used twice", responses(&json!([user, call, result, call, result]))),
        ("led to", responses(&json!([user, thought]))),
        ("led to", responses(&json!([user, thought, user]))),
        ("encrypted_content", responses(&json!([user, { "type": "reasoning" }, call, result]))),
        ("empty message", responses(&json!([{ "role": "user", "content": "" }]))),
    ]
}

fn wrong_chat() -> Vec<(&'static str, Value)> {
    let user = json!({ "role": "user", "content": "hi" });
    let called = |arguments: &str| {
        json!({ "role": "assistant", "tool_calls": [
        { "id": "c1", "type": "function", "function": { "name": "ls", "arguments": arguments } }] })
    };
    let result = json!({ "role": "tool", "tool_call_id": "c1", "content": "x" });
    let mut options = chat(&json!([user]));
    options["stream_options"] = json!({ "include_usage": true });
    vec![
        ("stream_options", options),
        ("no result before user", chat(&json!([user, called("{}"), user]))),
        ("answers no call", chat(&json!([user, result]))),
        ("arguments", chat(&json!([user, called("{\"a\": "), result]))),
        ("role", chat(&json!([{ "role": "robot", "content": "x" }]))),
        ("neither", chat(&json!([user, { "role": "assistant", "content": null }]))),
        ("empty message", chat(&json!([{ "role": "user", "content": "" }]))),
    ]
}
