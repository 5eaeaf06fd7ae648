//! The fake model over real connections, spoken to by hand so that a client's kindness hides nothing.

use crate::{Asked, FakeModel, Fault, Script, Turn};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

mod foreign;
mod requests;

const KEYS: &str = "x-api-key: k\r\nanthropic-version: 2023-06-01\r\nauthorization: Bearer k\r\n";

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
    /// The data of its events.
    fn data(&self) -> Vec<Value> {
        let lines = self.body.lines().filter_map(|l| l.strip_prefix("data: "));
        lines.filter(|l| *l != "[DONE]").map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

/// HTTP/1.0, whose bodies end with their connection.
async fn send(model: &FakeModel, request: String) -> Answer {
    let mut socket = TcpStream::connect(model.url().trim_start_matches("http://")).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
}

async fn post_as(model: &FakeModel, path: &str, keys: &str, body: &Value) -> Answer {
    let body = body.to_string();
    send(model, format!("POST {path} HTTP/1.0\r\n{keys}content-length: {}\r\n\r\n{body}", body.len())).await
}

async fn post(model: &FakeModel, path: &str, body: &Value) -> Answer {
    post_as(model, path, KEYS, body).await
}

fn busy_turn() -> Turn {
    Turn {
        reasoning: "Hm, öäü.".into(),
        text: "I look at it.".into(),
        calls: vec![("ls".into(), json!({ "path": "ä" })), ("cat".into(), json!({}))],
        tokens: (12, 7),
        ..Turn::default()
    }
}

fn joined(data: &[Value], pointer: &str) -> String {
    data.iter().filter_map(|d| d.pointer(pointer)?.as_str()).collect()
}

#[tokio::test]
async fn a_turn_says_the_same_streamed_and_whole_in_every_format() {
    let model = FakeModel::start(vec![busy_turn()]).await;
    for format in requests::ALL {
        let mut body = (format.first)("hi");
        let whole = post(&model, format.path, &body).await;
        assert_eq!(whole.status, 200, "{}", whole.body);
        body["stream"] = true.into();
        if format.path.contains("chat") {
            body["stream_options"] = json!({ "include_usage": true });
        }
        let streamed = post(&model, format.path, &body).await;
        assert!(streamed.head.contains("text/event-stream"));
        let data = streamed.data();
        assert_eq!(joined(&data, format.text_delta), "I look at it.", "{}", format.path);
        assert_eq!(joined(&data, format.reasoning_delta), "Hm, öäü.", "{}", format.path);
        assert_eq!(joined(&data, format.arguments_delta), r#"{"path":"ä"}{}"#, "{}", format.path);
        let whole = whole.json();
        for (pointer, expected) in format.whole {
            assert_eq!(whole.pointer(pointer).unwrap(), &expected(), "{} {pointer}", format.path);
        }
        assert!(data.iter().any(|d| d.to_string().contains("\"output_tokens\":7")
            || d.to_string().contains("\"completion_tokens\":7")));
    }
    assert_eq!(model.finish().len(), 6);
}

#[tokio::test]
async fn a_conversation_that_hands_back_what_it_got_is_accepted_and_goes_on() {
    let model = FakeModel::start(vec![busy_turn(), Turn::text("Done.")]).await;
    for format in requests::ALL {
        let first = post(&model, format.path, &(format.first)("hi")).await.json();
        let second = post(&model, format.path, &(format.second)(&first)).await;
        assert_eq!(second.status, 200, "{}", second.body);
        assert!(second.body.contains("Done."));
    }
}

#[tokio::test]
async fn what_the_services_refuse_is_refused_and_recorded() {
    let mut model = FakeModel::start(vec![Turn::text("never")]).await;
    model.allow_violations();
    let mut expected = 0;
    for format in requests::ALL {
        for (what, body) in (format.wrong)() {
            let answer = post(&model, format.path, &body).await;
            assert_eq!(answer.status, 400, "{}: {what}", format.path);
            let message = answer.json().pointer("/error/message").unwrap().to_string();
            assert!(message.contains(what), "{}: expected '{what}' in {message}", format.path);
            expected += 1;
            assert!(model.violations().len() >= expected);
        }
        let answer = post_as(&model, format.path, "", &(format.first)("hi")).await;
        assert_eq!(answer.status, 401, "{}", format.path);
        let answer =
            send(&model, format!("POST {} HTTP/1.0\r\n{KEYS}content-length: 1\r\n\r\n{{", format.path)).await;
        assert_eq!(answer.status, 400);
    }
    let before = model.violations().len();
    assert_eq!(post(&model, "/v1/v1/messages", &json!({})).await.status, 404);
    assert_eq!(model.violations().len(), before + 1);
}

#[tokio::test]
async fn a_forgotten_violation_fails_the_test() {
    let model = FakeModel::start(vec![]).await;
    post(&model, "/v1/messages", &json!({})).await;
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(model)));
    assert!(dropped.is_err());
}

