use super::*;
use oz_core::request::{Answer, Decision, Request};
use serde_json::json;

impl Room {
    fn permitted(mut self, permissions: serde_json::Value) -> Self {
        self.permissions = serde_json::from_value(permissions).unwrap();
        self
    }

    /// Works with a human who decides so, one after the other, and answers with what was asked, too.
    async fn asked(&self, decisions: &[Decision]) -> (Vec<HarnessEvent>, Vec<Request>) {
        let mut stream = self.start("x").await;
        let (mut events, mut requests) = (Vec::new(), Vec::new());
        while let Some(event) = stream.next().await {
            if let HarnessEvent::Request { request } = &event {
                let decision = decisions.get(requests.len()).expect("a question too many").clone();
                let answer = Answer { decision, text: Some("said so".to_owned()) };
                self.harness.answer(request.request_id, answer).await.unwrap();
                requests.push(request.clone());
            }
            events.push(event);
        }
        assert_eq!(requests.len(), decisions.len(), "{requests:?}");
        (events, requests)
    }
}

/// Names and states of results, with their errors.
fn results(events: &[HarnessEvent]) -> Vec<(String, ActionState, String)> {
    let result = |event: &HarnessEvent| match event {
        HarnessEvent::ActionResult { name, state, output, .. } => {
            let error = output.get("error").and_then(|error| error.as_str()).unwrap_or_default();
            Some((name.clone(), state.clone(), error.to_owned()))
        }
        _ => None,
    };
    events.iter().filter_map(result).collect()
}

#[tokio::test]
async fn what_permissions_forbid_is_denied_by_name_and_not_done() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: touch ran } }, { name: write_file, input: { path: made, content: x } },
                     { name: write_file, input: { path: src/made, content: x } }, { name: write_file, input: { path: src/.mcp.json, content: x } },
                     { name: read_files, input: { files: [{ path: made }] } }]
      - { expect: execute_commands is 'never', text: over }
"#;
    let room = Room::new(script).permitted(json!({
        "execute_commands": "never", "apply_code_diffs": "always_ask", "directory_allowlist": ["src"]
    }));
    let (events, requests) = room.asked(&[Decision::Deny, Decision::Deny]).await;
    let results = results(&events);
    let states: Vec<&ActionState> = results.iter().map(|(_, state, _)| state).collect();
    let (denied, done) = (&ActionState::Denied, &ActionState::Completed);
    assert_eq!(states, [denied, denied, done, denied, &ActionState::Failed], "{results:?}");
    assert_eq!(results[0].2, "this is not permitted: the permission execute_commands is 'never'");
    assert!(results[1].2.contains("the permission apply_code_diffs is 'always_ask'"), "{results:?}");
    assert!(results[3].2.contains("MCP servers"), "{results:?}");
    assert!(!room.path("ran").exists() && !room.path("made").exists() && room.path("src/made").exists());
    let asked: Vec<String> = requests.iter().map(|request| request.title.clone()).collect();
    let root = room.path("").canonicalize().unwrap();
    assert_eq!(
        asked,
        [format!("Change {}/made", root.display()), format!("Change {}/src/.mcp.json", root.display())]
    );
}

#[tokio::test]
async fn a_denied_command_is_asked_however_it_is_written() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: "echo; /bin/touch a" } }, { name: run_command, input: { command: "sh -c 'touch a'" } },
                     { name: run_command, input: { command: "echo touch > b" } }]
      - { text: over }
"#;
    let permissions = json!({ "command_denylist": [r"touch(\s.*)?"], "execute_commands": "always_allow" });
    let room = Room::new(script).permitted(permissions);
    let results = results(&room.asked(&[Decision::Deny, Decision::Deny]).await.0);
    let states: Vec<&ActionState> = results.iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [&ActionState::Denied, &ActionState::Denied, &ActionState::Completed], "{results:?}");
    assert!(
        results[0].2.contains("of the command denylist") && results[0].2.ends_with(": said so"),
        "{results:?}"
    );
    assert!(!room.path("a").exists() && room.path("b").exists());
}

#[tokio::test]
async fn what_is_approved_is_done_once_or_for_the_rest_of_the_run() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: echo 1 >> a } }, { name: run_command, input: { command: echo 1 >> a } },
                     { name: run_command, input: { command: echo 2 >> a } }, { name: run_command, input: { command: "echo 2 >> a; echo 1 >> a" } },
                     { name: run_command, input: { command: "echo 2 >> a; true" } }]
      - { text: over }
"#;
    let room = Room::new(script).permitted(json!({ "execute_commands": "always_ask" }));
    let decisions = [Decision::Approve, Decision::ApproveAlways, Decision::ApproveAlways, Decision::Deny];
    let (events, requests) = room.asked(&decisions).await;
    let states: Vec<ActionState> = results(&events).into_iter().map(|(_, state, _)| state).collect();
    let done = || ActionState::Completed;
    assert_eq!(states, [done(), done(), done(), done(), ActionState::Denied]);
    assert_eq!(fs::read_to_string(room.path("a")).unwrap(), "1\n1\n2\n2\n1\n");
    assert_eq!(requests[0].title, "Run: echo 1 >> a");
    assert_eq!(requests[0].reason.as_deref(), Some("the permission execute_commands is 'always_ask'"));
    assert_eq!(requests[0].detail["command"], "echo 1 >> a");
}

#[tokio::test]
async fn tools_that_may_never_be_used_are_not_there() {
    let script = "scripts: [{ match: x, turns: [{ tool_calls: [{ name: write_plan, input: { title: t, text: x } }] }, { expect: there is no tool 'write_plan', text: over }] }]";
    let room = Room::new(script).permitted(json!({ "create_plans": "never" }));
    assert_eq!(end(&room.run("x").await).1, "over");
}

#[tokio::test]
async fn a_patch_is_judged_by_all_files_that_it_names() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: edit_files, input: { patch: "*** Begin Patch\n*** Add File: a\n+x\n*** Add File: keys/b\n+x\n*** End Patch" } },
                     { name: edit_files, input: { patch: "*** Begin Patch\n*** Add File: a\n+x\n*** End Patch" } }]
      - { text: over }
"#;
    let room = Room::new(script).permitted(json!({ "directory_denylist": ["keys"] }));
    let (events, requests) = room.asked(&[Decision::Deny]).await;
    let states: Vec<ActionState> = results(&events).into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [ActionState::Denied, ActionState::Completed]);
    assert!(requests[0].title.ends_with("/keys/b"), "{requests:?}");
}

#[tokio::test]
async fn who_may_write_to_a_program_once_may_go_on_with_that_one_only() {
    let script = r#"
scripts:
  - match: x
    turns:
      - tool_calls: [{ name: run_command, input: { command: cat, background: true } }, { name: run_command, input: { command: cat, background: true } }]
      - tool_calls: [{ name: write_to_job, input: { job_id: 1, text: a } }, { name: write_to_job, input: { job_id: 1, text: b } },
                     { name: write_to_job, input: { job_id: 2, text: c } }]
      - { text: over }
"#;
    let room = Room::new(script).permitted(json!({ "interact_with_running_commands": "ask_on_first_write" }));
    let (events, _) = room.asked(&[Decision::Approve, Decision::Deny]).await;
    let states: Vec<ActionState> = results(&events).into_iter().map(|(_, state, _)| state).collect();
    let done = || ActionState::Completed;
    assert_eq!(states, [done(), done(), done(), done(), ActionState::Denied]);
}
