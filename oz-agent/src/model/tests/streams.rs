use super::{
    conversation,
    server::{Answer, serve},
};
use crate::model::{anthropic::Anthropic, chat::Chat, responses::Responses};
use futures_util::StreamExt as _;
use oz_core::{
    model::{Model, ModelError, ModelErrorKind as Kind, StopReason, StreamEvent, ToolCall},
    usage::Usage,
};
use serde_json::json;
use std::time::Duration;

const KEY: &str = "sk-canary-123";

const ANTHROPIC: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":20,"cache_creation_input_tokens":5,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm, ö"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I look."}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1","name":"run_command","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"command\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"ls\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

"#;

const RESPONSES: &str = r#"event: response.created
data: {"type":"response.created","response":{"id":"r"}}

data: {"type":"response.reasoning_summary_text.delta","delta":"Hm, ö"}

data: {"type":"response.output_item.done","item":{"type":"reasoning","id":"rs","encrypted_content":"e","summary":[]}}

data: {"type":"response.output_text.delta","delta":"I look."}

data: {"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"I look."}]}}

data: {"type":"response.output_item.done","item":{"type":"function_call","call_id":"t1","name":"run_command","arguments":"{\"command\":\"ls\"}"}}

data: {"type":"response.completed","response":{"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":20},"output_tokens":9}}}

"#;

const CHAT: &str = r#": keep-alive

data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

data: {"choices":[{"index":0,"delta":{"reasoning_content":"Hm, ö"}}]}

