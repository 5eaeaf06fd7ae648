//! A program that the configuration describes: a shell script that works without a model.

use super::*;
use oz_core::{
    ErrorCode,
    config::{CommandHarness, CommandOutput},
};

const SCRIPT: &str = r#"
echo '{"type":"action","id":"1","category":"command","name":"sh","input":{}}'
sh test.sh
sed -i s/hallo/hello/ greet.sh && sh test.sh && git commit -qam "$1" && git push -q origin HEAD:oz/fix
echo '{"type":"action_result","action_id":"1","category":"command","name":"sh","state":"completed","output":{}}'
echo "session: s1"
echo '{"type":"state","state":"succeeded","message":"The greeting is right."}'
"#;

fn described(mut config: AgentConfig, command: CommandHarness) -> AgentConfig {
    config.harness =
        Some(HarnessConfig { kind: HarnessType::Command, command: Some(command), ..HarnessConfig::native() });
    config
}

fn script(text: &str) -> CommandHarness {
    CommandHarness {
        start: ["sh", "-c", text, "agent", "{prompt}"].map(str::to_owned).into(),
        output: Some(CommandOutput::Events),
        session_pattern: Some("^session: (.+)$".into()),
        authentication_patterns: vec!["please log in".into()],
        ..CommandHarness::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_mends_a_repository() {
    let world = World::start(Options::default());
    let run_id = world
        .dispatch(
            "please fix the greeting",
            described(config(&world, HarnessType::Command, None), script(SCRIPT)),
        )
        .await;
    let run = world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.status_message.unwrap().message, "The greeting is right.");
    assert!(fixed(&world));
    let events = events(&world, run_id).await;
    assert_eq!(paired(&events), ["sh"]);
    let named = |event: &HarnessEvent| matches!(event, HarnessEvent::Session { session_id, .. } if session_id == "s1");
    assert!(events.iter().any(named));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_it_is_said() {
    let world = World::start(Options::default());
    let missing = CommandHarness {
        start: vec!["no-such-agent".into()],
        install_hint: Some("get it from the attic".into()),
        ..CommandHarness::default()
    };
    for (command, code, text) in [
        (missing, ErrorCode::EnvironmentSetupFailed, "get it from the attic"),
        (script("echo please log in >&2; exit 1"), ErrorCode::AuthenticationRequired, "please log in"),
        (script("echo broken >&2; exit 3"), ErrorCode::InternalError, "the program ended with 3: broken"),
    ] {
        let run = world.wait(world.dispatch("do it", described(AgentConfig::default(), command)).await).await;
        let status = run.status_message.unwrap();
        assert_eq!(status.error_code, Some(code), "{}", status.message);
        assert!(run.state.is_over() && status.message.contains(text), "{}", status.message);
    }
}
