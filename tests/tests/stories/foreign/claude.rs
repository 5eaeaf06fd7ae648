//! Claude Code.

use super::*;
use oz_core::ErrorCode;
use serde_json::json;

fn variables(url: &str) -> [(&str, &str); 2] {
    [("ANTHROPIC_API_KEY", KEY), ("ANTHROPIC_BASE_URL", url)]
}

fn bash(command: &str) -> (String, serde_json::Value) {
    ("Bash".to_owned(), json!({ "command": command, "description": "Do it" }))
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
        Turn {
            calls: vec![("Read".into(), json!({ "file_path": "greet.sh" })), bash(FIX)],
            ..Turn::default()
        },
        Turn::text("The greeting is right."),
    ])
    .await;
    let world = world(&variables(&model.url()));
    let (run, events) = mends(&world, config(&world, HarnessType::Claude, None)).await;
    assert_eq!(run.status_message.unwrap().message, "The greeting is right.");
    assert_eq!(paired(&events), ["run_command", "read_files", "run_command"]);
    let used = run.request_usage.unwrap();
    assert_eq!(used.total_tokens, Some(360), "every call counts once");
    assert!(used.inference_cost_usd.unwrap() > 0.0);
    let asked = model.requests().iter().find(|request| !request.aside).unwrap().body.to_string();
    for text in ["You are the greeter's own helper.", "bow first"] {
        assert!(asked.contains(text), "{text}");
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, HarnessEvent::Session { format, .. } if format == "claude_code"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cancelled_with_all_that_it_started() {
    let model =
        service(vec![Turn { calls: vec![bash("setsid sleep 7531 & sleep 7531")], ..Turn::default() }]).await;
    let world = world(&variables(&model.url()));
    is_cancelled(&world, config(&world, HarnessType::Claude, None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said_soon() {
    let mut model = service(vec![Turn::text("never")]).await;
    model.allow_violations();
    let url = model.url();
    let world = world(&[("ANTHROPIC_API_KEY", "sk-of-somebody-else-0123"), ("ANTHROPIC_BASE_URL", &url)]);
    let run_id = world.dispatch("please fix the greeting", config(&world, HarnessType::Claude, None)).await;
    let run = world.wait_within(run_id, LIMIT).await;
    let code = run.status_message.clone().unwrap().error_code;
    assert_eq!(
        (run.state, code),
        (RunState::Failed, Some(ErrorCode::AuthenticationRequired)),
        "{:?}",
        run.status_message
    );
}
