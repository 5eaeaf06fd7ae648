use super::*;
use serde_json::json;

impl Room {
    fn permitted(mut self, permissions: serde_json::Value) -> Self {
        self.permissions = serde_json::from_value(permissions).unwrap();
        self
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
    let events = room.run("x").await;
    let results = results(&events);
    let states: Vec<&ActionState> = results.iter().map(|(_, state, _)| state).collect();
    let (denied, done) = (&ActionState::Denied, &ActionState::Completed);
    assert_eq!(states, [denied, denied, done, denied, &ActionState::Failed], "{results:?}");
    assert_eq!(results[0].2, "this is not permitted: the permission execute_commands is 'never'");
    assert!(results[1].2.contains("the permission apply_code_diffs is 'always_ask'"), "{results:?}");
    assert!(results[3].2.contains("MCP servers"), "{results:?}");
    assert!(!room.path("ran").exists() && !room.path("made").exists() && room.path("src/made").exists());
    let asked: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            HarnessEvent::Request { request } => Some(request.title.clone()),
            _ => None,
        })
        .collect();
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
    let results = results(&room.run("x").await);
    let states: Vec<&ActionState> = results.iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [&ActionState::Denied, &ActionState::Denied, &ActionState::Completed], "{results:?}");
    assert!(results[0].2.contains("of the command denylist"), "{results:?}");
    assert!(!room.path("a").exists() && room.path("b").exists());
}
