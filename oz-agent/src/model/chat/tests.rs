use super::*;
use crate::model::tests::conversation;

#[test]
fn the_request_has_one_message_per_result_and_sound_arguments() {
    let body = body(&conversation(vec![]));
    assert_eq!(body["stream_options"]["include_usage"], true);
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user"]);
    assert_eq!(messages[2]["tool_calls"][1]["function"]["arguments"], "{}");
    assert_eq!(messages[3]["tool_call_id"], "c1");
}

#[test]
fn pictures_are_the_users_and_an_empty_answer_is_left_out() {
    let image = Image { media_type: "image/png".into(), data: "aGk=".into() };
    let mut request = conversation(vec![]);
    request.messages.push(ChatMessage::Assistant { text: String::new(), reasoning: vec![], calls: vec![] });
    request.messages.push(ChatMessage::User { text: "see".into(), images: vec![image.clone()] });
    if let ChatMessage::Tool { results } = &mut request.messages[2] {
        results[1].images.push(image);
    }
    let body = body(&request);
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user", "user", "user"]);
    for (n, text) in [(5, "The pictures that the tools returned:"), (7, "see")] {
        assert_eq!(messages[n]["content"][0]["text"], text);
        assert_eq!(messages[n]["content"][1]["image_url"]["url"], "data:image/png;base64,aGk=");
    }
}

fn calls(deltas: &[Value]) -> Vec<(String, String)> {
    let mut decoder = Decoder { name: "test", ..Decoder::default() };
    let mut out = VecDeque::new();
    for delta in deltas {
        let chunk = json!({ "choices": [{ "delta": { "tool_calls": [delta] } }] });
        decoder.event(&chunk.to_string(), &mut out).unwrap();
    }
    decoder.event(END, &mut out).unwrap();
    assert_eq!(out.pop_back(), Some(StreamEvent::Stop(StopReason::ToolUse)));
    let ids: std::collections::BTreeSet<_> = out
        .iter()
        .map(|e| match e {
            StreamEvent::ToolCall(call) => call.id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), out.len(), "every call has an id of its own");
    out.into_iter()
        .map(|e| match e {
            StreamEvent::ToolCall(call) => (call.name, call.arguments),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn calls_come_together_however_a_server_sends_them() {
    let f = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let two = vec![("a".to_owned(), r#"{"x":1}"#.to_owned()), ("b".to_owned(), "{}".to_owned())];
    let pieces = [
        json!({ "index": 0, "id": "1", "function": { "name": "a" } }),
        json!({ "index": 0, "function": { "arguments": "{\"x\"" } }),
        json!({ "index": 0, "function": { "arguments": ":1}" } }),
        json!({ "index": 1, "id": "2", "function": { "name": "b", "arguments": "" } }),
    ];
    assert_eq!(calls(&pieces), two, "in pieces");
    let same_index = [
        json!({ "index": 0, "id": "1", "function": f("a", "{\"x\":1}".into()) }),
        json!({ "index": 0, "id": "2", "function": f("b", "{}".into()) }),
    ];
    assert_eq!(calls(&same_index), two, "whole, all numbered 0");
    let bare = [json!({ "function": f("a", json!({ "x": 1 })) }), json!({ "function": f("b", json!({})) })];
    assert_eq!(calls(&bare), two, "as objects, without ids and numbers");
    let repeated = [
        json!({ "index": 0, "id": "1", "function": f("a", "{\"x\"".into()) }),
        json!({ "index": 0, "id": "1", "function": { "arguments": ":1}" } }),
        json!({ "index": 1, "id": "2", "function": { "name": "b" } }),
    ];
    assert_eq!(calls(&repeated), two, "with the id in every piece");
}
