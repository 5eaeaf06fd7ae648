//! Helpers.

use super::*;

#[tokio::test]
async fn a_helper_works_by_itself_and_only_its_summary_and_usage_are_told() {
    let script = r#"
scripts:
  - match: look around
    turns:
      - { text: I look., usage: { input_tokens: 5 }, tool_calls: [{ name: write_file, input: { path: a, content: b } }, { name: list_files, input: {} }] }
      - { expect: no tool 'write_file', usage: { input_tokens: 7 }, tool_calls: [{ name: finish, input: { summary: nothing is here } }] }
  - match: ^x$
    turns:
      - { usage: { input_tokens: 1 }, tool_calls: [{ name: run_subagent, input: { task: look around } }] }
      - { expect: ^nothing is here$, usage: { input_tokens: 2 }, text: ok }
"#;
    let room = Room::new(script);
    let events = room.run("x").await;
    assert_eq!(end(&events).1, "ok");
    assert_eq!(actions(&events), [("run_subagent".to_owned(), ActionState::Completed)]);
    assert!(!events.contains(&HarnessEvent::Text { text: "I look.".into() }));
    let used: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            HarnessEvent::Usage { usage, .. } => Some(usage.input_tokens),
            _ => None,
        })
        .collect();
    assert_eq!(used, [1, 5, 7, 2]);
}

#[tokio::test]
async fn a_helper_edits_when_it_may_and_has_no_helpers() {
    let script = r#"
scripts:
  - match: do a part
    turns:
      - tool_calls: [{ name: write_file, input: { path: a, content: b } }, { name: run_subagent, input: { task: more } }]
      - { expect: no tool 'run_subagent', text: written }
  - match: fail
    turns: [{ tool_calls: [{ name: finish, input: { success: false, summary: too hard } }] }]
  - match: ^x$
    turns:
      - tool_calls: [{ name: run_subagent, input: { task: do a part, may_edit: true } }]
      - { expect: ^written$, tool_calls: [{ name: run_subagent, input: { task: fail } }, { name: run_subagent, input: { task: other, model: nowhere/none } }] }
      - { expect: (?s)failed. too hard.*model, text: ok }
"#;
    let room = Room::new(script);
    let events = room.run("x").await;
    assert_eq!(end(&events).1, "ok", "{events:#?}");
    assert_eq!(fs::read_to_string(room.path("a")).unwrap(), "b");
    let (done, failed) = (ActionState::Completed, ActionState::Failed);
    assert_eq!(
        actions(&events).into_iter().map(|(_, s)| s).collect::<Vec<_>>(),
        [done, failed.clone(), failed]
    );
}

#[tokio::test]
async fn helpers_use_the_same_budget_and_end_with_the_agent() {
    let turn = "{ tool_calls: [{ name: list_files, input: {} }] }";
    let script = format!(
        "scripts: [{{ match: helper, turns: [{turn}, {turn}, {turn}, {turn}] }}, {{ match: x, turns: [{{ tool_calls: [{{ name: run_subagent, input: {{ task: helper }} }}] }}] }}]"
    );
    let room = Room::new(&script).limits(Limits { max_turns: Some(3), ..Limits::default() });
    let events = room.run("x").await;
    assert!(end(&events).1.contains("max_turns"));
    let error = outputs(&events, "run_subagent")[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("max_turns"), "{error}");

    let script = SLEEP.replace("match: x", "match: helper").replace(
        "scripts: [",
        "scripts: [{ match: ^x$, turns: [{ tool_calls: [{ name: run_subagent, input: { task: helper, may_edit: true } }] }] }, ",
    );
    let room = Room::new(&script);
    let events = room.start("x").await;
    until("it does not start", || room.path("started").exists()).await;
    room.harness.cancel().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(end(&events).0, AgentState::Cancelled);
    until("a process is left", || naming(room.dir.path()) == 0).await;
}
