//! Codex.

use super::*;
use oz_core::ErrorCode;
use serde_json::json;

/// A model whose tools are functions, unlike those of its own default model.
const MODEL: Option<&str> = Some("gpt-5");

fn variables<'a>(key: &'a str, url: &'a str) -> [(&'a str, &'a str); 2] {
    [("OPENAI_API_KEY", key), ("OPENAI_BASE_URL", url)]
}

fn exec(command: &str) -> (String, serde_json::Value) {
    ("exec_command".to_owned(), json!({ "cmd": command }))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let model = service(vec![
        Turn {
            reasoning: "Let me see.".into(),
            text: "I will look.".into(),
            calls: vec![exec(LOOK)],
            ..Turn::default()
        },
        Turn { calls: vec![exec(FIX)], ..Turn::default() },
        Turn::text("The greeting is right."),
    ])
    .await;
    let url = format!("{}/v1", model.url());
    let world = world(&variables(KEY, &url));
    let (run, events) = mends(&world, config(&world, HarnessType::Codex, MODEL)).await;
    assert_eq!(run.status_message.unwrap().message, "The greeting is right.");
    assert_eq!(paired(&events), ["run_command", "run_command"]);
    assert_eq!(run.request_usage.unwrap().total_tokens, Some(360), "every call counts once");
    let asked = model.requests().iter().find(|request| !request.aside).unwrap().body.to_string();
    for text in ["You are the greeter's own helper.", "speak quietly"] {
        assert!(asked.contains(text), "{text}");
    }
    assert!(
        events.iter().any(|event| matches!(event, HarnessEvent::Session { format, .. } if format == "codex"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cancelled_with_all_that_it_started() {
    let model =
        service(vec![Turn { calls: vec![exec("setsid sleep 7531 & sleep 7531")], ..Turn::default() }]).await;
    let url = format!("{}/v1", model.url());
    let world = world(&variables(KEY, &url));
    is_cancelled(&world, config(&world, HarnessType::Codex, MODEL)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said_soon() {
    let mut model = service(vec![Turn::text("never")]).await;
    model.allow_violations();
    let url = format!("{}/v1", model.url());
    let world = world(&variables("sk-of-somebody-else-0123", &url));
    let run_id = world.dispatch("please fix the greeting", config(&world, HarnessType::Codex, MODEL)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let code = run.status_message.clone().unwrap().error_code;
    assert_eq!(
        (run.state, code),
        (RunState::Failed, Some(ErrorCode::AuthenticationRequired)),
        "{:?}",
        run.status_message
    );
}
