//! Going on with another model.

use super::*;

/// A room whose first model follows one script and whose second another.
struct Pair {
    room: Room,
    second: String,
}

impl Pair {
    fn new(first: &str, second: &str) -> Self {
        let script = |turns: &str| format!("scripts: [{{ match: x, turns: [{turns}] }}]");
        let room = Room::new(&script(first));
        let path = room.dir.path().join("second.yaml");
        fs::write(&path, script(second)).unwrap();
        Self { second: format!("scripted/{}", path.display()), room }
    }

    async fn run(&self) -> Vec<HarnessEvent> {
        let task = HarnessTask { fallback_model_ids: vec![self.second.clone()], ..self.room.task("x") };
        Arc::clone(&self.room.harness).start(task).await.unwrap().collect().await
    }
}

/// What was said and what the transcript notes, in order.
fn story(events: &[HarnessEvent]) -> Vec<String> {
    let line = |event: &HarnessEvent| match event {
        HarnessEvent::Text { text } => Some(text.clone()),
        HarnessEvent::Stage { name, ok, detail, .. } => {
            assert_eq!(name, "model_fallback");
            Some(format!("{ok}: {}", detail.as_deref().unwrap()))
        }
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

// A call of no tool waits for no process, whose time the paused clock would not know.
const CALL: &str = "tool_calls: [{ name: nonsense }]";

#[tokio::test(start_paused = true)]
async fn the_next_model_goes_on_and_the_first_comes_back() {
    let fail = "fail: { kind: unavailable, message: busy, times: 3 }";
    let first =
        format!("{{ text: a1, {CALL} }}, {{ text: never, {fail} }}, {{ text: never }}, {{ text: a4 }}");
    let second =
        format!("{{ text: never }}, {{ text: b2, {CALL} }}, {{ text: b3, {CALL}, delay_ms: 70000 }}");
    let started = tokio::time::Instant::now();
    let events = Pair::new(&first, &second).run().await;
    assert_eq!(end(&events), (AgentState::Succeeded, "a4".into(), None));
    let away = "false: scripted is not available (busy); going on with scripted";
    assert_eq!(story(&events), ["a1", away, "b2", "b3", "a4", "true: scripted is available again"]);
    assert!(started.elapsed() < Duration::from_secs(80), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn tries_do_not_multiply_and_the_end_tells_of_every_model() {
    let fail = |times: u32, kind: &str| {
        format!("{{ text: ok, fail: {{ kind: {kind}, message: {kind}, times: {times} }} }}")
    };
    for (first, second, expected) in [
        (fail(2, "network"), fail(0, "network"), "ok"),
        (fail(9, "rate_limited"), fail(5, "network"), "ok"),
        (fail(9, "rate_limited"), fail(6, "network"), "rate_limited; network"),
        (fail(9, "protocol"), fail(1, "authentication"), "protocol; authentication"),
        (fail(1, "authentication"), fail(0, "network"), "authentication"),
        (fail(1, "insufficient_credits"), fail(0, "network"), "insufficient_credits"),
        (fail(1, "invalid_request"), fail(0, "network"), "invalid_request"),
        (fail(1, "context_too_long"), fail(0, "network"), "context_too_long"),
    ] {
        let events = Pair::new(&first, &second).run().await;
        // What to do about it may follow.
        let message = end(&events).1;
        assert_eq!(message.split("; nothing more").next(), Some(expected), "{first} {second}");
    }
}

#[tokio::test]
async fn a_fallback_that_can_t_be_used_is_refused_before_anything_happens() {
    let room = Room::new("scripts: []");
    let task = HarnessTask { fallback_model_ids: vec!["gpt-5".into()], ..room.task("x") };
    let error = Arc::clone(&room.harness).start(task).await.err().unwrap();
    assert_eq!(error.detail, "fallback_model_ids: model 'gpt-5' needs OPENAI_API_KEY, which is not set");
}
