//! Gemini CLI.

use super::{
    program::{Program, mends, stories},
    *,
};
use serde_json::json;

const GEMINI: Program = Program {
    kind: HarnessType::Gemini,
    model: Some("gemini-2.5-pro"),
    key: "GEMINI_API_KEY",
    address: "GOOGLE_GEMINI_BASE_URL",
    path: "",
    renames: true,
    format: "gemini",
    shell: |command| ("run_shell_command".to_owned(), json!({ "command": command, "description": "work" })),
    shown: "run_shell_command",
    tool: |server, tool| format!("mcp_{server}_{tool}"),
    rules: "speak quietly",
    install: "npm install -g @google/gemini-cli",
};

stories! { GEMINI;
    it_is_cancelled_with_all_that_it_started
    a_wrong_key_is_said_soon
    who_has_it_not_is_told_how_to_get_it
    a_follow_up_goes_on_in_its_conversation
    a_lost_conversation_is_told_to_it
    it_uses_servers_over_every_transport
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let (_, events, _) = mends(&GEMINI, Turn::default(), Vec::new()).await;
    assert_eq!(paired(&events), ["run_shell_command", "run_shell_command"]);
}
