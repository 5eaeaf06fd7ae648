//! OpenAI Chat Completions, as Ollama and many others speak it too.

use crate::{
    check::Check,
    service::error,
    wire::{self, Answer, Said, Stop, Wire, halves, list, text},
};
use axum::{http::HeaderMap, response::Response};
use serde_json::{Value, json};

pub(crate) struct Chat;

impl Wire for Chat {
    const PATH: &str = "/v1/chat/completions";

    fn caller(headers: &HeaderMap, check: &mut Check) {
        check.bearer(headers);
    }

    fn check(body: &Value, check: &mut Check) {
        check.required(body, "model");
        for field in ["max_tokens", "max_completion_tokens"] {
            check.tokens(body, field, 1);
        }
        let streamed = body["stream"] == true;
        check.must(streamed || body["stream_options"].is_null(), "stream_options without a stream");
        for tool in list(body, "tools") {
            check.must(tool["type"] == "function", "a tool is not a function");
            check.tool(&tool["function"]["name"], &tool["function"]["parameters"]);
        }
        let messages = list(body, "messages");
        check.must(!messages.is_empty(), "there are no messages");
        for message in messages {
            match text(message, "role") {
                "tool" => {
                    check.must(!message["content"].is_null(), "a result without content");
                    check.result(text(message, "tool_call_id"));
                }
                role @ ("system" | "developer" | "user") => {
                    check.settled(role);
                    check.must(!wire::content(message).is_empty(), format!("an empty message of the {role}"));
                }
                "assistant" => {
                    check.settled("assistant");
                    let said = !message["content"].is_null() || !list(message, "tool_calls").is_empty();
                    check.must(said, "an answer with neither content nor calls");
                }
                role => check.must(false, format!("the role '{role}' is not legal")),
            }
            for call in list(message, "tool_calls") {
                let function = &call["function"];
                // Servers that write calls into a prompt parse the arguments first.
                let sound =
                    serde_json::from_str::<Value>(text(function, "arguments")).is_ok_and(|v| v.is_object());
                check.must(sound, "the arguments of a call are not the text of an object");
                check.call(text(call, "id"), text(function, "name"));
            }
        }
    }

    fn said(body: &Value) -> Vec<Said> {
        list(body, "messages").iter().filter_map(Said::message).collect()
    }

    fn whole(answer: &Answer<'_>) -> Value {
        let turn = answer.turn;
        let mut message = json!({ "role": "assistant", "content": turn.text, "refusal": null });
        if answer.stop == Stop::Refusal && !turn.text.is_empty() {
            (message["content"], message["refusal"]) = (Value::Null, turn.text.clone().into());
        }
        if !turn.reasoning.is_empty() {
            message["reasoning_content"] = turn.reasoning.clone().into();
        }
        if !turn.calls.is_empty() {
            let call = |(i, id, name): (usize, String, &str)| {
                let function = json!({ "name": name, "arguments": answer.arguments(i) });
                json!({ "id": id, "type": "function", "function": function })
            };
            message["tool_calls"] = answer.calls("call").map(call).collect::<Vec<_>>().into();
        }
        let choice = json!({ "index": 0, "message": message, "finish_reason": finish(answer) });
        let mut whole = envelope(answer, "chat.completion", &[choice]);
        whole["usage"] = usage(answer);
        whole
    }

    fn events(answer: &Answer<'_>) -> Vec<String> {
        let turn = answer.turn;
        let event = |data: &Value| format!("data: {data}\n\n");
        let mut events = Vec::new();
        let mut chunk = |delta: Value, finish: Value| {
            let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
            events.push(event(&envelope(answer, "chat.completion.chunk", &[choice])));
        };
        chunk(json!({ "role": "assistant", "content": "" }), Value::Null);
        if !turn.reasoning.is_empty() {
            for part in halves(&turn.reasoning) {
                chunk(json!({ "reasoning_content": part }), Value::Null);
            }
        }
        let field = if answer.stop == Stop::Refusal { "refusal" } else { "content" };
        for word in turn.text.split_inclusive(' ') {
            chunk(json!({ field: word }), Value::Null);
        }
        for (i, id, name) in answer.calls("call") {
            let begin = json!({ "index": i, "id": id, "type": "function", "function": { "name": name, "arguments": "" } });
            chunk(json!({ "tool_calls": [begin] }), Value::Null);
            for part in halves(&answer.arguments(i)) {
                chunk(
                    json!({ "tool_calls": [{ "index": i, "function": { "arguments": part } }] }),
                    Value::Null,
                );
            }
        }
        chunk(json!({}), finish(answer).into());
        if answer.body["stream_options"]["include_usage"] == true {
            let mut last = envelope(answer, "chat.completion.chunk", &[]);
            last["usage"] = usage(answer);
            events.push(event(&last));
        }
        events.push("data: [DONE]\n\n".to_owned());
        events
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
        format!("data: {}\n\n", Self::error(503, "overloaded, as the script says"))
    }
}

fn envelope(answer: &Answer<'_>, object: &str, choices: &[Value]) -> Value {
    let id = format!("chatcmpl-{}", answer.number);
    json!({ "id": id, "object": object, "created": 0, "model": answer.body["model"], "choices": choices })
}

fn finish(answer: &Answer<'_>) -> &'static str {
    match answer.stop {
        // A refusal in words ends like any other answer.
        Stop::Refusal if answer.turn.text.is_empty() => "content_filter",
        Stop::Length => "length",
        Stop::Said if !answer.turn.calls.is_empty() => "tool_calls",
        Stop::Refusal | Stop::Said => "stop",
    }
}

fn usage(answer: &Answer<'_>) -> Value {
    let (read, written) = answer.turn.tokens;
    json!({ "prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written })
}
