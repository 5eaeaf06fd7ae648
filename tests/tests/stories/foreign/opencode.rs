//! opencode.

use super::*;
use oz_core::ErrorCode;
use serde_json::json;

/// A model of a service of its own kind, which opencode need not know.
const MODEL: Option<&str> = Some("anthropic/fake");

fn variables<'a>(key: &'a str, url: &'a str) -> [(&'a str, &'a str); 2] {
    [("ANTHROPIC_API_KEY", key), ("ANTHROPIC_BASE_URL", url)]
}

fn bash(command: &str) -> (String, serde_json::Value) {
    ("bash".to_owned(), json!({ "command": command, "description": "work" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let model = service(vec![
        Turn {
            reasoning: "Let me see.".into(),
            text: "I will look.".into(),
            calls: vec![bash(LOOK)],
            ..Turn::default()
        },
        Turn { calls: vec![bash(FIX)], ..Turn::default() },
        Turn::text("The greeting is right."),
    ])
    .await;
    let url = model.url();
    let world = world(&variables(KEY, &url));
    let (run, events) = mends(&world, config(&world, HarnessType::Opencode, MODEL)).await;
    assert_eq!(run.status_message.unwrap().message, "The greeting is right.");
    assert_eq!(paired(&events), ["bash", "bash"]);
    assert_eq!(run.request_usage.unwrap().total_tokens, Some(360));
    assert!(model.requests().iter().all(|request| !request.aside), "it asks for nothing beside its work");
    let asked = model.requests()[0].body.to_string();
    for text in ["You are the greeter's own helper.", "speak quietly"] {
        assert!(asked.contains(text), "{text}");
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, HarnessEvent::Session { format, .. } if format == "opencode"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said() {
    let model = service(vec![Turn::text("never")]).await;
    let url = model.url();
    let world = world(&variables("sk-of-somebody-else-0123", &url));
    let run_id =
        world.dispatch("please fix the greeting", config(&world, HarnessType::Opencode, MODEL)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let status = run.status_message.unwrap();
    assert_eq!(
        (run.state, status.error_code),
        (RunState::Failed, Some(ErrorCode::AuthenticationRequired)),
        "{}",
        status.message
    );
}
