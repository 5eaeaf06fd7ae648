//! The list of tasks and the plan.

use super::*;
use oz_core::{
    artifact::Artifact,
    harness::{TaskItem, TaskState},
};

fn lists(events: &[HarnessEvent]) -> Vec<Vec<TaskItem>> {
    let list = |event: &HarnessEvent| match event {
        HarnessEvent::Tasks { tasks } => Some(tasks.clone()),
        _ => None,
    };
    events.iter().filter_map(list).collect()
}

fn task(title: &str, state: TaskState) -> TaskItem {
    TaskItem { title: title.into(), state }
}

#[tokio::test]
async fn the_list_is_told_whole_and_has_one_task_at_work() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: update_tasks, input: { tasks: [{ title: a, state: in_progress }, { title: b, state: pending }] } }]
      - { expect: 0 of 2, tool_calls: [{ name: update_tasks, input: { tasks: [{ title: a, state: in_progress }, { title: b, state: in_progress }] } }] }
      - { expect: at most one, tool_calls: [{ name: update_tasks, input: { tasks: [{ title: a, state: completed }] } }] }
      - { expect: 1 of 1, text: ok }
"#;
    let events = Room::new(script).run("x").await;
    assert_eq!(end(&events).1, "ok");
    let first = vec![task("a", TaskState::InProgress), task("b", TaskState::Pending)];
    assert_eq!(lists(&events), [first, vec![task("a", TaskState::Completed)]]);
}

#[tokio::test]
async fn cancelling_cancels_what_is_left_of_the_list() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: update_tasks, input: { tasks: [{ title: a, state: completed }, { title: b, state: pending }] } },
                     { name: run_command, input: { command: "touch started; sleep 60" } }]
"#;
    let room = Room::new(script);
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    room.harness.cancel().await;
    let events: Vec<_> = events.collect().await;
    let last = lists(&events).pop().unwrap();
    assert_eq!(last, [task("a", TaskState::Completed), task("b", TaskState::Cancelled)]);
}

#[tokio::test]
async fn every_plan_is_a_new_version_of_one_document() {
    let script = r##"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: write_plan, input: { title: Plan, text: "# One" } }]
      - { expect: version 1, tool_calls: [{ name: write_plan, input: { title: Better, text: "# Two" } }] }
      - { expect: version 2, text: ok }
"##;
    let events = Room::new(script).run("x").await;
    let plans: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            HarnessEvent::Artifact {
                artifact: oz_core::Open::Known(Artifact::Plan { document_uid, artifact_uid, title, .. }),
            } => Some((document_uid.clone(), artifact_uid.clone(), title.clone().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!((plans[0].2.as_str(), plans[1].2.as_str(), plans.len()), ("Plan", "Better", 2));
    assert_eq!(plans[0].0, plans[1].0, "one document");
    assert_ne!(plans[0].1, plans[1].1, "two artifacts");
    let outputs = outputs(&events, "write_plan");
    assert_eq!((&outputs[1]["version"], &outputs[1]["text"]), (&2.into(), &"# Two".into()));
}
