//! Conversations that become long.

use super::*;
use serde_json::{Value, json};
use service::Said;

fn stages(events: &[HarnessEvent]) -> Vec<String> {
    let detail = |event: &HarnessEvent| match event {
        HarnessEvent::Stage { name, detail, .. } if name == "context_compaction" => detail.clone(),
        _ => None,
    };
    events.iter().filter_map(detail).collect()
}

fn is_summary_request(request: &Value) -> bool {
    let last = request["messages"].as_array().unwrap().last().unwrap();
    last["content"].as_str().unwrap_or_default().contains("summary that you write now")
}

/// An agent that makes a plan, changes a file and then reads until its conversation is shortened. Answers its events and
/// requests.
async fn long_work(summary: fn() -> Said) -> (Vec<HarnessEvent>, Vec<Value>) {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = service::serve(move |n, request| {
        let _ = asked.send(request.clone());
        let tokens = if n < 5 { 1000 } else { 17_000 };
        let shortened = request.to_string().contains("was shortened here")
            || request.to_string().contains("left out to save room");
        let id = format!("c{n}");
        match n {
            _ if is_summary_request(request) => summary(),
            _ if shortened => Said::text("finished"),
            0 => Said::call(
                &id,
                "update_tasks",
                &json!({ "tasks": [{ "title": "the task", "state": "pending" }] }),
            ),
            1 => Said::call(&id, "write_plan", &json!({ "title": "P", "text": "the plan" })),
            2 => Said::call(&id, "write_file", &json!({ "path": "a.txt", "content": "changed\n" })),
            3 => Said::call(&id, "run_command", &json!({ "command": "seq 1000" })),
            _ => Said::call(&id, "run_command", &json!({ "command": format!("echo step {n}") })).read(tokens),
        }
    })
    .await;
    let room = Room::new("scripts: []");
    let harness = service.harness(&[("OZ_MODEL_CONTEXT_TOKENS", "20000")]);
    let events: Vec<_> = harness.start(room.task("the prompt")).await.unwrap().collect().await;
    drop(service);
    let mut all = Vec::new();
    while let Some(request) = requests.recv().await {
        all.push(request);
    }
    (events, all)
}

#[tokio::test]
async fn a_summary_takes_the_place_of_the_older_part() {
    let (events, requests) = long_work(|| Said::text("we did much")).await;
    assert_eq!(end(&events).1, "finished", "{events:#?}");
    let stages = stages(&events);
    assert_eq!(stages.len(), 1);
    assert!(stages[0].contains("of the 20000 that the model reads; a summary"), "{stages:?}");
    assert!(!events.contains(&HarnessEvent::Text { text: "we did much".into() }), "it is said to nobody");
    let [.., before, summary, after] = &requests[..] else { panic!() };
    let messages = |request: &Value| request["messages"].as_array().unwrap().clone();
    // The summary is asked for with all that the service has in its cache.
    assert!(is_summary_request(summary));
    assert_eq!(messages(summary)[..messages(before).len()], messages(before));
    assert_eq!(summary["tools"], before["tools"]);
    let after = messages(after);
    assert_eq!(after[1]["content"], "the prompt");
    let short = after[2]["content"].as_str().unwrap();
    for kept in ["we did much", "- [pending] the task", "the plan", "+changed"] {
        assert!(short.contains(kept), "{kept}: {short}");
    }
    let roles: Vec<_> = after[3..].iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "assistant", "tool", "assistant", "tool"]);
    for pair in after[3..].chunks(2) {
        assert_eq!(pair[0]["tool_calls"][0]["id"], pair[1]["tool_call_id"]);
    }
    assert!(after.last().unwrap()["content"].as_str().unwrap().contains("step 5"));
}

#[tokio::test]
async fn without_a_summary_older_results_are_left_out() {
    for summary in [|| Said::error(400), || Said::text("")] {
        let (events, requests) = long_work(summary).await;
        assert_eq!(end(&events).1, "finished");
        assert!(stages(&events)[0].ends_with("older results of tools are left out"));
        let last = requests.last().unwrap().to_string();
        assert!(last.contains("left out to save room") && last.contains("the prompt"));
    }
}

#[tokio::test]
async fn a_window_that_makes_no_sense_is_refused() {
    let room = Room::new("scripts: []");
    let service = service::serve(|_, _| Said::text("ok")).await;
    for text in ["many", "12"] {
        let harness = service.harness(&[("OZ_MODEL_CONTEXT_TOKENS", text)]);
        let error = harness.start(room.task("x")).await.err().unwrap();
        assert!(error.detail.contains(&format!("OZ_MODEL_CONTEXT_TOKENS: '{text}'")), "{error}");
    }
}
