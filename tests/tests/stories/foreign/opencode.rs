//! opencode.

use super::{
    program::{Program, mends, stories},
    *,
};
use serde_json::json;

const OPENCODE: Program = Program {
    kind: HarnessType::Opencode,
    // A model of a service of its own kind, which opencode need not know.
    model: Some("anthropic/fake"),
    key: "ANTHROPIC_API_KEY",
    address: "ANTHROPIC_BASE_URL",
    path: "",
    renames: false,
    format: "opencode",
    shell: |command| ("bash".to_owned(), json!({ "command": command, "description": "work" })),
    shown: "bash",
    tool: |server, tool| format!("{server}_{tool}"),
    rules: "speak quietly",
    install: "npm install -g opencode-ai",
};

stories! { OPENCODE;
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
    let (_, events, model) = mends(&OPENCODE, look, Vec::new()).await;
    assert_eq!(paired(&events), ["bash", "bash"]);
    assert!(model.requests().iter().all(|request| !request.aside), "it asks for nothing beside its work");
}
