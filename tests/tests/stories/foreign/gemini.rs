//! Gemini CLI.

use super::*;
use oz_core::ErrorCode;
use serde_json::json;

fn variables<'a>(key: &'a str, url: &'a str) -> [(&'a str, &'a str); 2] {
    [("GEMINI_API_KEY", key), ("GOOGLE_GEMINI_BASE_URL", url)]
}

fn shell(command: &str) -> (String, serde_json::Value) {
    ("run_shell_command".to_owned(), json!({ "command": command, "description": "work" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let model = service(vec![
        Turn { text: "I will look.".into(), calls: vec![shell(LOOK)], ..Turn::default() },
        Turn { calls: vec![shell(FIX)], ..Turn::default() },
        Turn::text("The greeting is right."),
    ])
    .await;
    let url = model.url();
    let world = world(&variables(KEY, &url));
    let (run, events) = mends(&world, config(&world, HarnessType::Gemini, Some("gemini-2.5-pro"))).await;
    assert_eq!(run.status_message.unwrap().message, "The greeting is right.");
    assert_eq!(paired(&events), ["run_shell_command", "run_shell_command"]);
    assert_eq!(run.request_usage.unwrap().total_tokens, Some(360));
    let asked = model.requests().iter().find(|request| !request.aside).unwrap().body.to_string();
    for text in ["You are the greeter's own helper.", "speak quietly"] {
        assert!(asked.contains(text), "{text}");
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, HarnessEvent::Session { format, .. } if format == "gemini"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said() {
    let model = service(vec![Turn::text("never")]).await;
    let url = model.url();
    let world = world(&variables("key-of-somebody-else-0123", &url));
    let run_id = world.dispatch("please fix the greeting", config(&world, HarnessType::Gemini, None)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let status = run.status_message.unwrap();
    assert_eq!(
        (run.state, status.error_code),
        (RunState::Failed, Some(ErrorCode::AuthenticationRequired)),
        "{}",
        status.message
    );
}
