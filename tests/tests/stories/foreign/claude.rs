//! Claude Code.

use super::{
    program::{Program, mends, stories},
    *,
};
use serde_json::json;

const CLAUDE: Program = Program {
    kind: HarnessType::Claude,
    model: None,
    key: "ANTHROPIC_API_KEY",
    address: "ANTHROPIC_BASE_URL",
    path: "",
    renames: false,
    format: "claude_code",
    shell: |command| ("Bash".to_owned(), json!({ "command": command, "description": "Do it" })),
    shown: "run_command",
    tool: |server, tool| format!("mcp__{server}__{tool}"),
    rules: "bow first",
    install: "npm install -g @anthropic-ai/claude-code",
};

stories! { CLAUDE;
    it_is_cancelled_with_all_that_it_started
    a_wrong_key_is_said_soon
    who_has_it_not_is_told_how_to_get_it
    a_follow_up_goes_on_in_its_conversation
    a_lost_conversation_is_told_to_it
    it_uses_servers_over_every_transport
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let look = Turn { reasoning: "Let me see.".into(), ..Turn::default() };
    let read = ("Read".into(), json!({ "file_path": "greet.sh" }));
    let (run, events, _) = mends(&CLAUDE, look, vec![read]).await;
    assert_eq!(paired(&events), ["run_command", "read_files", "run_command"]);
    assert!(run.request_usage.unwrap().inference_cost_usd.unwrap() > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_what_it_may_and_asks_for_the_rest() {
    let write = |path: &str| ("Write".to_owned(), json!({ "file_path": path, "content": "new" }));
    let turn = |call| Turn { calls: vec![call], ..Turn::default() };
    let turns = vec![
        turn((CLAUDE.shell)("echo may=1")),
        turn(write("approved.txt")),
        turn((CLAUDE.shell)("cd . && touch denied.txt")),
        turn(("Read".to_owned(), json!({ "file_path": "/etc/hostname" }))),
        Turn::text("That is all."),
    ];
    let (world, model) = CLAUDE.with(KEY, vec![("do it all", turns)]).await;
    let permissions = json!({
        "apply_code_diffs": "always_ask", "command_denylist": ["touch .*"], "directory_denylist": ["/etc"],
    });
    let permissions = Some(serde_json::from_value(permissions).unwrap());
    let run_id = world.dispatch("do it all", AgentConfig { permissions, ..CLAUDE.config(&world) }).await;
    let id = run_id.to_string();
    let answers = [
        ("Change", &["approve", &id][..]),
        ("Run: cd . && touch denied.txt", &["deny", &id, "-m", "leave it"]),
        ("Read /etc/hostname", &["deny", &id]),
    ];
    for (title, answer) in answers {
        let run = world
            .until_within(run_id, |run| run.state == RunState::Blocked || run.state.is_terminal(), LIMIT)
            .await;
        let said = run.status_message.map(|status| status.message).unwrap_or_default();
        assert_eq!(run.state, RunState::Blocked, "{said}\n{}", world.read_log("server"));
        assert!(said.contains(title), "{said}");
        let words: Vec<&str> = std::iter::once("run").chain(answer.iter().copied()).collect();
        let _ = world.oz(&words).success();
    }
    let run = world.until_within(run_id, |run| run.state.is_terminal(), LIMIT).await;
    assert_eq!(
        (run.state, run.status_message.unwrap().message.as_str()),
        (RunState::Succeeded, "That is all.")
    );
    let body = model.requests().last().unwrap().body.to_string();
    for heard in ["may=1", "approved.txt", "was not approved", "leave it"] {
        assert!(body.contains(heard), "{heard}: {body}");
    }
    let events = events(&world, run_id).await;
    assert_eq!(paired(&events).len(), 4);
    let told = serde_json::to_string(&events).unwrap();
    assert_eq!(told.matches("\"type\":\"request\"").count(), 3, "{told}");
}
