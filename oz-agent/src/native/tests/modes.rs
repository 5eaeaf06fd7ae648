//! What the model is told and given before the task.

use super::*;
use oz_core::harness::{Rule, Skill};

const CHANGING: [&str; 3] = ["run_command", "edit_files", "write_file"];

/// The first request for a task, as it goes out.
async fn first_request(task: impl FnOnce(HarnessTask) -> HarnessTask) -> (String, Vec<String>, usize) {
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = service::serve(move |_, request| {
        let _ = asked.send(request.clone());
        service::Said::text("ok")
    })
    .await;
    let room = Room::new("scripts: []");
    let events: Vec<_> = service.harness(&[]).start(task(room.task("x"))).await.unwrap().collect().await;
    assert_eq!(end(&events).1, "ok");
    let request = requests.recv().await.unwrap();
    let names = request["tools"].as_array().unwrap().iter();
    let names = names.map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect();
    let system = request["messages"][0]["content"].as_str().unwrap().to_owned();
    (system, names, request.to_string().len())
}

#[tokio::test]
async fn the_first_request_is_small() {
    let (_, _, size) = first_request(|task| task).await;
    assert!(size < 16 << 10, "{size} bytes");
}

#[tokio::test]
async fn planning_offers_nothing_that_changes_anything() {
    let (system, names, _) = first_request(|task| task).await;
    assert!(CHANGING.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
    assert!(!system.contains("# Mode"));
    let (system, names, _) = first_request(|task| HarnessTask { mode: RunMode::Plan, ..task }).await;
    assert!(system.contains("# Mode: plan") && system.contains("write_plan"));
    for name in CHANGING {
        assert!(!names.contains(&name.to_owned()), "{name}");
    }
    for name in ["read_files", "grep", "write_plan", "ask_user", "finish"] {
        assert!(names.contains(&name.to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_plan_changes_nothing_whatever_the_model_wants() {
    let script = r##"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: write_file, input: { path: a, content: b } }, { name: run_subagent, input: { task: helper, may_edit: true } }]
      - { expect: (?s)no tool 'write_file'.*may_edit, tool_calls: [{ name: write_plan, input: { title: P, text: "# P" } }, { name: finish, input: { summary: planned } }] }
"##;
    let room = Room::new(script);
    let events = room.run_task(HarnessTask { mode: RunMode::Plan, ..room.task("x") }).await;
    assert_eq!(end(&events).1, "planned");
    assert_eq!(fs::read_dir(room.path("")).unwrap().count(), 0);
}

#[tokio::test]
async fn orchestrating_tells_of_child_runs_only_where_there_are_some() {
    let (system, _, _) = first_request(|task| HarnessTask { mode: RunMode::Orchestrate, ..task }).await;
    assert!(system.contains("# Mode: orchestrate") && system.contains("No child runs"));
    let task = HarnessTask { mode: RunMode::Orchestrate, ..HarnessTask::default() };
    let system = prompt::system(&task, Path::new("/w"), &["ask_user", "start_run"]);
    assert!(system.contains("ask for approval with ask_user") && system.contains("wait_for_run"));
    let system = prompt::system(&task, Path::new("/w"), &["start_run"]);
    assert!(!system.contains("ask for approval") && system.contains("Nobody watches and nobody answers"));
}

#[tokio::test]
async fn rules_and_skills_are_told_in_order() {
    let rule = |path: &str, text: &str| Rule { path: path.into(), text: text.into() };
    let skill = Skill {
        name: "deploy".into(),
        description: "Ships\n  it.".into(),
        path: "/s/deploy/SKILL.md".into(),
    };
    let (system, _, _) = first_request(|task| HarnessTask {
        rules: vec![rule("/w/AGENTS.md", "Use tabs.\n"), rule("/w/a/AGENTS.md", "Use spaces.")],
        skills: vec![skill],
        base_prompt: Some("Be kind.".into()),
        ..task
    })
    .await;
    assert!(system.starts_with("Be kind.\n\nYou are Oz"));
    let places: Vec<_> =
        ["## /w/AGENTS.md\nUse tabs.", "## /w/a/AGENTS.md\nUse spaces.", "Read a skill's file before"]
            .map(|text| system.find(text).expect(text))
            .into();
    assert!(places.is_sorted(), "{system}");
    assert!(system.ends_with("- deploy: Ships it. (/s/deploy/SKILL.md)"), "{system}");
}