#[tokio::test]
async fn faults_come_one_for_each_attempt_and_then_the_answer() {
    let faults = [
        Fault::Busy(429, 3),
        Fault::Status(529),
        Fault::TooLong,
        Fault::NotAStream,
        Fault::Cut,
        Fault::Overloaded,
        Fault::BadArguments,
    ];
    let turn = faults.into_iter().fold(busy_turn(), Turn::after);
    let model = FakeModel::start(vec![turn]).await;
    for format in requests::ALL {
        let mut body = (format.first)(format.path);
        body["stream"] = true.into();
        let mut answers = Vec::new();
        for _ in 0..=faults.len() {
            answers.push(post(&model, format.path, &body).await);
        }
        let statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
        assert_eq!(statuses, [429, 529, 400, 200, 200, 200, 200, 200], "{}", format.path);
        assert!(answers[0].head.contains("retry-after: 3") && answers[1].head.contains("retry-after: 0"));
        assert!(answers[2].body.contains("too long") || answers[2].body.contains("context_length_exceeded"));
        assert!(answers[3].head.contains("text/html"));
        assert!(!answers[4].body.ends_with("\n\n"), "an answer that is cut ends inside an event");
        let last = answers[5].data().pop().unwrap().to_string();
        assert!(last.contains("verloaded"), "{last}");
        let broken = joined(&answers[6].data(), format.arguments_delta);
        assert!(broken.starts_with("{\"path\": "), "{broken}");
        assert!(answers[7].body.len() > answers[4].body.len());
    }
}

/// A turn's answer, whole and streamed, in each format, each in a conversation of its own.
async fn answers(turn: &Turn) -> Vec<(Value, Vec<Value>)> {
    let model = FakeModel::start(Script::by({
        let turn = turn.clone();
        move |_| Some(turn.clone())
    }))
    .await;
    let mut answers = Vec::new();
    for format in requests::ALL {
        let mut body = (format.first)(&format!("whole {}", format.path));
        let whole = post(&model, format.path, &body).await.json();
        body = (format.first)(&format!("streamed {}", format.path));
        body["stream"] = true.into();
        answers.push((whole, post(&model, format.path, &body).await.data()));
    }
    answers
}

