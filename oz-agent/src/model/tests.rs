//! The providers against a server that replays recorded answers, byte for byte and in any pieces.

mod server;
mod streams;

use oz_core::model::{ChatMessage, ModelRequest, ToolCall, ToolResult, ToolSpec};
use serde_json::{Value, json};

/// A conversation with everything in it: reasoning, a sound and a malformed call, an error, a message in between.
pub(super) fn conversation(reasoning: Vec<Value>) -> ModelRequest {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: "run_command".into(),
        arguments: arguments.into(),
    };
    let result = |id: &str, is_error: bool| ToolResult {
        call_id: id.into(),
        content: "result".into(),
        is_error,
        images: vec![],
    };
    let spec = ToolSpec {
        name: "run_command".into(),
        description: "Runs a command.".into(),
        input_schema: json!({ "type": "object", "properties": { "command": { "type": "string" } } }),
    };
    let calls = vec![call("c1", r#"{"command":"ls"}"#), call("c2", r#"{"command":"#)];
    ModelRequest {
        model: "m".into(),
        system: "Be good.".into(),
        messages: vec![
            ChatMessage::user("Do it."),
            ChatMessage::Assistant { text: "I look.".into(), reasoning, calls },
            ChatMessage::Tool { results: vec![result("c1", false), result("c2", true)] },
            ChatMessage::user("And hurry."),
        ],
        tools: vec![spec],
        max_output_tokens: 64,
        reasoning_level: None,
    }
}
