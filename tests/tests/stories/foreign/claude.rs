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