/// The parts of an answer at these pointers.
fn at(value: &Value, pointers: &[&str]) -> Vec<Value> {
    pointers.iter().map(|p| value.pointer(p).cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_refusal_looks_as_the_services_send_it() {
    let refused = |text: &str| Turn { text: text.to_owned(), ..busy_turn() }.after(Fault::Refused);
    let [anthropic, responses, chat] = <[_; 3]>::try_from(answers(&refused("No, never.")).await).unwrap();
    let delta = anthropic.1.iter().find(|d| d["type"] == "message_delta").unwrap();
    for of in [&anthropic.0, &delta["delta"]] {
        assert_eq!(at(of, &["/stop_reason", "/stop_details/type"]), ["refusal", "refusal"]);
        assert!(of["stop_details"]["explanation"].is_string());
    }
    assert_eq!(anthropic.0["content"].as_array().unwrap().len(), 2, "thoughts and words, no calls");
    assert_eq!(joined(&anthropic.1, "/delta/text"), "No, never.");
    let part = json!({ "type": "refusal", "refusal": "No, never." });
    assert_eq!(at(&responses.0, &["/status", "/output/1/content/0"]), [json!("completed"), part]);
    let deltas: Vec<_> = responses.1.iter().filter(|d| d["type"] == "response.refusal.delta").collect();
    assert_eq!(deltas.iter().filter_map(|d| d["delta"].as_str()).collect::<String>(), "No, never.");
    assert_eq!(responses.1.last().unwrap()["type"], "response.completed");
    let of = ["/choices/0/message/refusal", "/choices/0/message/content", "/choices/0/finish_reason"];
    assert_eq!(at(&chat.0, &of), [json!("No, never."), Value::Null, json!("stop")]);
    assert_eq!(joined(&chat.1, "/choices/0/delta/refusal"), "No, never.");

    let [anthropic, responses, chat] = <[_; 3]>::try_from(answers(&refused("")).await).unwrap();
    assert_eq!(anthropic.0["stop_reason"], "refusal");
    assert_eq!(
        at(&responses.0, &["/status", "/incomplete_details/reason"]),
        ["incomplete", "content_filter"]
    );
    assert_eq!(responses.1.last().unwrap()["type"], "response.incomplete");
    assert_eq!(joined(&chat.1, "/choices/0/finish_reason"), "content_filter");
}

#[tokio::test]
async fn an_answer_that_is_empty_or_too_long_looks_as_the_services_send_it() {
    let [anthropic, responses, chat] =
        <[_; 3]>::try_from(answers(&busy_turn().after(Fault::Empty)).await).unwrap();
    assert_eq!(at(&anthropic.0, &["/content", "/stop_reason"]), [json!([]), json!("end_turn")]);
    assert_eq!(at(&responses.0, &["/output", "/status"]), [json!([]), json!("completed")]);
    assert_eq!(
        at(&chat.0, &["/choices/0/message/content", "/choices/0/finish_reason"]),
        ["", "stop"].map(Value::from)
    );

    let [anthropic, responses, chat] =
        <[_; 3]>::try_from(answers(&busy_turn().after(Fault::Truncated)).await).unwrap();
    // The first call is whole, the last one is not.
    assert_eq!(anthropic.0["stop_reason"], "max_tokens");
    assert_eq!(joined(&anthropic.1, "/delta/partial_json"), r#"{"path":"ä"}{"#);
    let of = ["/status", "/incomplete_details/reason", "/output/2/status", "/output/3/status"];
    assert_eq!(at(&responses.0, &of), ["incomplete", "max_output_tokens", "completed", "incomplete"]);
    assert_eq!(responses.0["output"][3]["arguments"], "{");
    assert_eq!(chat.0["choices"][0]["finish_reason"], "length");
    let [(anthropic, _), _, _] =
        <[_; 3]>::try_from(answers(&Turn::text("All done.").after(Fault::Truncated)).await).unwrap();
    assert_eq!(anthropic["content"][0]["text"], "All ");
}

#[tokio::test]
async fn a_broken_connection_is_no_end() {
    let model = FakeModel::start(vec![busy_turn().after(Fault::Reset)]).await;
    let body = json!({ "model": "m", "max_tokens": 9, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let ask = |version: &str| {
        let text = body.to_string();
        let head = format!("POST /v1/messages HTTP/{version}\r\nhost: h\r\nconnection: close\r\n{KEYS}");
        format!("{head}content-length: {}\r\n\r\n{text}", text.len())
    };
    let broken = send(&model, ask("1.1")).await;
    assert!(!broken.body.ends_with("0\r\n\r\n"));
    let whole = send(&model, ask("1.1")).await;
    assert!(whole.body.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn silence_lasts_as_long_as_the_script_says() {
    let pause = Duration::from_millis(60);
    let turn = Turn::text("a b c").after(Fault::Silence(pause)).after(Fault::Stall(pause));
    let model = FakeModel::start(vec![Turn { pace: Duration::from_millis(10), ..turn }]).await;
    let body = json!({ "model": "m", "max_tokens": 9, "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    for least in [pause, pause, Duration::from_millis(80)] {
        let started = Instant::now();
        assert_eq!(post(&model, "/v1/messages", &body).await.status, 200);
        assert!(started.elapsed() >= least);
    }
}

#[tokio::test]
async fn conversations_do_not_get_each_others_answers() {
    let by_name = Script::conversations([("alpha", vec![Turn::text("A")]), ("beta", vec![Turn::text("B")])]);
    let from_file = Script::from_json(
        r#"{ "conversations": [
            { "match": "alpha", "turns": [{ "text": "A", "tokens": [1, 2], "faults": [{ "status": 503 }, { "busy": [429, 1] }, { "silence": 1 }, "cut"] }] },
            { "match": "beta", "turns": [{ "text": "B", "calls": [], "pace": 1 }] } ] }"#,
    );
    let by_choice = Script::by(|asked: &Asked<'_>| {
        let name = if asked.opening.contains("alpha") { "A" } else { "B" };
        (asked.turn == 0).then(|| Turn::text(name))
    });
    for script in [by_name, from_file.unwrap(), by_choice] {
        let mut model = FakeModel::start_open(script).await;
        model.allow_violations();
        for format in requests::ALL {
            let mut said = Vec::new();
            for _ in 0..5 {
                said.push(post_as(&model, format.path, "", &(format.first)("do alpha now")).await.body);
            }
            assert!(said[4].contains("\"A\""), "{}", said[4]);
            let answer = post_as(&model, format.path, "", &(format.first)("do beta now")).await;
            assert!(answer.body.contains("\"B\""), "{}", answer.body);
        }
        let next = json!({ "model": "m", "messages": [
            { "role": "user", "content": "beta" }, { "role": "assistant", "content": "B" }, { "role": "user", "content": "more" } ] });
        assert_eq!(post(&model, "/v1/chat/completions", &next).await.status, 400);
        assert!(model.violations()[0].contains("no turn 1"), "{:?}", model.violations());
    }
    assert!(Script::from_json(r#"{ "conversations": [{ "turns": [{ "txet": "A" }] }] }"#).is_err());
}

#[tokio::test]
async fn models_are_listed_in_every_dialect() {
    let model = FakeModel::start(vec![]).await;
    let get = |path: &str, keys: &str| format!("GET {path} HTTP/1.0\r\n{keys}\r\n");
    let openai = send(&model, get("/v1/models", "authorization: Bearer k\r\n")).await.json();
    assert_eq!((&openai["object"], &openai["data"][0]["id"]), (&json!("list"), &json!("fake")));
    let anthropic = send(&model, get("/v1/models", KEYS)).await.json();
    assert_eq!((&anthropic["has_more"], &anthropic["data"][0]["type"]), (&json!(false), &json!("model")));
    assert_eq!(send(&model, get("/api/tags", "")).await.json()["models"][0]["name"], "fake:1b");
}
