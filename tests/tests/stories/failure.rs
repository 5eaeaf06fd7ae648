//! Runs that fail say what failed, and `oz` exits accordingly.

use oz_core::{
    ErrorCode, RunState,
    config::{AgentConfig, Limits, SourceRepo},
};
use oz_tests::World;

const SCRIPT: &str = r#"
scripts:
  - match: give up
    turns:
      - tool_calls: [{ name: finish, input: { success: false, summary: I could not do it. } }]
  - match: loop
    turns: [{ tool_calls: [{ name: run_command, input: { command: "true" } }] },
            { tool_calls: [{ name: run_command, input: { command: "true" } }] },
            { tool_calls: [{ name: run_command, input: { command: "true" } }] }]
  - match: anything
    turns: [{ text: fine }]
"#;

#[test]
fn an_agent_that_gives_up_fails_the_run_and_the_command() {
    let world = World::scripted(SCRIPT);
    let out = world.oz(&["agent", "run-cloud", "-p", "give up", "--wait"]);
    assert_eq!(out.code, 1, "{}", out.stdout);
    assert!(format!("{}{}", out.stdout, out.stderr).contains("I could not do it."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_setup_command_is_named_with_its_exit_code_and_last_lines() {
    let world = World::scripted(SCRIPT);
    let config = AgentConfig {
        setup_commands: vec!["true".into(), "echo about to break; echo because >&2; exit 7".into()],
        ..AgentConfig::default()
    };
    let run = world.wait(world.dispatch("anything", config).await).await;
    assert_eq!(run.state, RunState::Failed);
    let status = run.status_message.unwrap();
    assert_eq!(status.error_code, Some(ErrorCode::EnvironmentSetupFailed));
    for expected in ["setup command", "echo about to break", "exit code 7", "about to break", "because"] {
        assert!(status.message.contains(expected), "{expected} is not in: {}", status.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_there_is_named() {
    let world = World::scripted(SCRIPT);
    let url = world.path().join("no/such/repo").to_string_lossy().into_owned();
    let config = AgentConfig {
        source_repos: vec![SourceRepo { url: url.clone(), checkout_ref: None }],
        ..AgentConfig::default()
    };
    let run = world.wait(world.dispatch("anything", config).await).await;
    let status = run.status_message.unwrap();
    assert_eq!((run.state, status.error_code), (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)));
    assert!(status.message.contains("clone") && status.message.contains(&url), "{}", status.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_a_run_and_say_which() {
    let world = World::scripted(SCRIPT);
    let limits = Some(Limits { max_turns: Some(2), ..Limits::default() });
    let run =
        world.wait(world.dispatch("loop", AgentConfig { limits, ..AgentConfig::default() }).await).await;
    let status = run.status_message.unwrap();
    assert_eq!(
        (run.state, status.error_code),
        (RunState::Failed, Some(ErrorCode::BudgetExceeded)),
        "{}",
        status.message
    );
    assert!(status.message.contains('2'), "{}", status.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_no_script_answers_ends_the_run_clearly() {
    let world = World::scripted("scripts: [{ match: ^never$, turns: [] }]");
    let run = world.wait(world.dispatch("something else", AgentConfig::default()).await).await;
    assert!(run.state.is_terminal() && run.state != RunState::Succeeded);
    assert!(run.status_message.unwrap().message.contains("something else"));
}