data: {"choices":[{"index":0,"delta":{"content":"I look."}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"run_command","arguments":""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":\"ls\"}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":30,"prompt_tokens_details":{"cached_tokens":20},"completion_tokens":9}}

data: [DONE]

"#;

fn providers(url: &str) -> [Box<dyn Model>; 3] {
    let key = || Some(KEY.to_owned());
    let silence = Duration::from_millis(200);
    [
        Box::new(Anthropic::new(url, key(), silence).unwrap()),
        Box::new(Responses::new(url, key(), silence).unwrap()),
        Box::new(Chat::new("chat", url, key(), silence).unwrap()),
    ]
}

async fn ask(model: &dyn Model) -> Result<Vec<StreamEvent>, ModelError> {
    let stream = model.stream(&conversation(vec![])).await?;
    stream.collect::<Vec<_>>().await.into_iter().collect()
}

/// Asks the provider at `place` of the list against a server with this answer.
async fn answered(place: usize, answer: Answer) -> Result<Vec<StreamEvent>, ModelError> {
    let (url, _server) = serve(answer).await;
    ask(&*providers(&url)[place]).await
}

fn last_usage(events: &[StreamEvent]) -> Usage {
    let mut usages = events.iter().filter_map(|e| match e {
        StreamEvent::Usage(usage) => Some(usage.clone()),
        _ => None,
    });
    usages.next_back().unwrap()
}

#[tokio::test]
async fn every_provider_says_the_same_of_the_same_answer_in_whatever_pieces_it_comes() {
    let blocks = [
        Some(json!({ "type": "thinking", "thinking": "Hm, ö", "signature": "c2ln" })),
        Some(json!({ "type": "reasoning", "id": "rs", "encrypted_content": "e", "summary": [] })),
        None,
    ];
    for (place, recorded) in [ANTHROPIC, RESPONSES, CHAT].into_iter().enumerate() {
        for (size, end) in [(1, "\n"), (7, "\n"), (64, "\n"), (100_000, "\n"), (1, "\r\n"), (100, "\r\n")] {
            let answer = Answer::stream(&recorded.replace('\n', end)).in_pieces(size);
            let events = answered(place, answer).await.unwrap();
            let mut said: Vec<_> =
                events.iter().filter(|e| !matches!(e, StreamEvent::Usage(_))).cloned().collect();
            let mut expected = vec![StreamEvent::Reasoning("Hm, ö".into())];
            expected.extend(blocks[place].clone().map(StreamEvent::ReasoningBlock));
            expected.push(StreamEvent::Text("I look.".into()));
            let (id, name) = ("t1".to_owned(), "run_command".to_owned());
            expected.push(StreamEvent::ToolCall(ToolCall {
                id,
                name,
                arguments: r#"{"command":"ls"}"#.into(),
            }));
            assert_eq!(said.pop(), Some(StreamEvent::Stop(StopReason::ToolUse)));
            assert_eq!(said, expected, "provider {place}, pieces of {size}");
            let usage = last_usage(&events);
            let written = if place == 0 { 5 } else { 0 };
            assert_eq!(
                (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens),
                (10, 20, written, 9)
            );
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_is_an_error_and_never_an_answer() {
    for (place, recorded) in [ANTHROPIC, RESPONSES, CHAT].into_iter().enumerate() {
        let end = recorded.len();
        let last = if place == 2 { recorded.find("finish_reason").unwrap() } else { end - 3 };
        for cut in [0, 40, end / 3, end / 2, last] {
            let cut = (0..=cut).rev().find(|at| recorded.is_char_boundary(*at)).unwrap();
            let error = answered(place, Answer::stream(&recorded[..cut])).await.unwrap_err();
            assert_eq!(error.kind, Kind::Network, "provider {place}, cut at {cut}: {error}");
        }
    }
}

#[tokio::test]
async fn silence_is_a_network_error() {
    for (place, recorded) in [ANTHROPIC, RESPONSES, CHAT].into_iter().enumerate() {
        let cut = recorded.find("I look.").unwrap();
        let error = answered(place, Answer::stream(&recorded[..cut]).then_silence()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Network, "{error}");
        assert!(error.message.contains("nothing came for 0.2 s"), "{error}");
        let silent = Answer { pieces: vec![], hang: true };
        assert_eq!(answered(place, silent).await.unwrap_err().kind, Kind::Network);
    }
}

#[tokio::test]
async fn refusals_are_understood_and_show_no_key() {
    for place in 0..3 {
        let wait =
            Answer::whole("429 Too Many Requests\r\nRetry-After: 7", r#"{"error":{"message":"slow"}}"#);
        let error = answered(place, wait).await.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (Kind::RateLimited, Some(Duration::from_secs(7))));
        let echo = format!(r#"{{"error":{{"message":"wrong key {KEY} given"}}}}"#);
        let error = answered(place, Answer::whole("401 Unauthorized", &echo)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Authentication);
        assert!(error.message.contains("wrong key [key] given"), "{error}");
        let html = Answer::whole("200 OK\r\nContent-Type: text/html", "<html>");
        let error = answered(place, html).await.unwrap_err();
        assert_eq!(error.kind, Kind::Protocol);
        assert!(error.message.contains("text/html"), "{error}");
        let garbage = Answer::stream("data: {\"type\":\n\n");
        assert_eq!(answered(place, garbage).await.unwrap_err().kind, Kind::Protocol);
    }
    let refused = providers("http://127.0.0.1:9");
    for model in refused {
        assert_eq!(ask(&*model).await.unwrap_err().kind, Kind::Network);
    }
    let model = Anthropic::new("http://127.0.0.1:9", Some(KEY.into()), Duration::ZERO).unwrap();
    assert!(!format!("{model:?}").contains("canary"));
}

#[tokio::test]
async fn errors_inside_a_stream_are_understood() {
    for (place, event, kind) in [
        (0, r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#, Kind::Unavailable),
        (
            1,
            r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"busy"}}}"#,
            Kind::RateLimited,
        ),
        (1, r#"{"type":"error","code":"server_error","message":"busy"}"#, Kind::Unavailable),
        (2, r#"{"error":{"message":"busy","type":"insufficient_quota"}}"#, Kind::InsufficientCredits),
        (2, r#"{"error":{"message":"busy","code":502}}"#, Kind::Unavailable),
    ] {
        let error = answered(place, Answer::stream(&format!("data: {event}\n\n"))).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains("busy"), "{error}");
    }
}

#[tokio::test]
async fn requests_carry_the_key_where_the_provider_wants_it() {
    for (place, line, header) in [
        (0, "POST /v1/messages", "x-api-key: sk-canary-123"),
        (1, "POST /responses", "authorization: Bearer sk-canary-123"),
        (2, "POST /chat/completions", "authorization: Bearer sk-canary-123"),
    ] {
        let (url, server) = serve(Answer::stream([ANTHROPIC, RESPONSES, CHAT][place])).await;
        ask(&*providers(&url)[place]).await.unwrap();
        let request = server.await.unwrap();
        assert!(request.starts_with(line) && request.contains(header), "{request}");
    }
}

#[tokio::test]
async fn a_server_that_stops_without_done_or_usage_is_forgiven() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n";
    let events = answered(2, Answer::stream(text)).await.unwrap();
    assert_eq!(events, [StreamEvent::Text("hi".into()), StreamEvent::Stop(StopReason::EndTurn)]);
}

#[tokio::test]
async fn malformed_arguments_arrive_as_they_were_written() {
    let cut = ANTHROPIC.replace(r#""partial_json":"\"ls\"}""#, r#""partial_json":"\"ls""#);
    let events = answered(0, Answer::stream(&cut)).await.unwrap();
    assert!(
        events.iter().any(|e| matches!(e, StreamEvent::ToolCall(c) if c.arguments == r#"{"command":"ls"#))
    );
}
