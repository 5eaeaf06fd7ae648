//! What is seen while an answer is written.

use super::*;
use service::Said;

fn pieces(events: &[HarnessEvent]) -> Vec<String> {
    let piece = |event: &HarnessEvent| match event {
        HarnessEvent::Delta { text } => Some(text.clone()),
        HarnessEvent::Text { text } => Some(format!("={text}")),
        _ => None,
    };
    events.iter().filter_map(piece).collect()
}

#[tokio::test]
async fn text_comes_in_pieces_and_then_whole() {
    let service = service::serve(|_, _| Said::text("one two three")).await;
    let room = Room::new("scripts: []");
    let events: Vec<_> = service.harness(&[]).start(room.task("x")).await.unwrap().collect().await;
    assert_eq!(pieces(&events), ["one ", "two ", "three", "=one two three"]);
}

#[tokio::test]
async fn the_pieces_of_a_broken_answer_are_followed_by_the_whole_of_the_right_one() {
    // An answer without an end is broken off when the service closes.
    let service = service::serve(|n, _| if n == 0 { Said::cut("wrong") } else { Said::text("right") }).await;
    let room = Room::new("scripts: []");
    let events: Vec<_> = service.harness(&[]).start(room.task("x")).await.unwrap().collect().await;
    assert_eq!(pieces(&events), ["wrong", "right", "=right"]);
}

#[tokio::test]
async fn a_request_begins_with_the_whole_of_the_one_before_it() {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = service::serve(move |n, request| {
        let _ = asked.send(request.clone());
        match n {
            0..4 => Said::call(&format!("c{n}"), "list_files", &serde_json::json!({})),
            _ => Said::text("ok"),
        }
    })
    .await;
    let room = Room::new("scripts: []");
    let events: Vec<_> = service.harness(&[]).start(room.task("x")).await.unwrap().collect().await;
    assert_eq!(end(&events).1, "ok");
    let mut before = String::new();
    for n in 0..5 {
        let request = requests.recv().await.unwrap();
        let text = serde_json::to_string(&(&request["tools"], &request["messages"])).unwrap();
        assert!(text.starts_with(&before), "request {n}");
        before = text.trim_end_matches("]]").to_owned();
    }
}

#[tokio::test]
async fn pictures_of_the_task_and_its_level_of_thought_go_with_the_first_message() {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = service::serve(move |_, request| {
        let _ = asked.send(request.clone());
        Said::text("seen")
    })
    .await;
    let room = Room::new("scripts: []");
    let picture = room.path("a.png");
    fs::write(&picture, b"\x89PNG\r\n\x1a\n").unwrap();
    let task = |images| HarnessTask { images, reasoning_level: Some("low".into()), ..room.task("look") };
    let events: Vec<_> = service.harness(&[]).start(task(vec![picture])).await.unwrap().collect().await;
    assert_eq!(end(&events).1, "seen");
    let request = requests.recv().await.unwrap();
    assert_eq!(request["reasoning_effort"], "low");
    let content = &request["messages"][1]["content"];
    assert_eq!(content[0]["text"], "look");
    assert_eq!(content[1]["image_url"]["url"], "data:image/png;base64,iVBORw0KGgo=");
    let error = service.harness(&[]).start(task(vec![room.path("gone.png")])).await.err().unwrap();
    assert!(error.detail.contains("images") && error.detail.contains("gone.png"), "{error}");
}
