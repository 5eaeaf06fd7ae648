//! Codex.

use super::{
    program::{Program, mends, stories},
    *,
};
use serde_json::json;

const CODEX: Program = Program {
    kind: HarnessType::Codex,
    // A model whose tools are functions, unlike those of its own default model.
    model: Some("gpt-5"),
    key: "OPENAI_API_KEY",
    address: "OPENAI_BASE_URL",
    path: "/v1",
    renames: false,
    format: "codex",
    shell: |command| ("exec_command".to_owned(), json!({ "cmd": command })),
    shown: "run_command",
    tool: |server, tool| format!("mcp__{server}__{}", tool.replace('-', "_")),
    rules: "speak quietly",
    install: "npm install -g @openai/codex",
};

stories! { CODEX;
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
    let (_, events, _) = mends(&CODEX, look, Vec::new()).await;
    assert_eq!(paired(&events), ["run_command", "run_command"]);
}
