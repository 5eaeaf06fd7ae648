//! Several calls in one answer, and calls that lead nowhere.

use super::*;
use async_trait::async_trait;
use oz_core::harness::{ActionCategory, HostTool};
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A tool that waits until so many calls of it are under way.
struct Meet {
    reads: bool,
    there: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl HostTool for Meet {
    fn name(&self) -> &str {
        "meet"
    }
    fn description(&self) -> &str {
        "Meets."
    }
    fn input_schema(&self) -> Value {
        serde_json::json!({ "type": "object" })
    }
    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }
    fn only_reads(&self) -> bool {
        self.reads
    }
    async fn call(&self, input: Map<String, Value>) -> Result<String, String> {
        let now = self.there.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        // Whoever comes first leaves last.
        let n = input["n"].as_u64().unwrap();
        for _ in 0..10 * (4 - n) {
            tokio::task::yield_now().await;
        }
        self.there.fetch_sub(1, Ordering::SeqCst);
        Ok(format!("met {n}"))
    }
}

#[tokio::test]
async fn calls_that_only_read_are_done_at_once_and_their_results_stay_in_order() {
    let script = "scripts: [{ match: x, turns: [{ tool_calls: [{ name: meet, input: { n: 1 } }, { name: meet, input: { n: 2 } }, { name: meet, input: { n: 3 } }] }, { expect: (?s)met 1.*met 2.*met 3, text: ok }] }]";
    for (reads, most) in [(true, 3), (false, 1)] {
        let room = Room::new(script);
        let meet = Arc::new(Meet { reads, there: AtomicUsize::new(0), most: AtomicUsize::new(0) });
        let tool: Arc<dyn HostTool> = Arc::clone(&meet) as _;
        let events = room.run_task(HarnessTask { tools: vec![tool], ..room.task("x") }).await;
        assert_eq!(end(&events).1, "ok");
        assert_eq!(meet.most.load(Ordering::SeqCst), most, "reads: {reads}");
        assert_eq!(actions(&events).len(), 3);
        let ids: Vec<_> = events
            .iter()
            .filter_map(|e| match e {
                HarnessEvent::ActionResult { action_id, .. } => Some(action_id.clone()),
                _ => None,
            })
            .collect();
        let last_first = ids.first().is_some_and(|id| id.ends_with("_2"));
        assert_eq!(last_first, reads, "{ids:?}");
    }
}

#[tokio::test]
async fn what_writes_waits_for_what_was_called_before_it() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: write_file, input: { path: a, content: one } }, { name: read_files, input: { files: [{ path: a }] } },
                     { name: list_files, input: {} }, { name: write_file, input: { path: a, content: two } }, { name: read_files, input: { files: [{ path: a }] } }]
      - { expect: (?s)one.*a.*two, text: ok }
"#;
    let events = Room::new(script).run("x").await;
    assert_eq!(end(&events).1, "ok", "{events:#?}");
    assert!(actions(&events).iter().all(|(_, state)| *state == ActionState::Completed));
}

#[tokio::test]
async fn the_same_failing_call_is_warned_of_and_then_ends_the_work() {
    let turn = |expect: &str| {
        format!("{{ expect: {expect}, tool_calls: [{{ name: read_files, input: {{ files: [] }} }}] }}")
    };
    let first = ["x", "files", "files"].map(turn).join(", ");
    let warned =
        [turn("same arguments 3 times in a row"), turn("same arguments 4"), turn("same arguments 5")]
            .join(", ");
    let events = Room::new(&format!("scripts: [{{ match: x, turns: [{first}, {warned}] }}]")).run("x").await;
    let (state, message, code) = end(&events);
    assert_eq!((state, code), (AgentState::Failed, Some(ErrorCode::InternalError)));
    assert!(message.contains("'read_files' with the same arguments 6 times in a row"), "{message}");
    assert_eq!(actions(&events).len(), 6);
}

#[tokio::test]
async fn an_empty_answer_is_asked_again_and_in_the_end_a_failure() {
    let again = "{}, { expect: Your answer was empty, text: '' }, { text: here }";
    let events = Room::new(&format!("scripts: [{{ match: x, turns: [{again}] }}]")).run("x").await;
    assert_eq!(end(&events), (AgentState::Succeeded, "here".into(), None));
    let events = Room::new("scripts: [{ match: x, turns: [{}, {}, {}, { text: never }] }]").run("x").await;
    let (state, message, _) = end(&events);
    assert_eq!(state, AgentState::Failed);
    assert!(message.contains("an empty answer 3 times in a row"), "{message}");
}
