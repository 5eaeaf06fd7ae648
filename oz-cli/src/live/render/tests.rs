use super::*;
use serde_json::json;

/// The lines of a whole story, without colour.
fn shown(events: Value) -> String {
    let events: Vec<HarnessEvent> = serde_json::from_value(events).unwrap();
    let lines: Vec<String> = events.iter().filter_map(|e| event(e, Long::Cut)).collect();
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

fn action_of(name: &str, input: &Value) -> Value {
    json!({ "type": "action", "id": "1", "category": "command", "name": name, "input": input })
}

fn result_of(name: &str, state: &str, output: &Value) -> Value {
    json!({ "type": "action_result", "action_id": "1", "category": "command", "name": name, "state": state, "output": output })
}

#[test]
fn a_story() {
    let story = shown(json!([
        { "type": "prompt", "text": "fix it" },
        { "type": "stage", "name": "setup_environment_repo_clone", "ok": true, "duration_ms": 1250, "detail": "cloned x" },
        { "type": "state", "state": "started" },
        { "type": "text", "text": "I look first.\n" },
        action_of("read_files", &json!({ "files": [{ "path": "a.rs" }, { "path": "b.rs" }] })),
        result_of("read_files", "completed", &json!({ "files": [] })),
        action_of("run_command", &json!({ "command": "make test" })),
        result_of("run_command", "completed", &json!({ "status": "complete", "exit_code": 2, "output": "no\u{1b}[2Jrule\n" })),
        action_of("edit_files", &json!({ "title": "t", "file_paths": ["a.rs"] })),
        result_of("edit_files", "completed", &json!({ "diff": "--- a/a.rs\n+++ b/a.rs\n@@ -1 +1 @@\n-a\n+b\n" })),
        action_of("grep", &json!({ "queries": ["x", "y"], "path": "." })),
        result_of("grep", "failed", &json!({ "error": "the pattern 'x(' is not valid" })),
        action_of("call_mcp_tool", &json!({ "name": "n", "input": {} })),
        action_of("report_artifact", &json!({})),
        { "type": "artifact", "artifact": { "artifact_type": "PULL_REQUEST", "data": { "url": "u", "branch": "b" } } },
        action_of("finish", &json!({ "success": true, "summary": "done" })),
        { "type": "usage", "model": "m", "usage": {} },
        { "type": "state", "state": "succeeded", "message": "done" }
    ]));
    insta::assert_snapshot!(story, @r#"
    [repositories after 1.2 s: cloned x]
    I look first.
    Reading a.rs, b.rs
    Running `make test`
      norule
    (exited with code 2)
    Editing a.rs
      --- a/a.rs
      +++ b/a.rs
      @@ -1 +1 @@
      -a
      +b
    Grepping for x, y
      the pattern 'x(' is not valid
    call_mcp_tool {"input":{},"name":"n"}
    Created pull request u (branch: b)
    "#);
}

#[test]
fn long_output_keeps_its_end() {
    let output: String = (1..=30).map(|n| format!("line {n}\n")).collect();
    let text =
        shown(json!([result_of("run_command", "completed", &json!({ "exit_code": 0, "output": output }))]));
    assert_eq!(text.lines().count(), SHOWN + 1);
    assert!(text.starts_with("  … 10 lines more\n  line 11\n") && text.ends_with("  line 30"), "{text}");
}

#[test]
fn failures_are_shown_with_their_reason() {
    let killed = json!({ "output": "so far", "error": "killed after 1 s" });
    let text = shown(json!([
        { "type": "stage", "name": "setup_environment_setup_commands", "ok": false, "duration_ms": 61_000,
          "detail": "setup command 1 `make` ended with exit code 2\nmore" },
        result_of("run_command", "failed", &killed),
    ]));
    insta::assert_snapshot!(text, @"
    [setup commands failed after 1 min 1 s: setup command 1 `make` ended with exit code 2]
      so far
      killed after 1 s
    ");
}

#[test]
fn tasks_plans_and_questions_are_shown_as_such() {
    let request = |more: Value| {
        let mut request =
            json!({ "request_id": uuid::Uuid::nil(), "kind": "question", "title": "Which colour?" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "request", "request": request })
    };
    let text = shown(json!([
        action_of("update_tasks", &json!({ "tasks": [] })),
        { "type": "tasks", "tasks": [{ "title": "look", "state": "completed" }, { "title": "change", "state": "in_progress" },
            { "title": "test", "state": "pending" }, { "title": "wait", "state": "cancelled" }, { "title": "new", "state": "odd" }] },
        action_of("write_plan", &json!({ "title": "Paint", "text": "1. **red**\n2. blue" })),
        action_of("ask_user", &json!({ "question": "Which colour?" })),
        request(json!({ "options": ["red", "blue"] })),
        request(json!({ "kind": "approval", "title": "Run: cat <<X", "detail": { "command": "cat <<X\n1\nX" }, "reason": "always_ask" })),
        request(json!({ "kind": "approval", "title": "Run: ls", "detail": { "command": "ls" } })),
        request(json!({ "kind": "approval", "title": "Change a.rs", "detail": { "file_paths": ["a.rs"], "edits": [{ "path": "a.rs", "old": "a", "new": "b\nc" }] } })),
    ]));
    insta::assert_snapshot!(text, @"
      ☑ look
      ▸ change
      ☐ test
      ☒ wait
      ☐ new
    Plan: Paint
      1. red
      2. blue
    It asks: Which colour?
      1. red
      2. blue
    It asks for leave: Run: cat <<X
      cat <<X
      1
      X
    always_ask
    It asks for leave: Run: ls
    It asks for leave: Change a.rs
      a.rs
      -a
      +b
      +c
    ");
}

#[test]
fn what_is_left_out_is_elsewhere() {
    let output = (1..=21).map(|n| format!("{n}\n")).collect::<String>();
    let event: HarnessEvent =
        serde_json::from_value(result_of("run_command", "completed", &json!({ "output": output }))).unwrap();
    let text =
        anstream::adapter::strip_str(&super::event(&event, Long::Elsewhere("ID")).unwrap()).to_string();
    assert!(text.starts_with("  … 1 lines more, in `oz run transcript ID`\n"), "{text}");
    let whole = super::event(&event, Long::Whole).unwrap();
    assert_eq!(whole.lines().count(), 21);
}

#[test]
fn what_has_no_line_of_its_own_is_named_when_it_fails() {
    let result = json!({ "type": "action_result", "action_id": "1", "category": "other", "name": "update_tasks",
        "state": "failed", "output": { "error": "unknown field `status`" } });
    let text = shown(json!([action_of("update_tasks", &json!({ "tasks": [] })), result]));
    assert_eq!(text.trim(), "update_tasks: unknown field `status`");
}
