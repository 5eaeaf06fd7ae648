//! The preparation of a run, when it goes wrong and while it goes on.

use oz_core::{
    ErrorCode, Run, RunId, RunState,
    api::ReadLog,
    config::{AgentConfig, SourceRepo},
    harness::HarnessEvent,
    transcript::LogItem,
};
use oz_tests::World;
use std::{fs, time::Duration};

const SCRIPT: &str = "
scripts:
  - match: go on
    turns: [{ tool_calls: [{ name: finish, input: { summary: It went on. } }] }]
";

fn after(commands: &[&str]) -> AgentConfig {
    let setup_commands = commands.iter().map(|c| (*c).to_owned()).collect();
    AgentConfig { setup_commands, ..AgentConfig::default() }
}

async fn log_of(world: &World, run_id: RunId) -> Vec<HarnessEvent> {
    let page = world.client().send(&ReadLog { run_id, since: 0, limit: None }).await.unwrap();
    let entries = page.items.into_iter().filter_map(|item| match item {
        LogItem::Entry { entry } => entry.event.known().cloned(),
        LogItem::Event { .. } => None,
    });
    entries.collect()
}

/// The run must have failed in its preparation; returns what it says.
fn failed(run: Run) -> String {
    let status = run.status_message.unwrap();
    let found = (run.state, status.error_code);
    assert_eq!(found, (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)), "{}", status.message);
    status.message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_named_with_its_exit_code_and_last_lines() {
    let world = World::scripted(SCRIPT);
    let run_id = world.dispatch("go on", after(&["true", "seq 1 200; echo no such tool >&2; exit 7"])).await;
    let message = failed(world.wait(run_id).await);
    for part in ["setup command 2", "seq 1 200", "exit code 7", "200\nno such tool"] {
        assert!(message.contains(part), "'{part}' is missing: {message}");
    }
    assert!(!message.contains("\n100\n"), "{message}");
    let stages: Vec<(String, bool)> = log_of(&world, run_id)
        .await
        .into_iter()
        .filter_map(|event| match event {
            HarnessEvent::Stage { name, ok, .. } => Some((name, ok)),
            _ => None,
        })
        .filter(|(name, _)| name == "setup_environment_setup_commands")
        .collect();
    assert_eq!(stages.iter().map(|(_, ok)| *ok).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_is_ended_with_its_whole_family() {
    let world = World::scripted(SCRIPT);
    let config = AgentConfig {
        setup_timeout_seconds: Some(1),
        ..after(&["echo waiting; (trap '' TERM; setsid sleep 600) & sleep 600"])
    };
    let run_id = world.dispatch("go on", config).await;
    let message = failed(world.wait(run_id).await);
    assert!(message.contains("did not end within 1 s") && message.contains("waiting"), "{message}");
    world.no_agents(Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_of_output_neither_fills_the_log_nor_stops_the_run() {
    let world = World::scripted(SCRIPT);
    let flood =
        "head -c 536870912 /dev/zero | tr '\\0' x; yes a line of words | head -c 536870912; echo the end";
    let run_id = world.dispatch("go on", after(&[flood])).await;
    let run = world.wait_within(run_id, Duration::from_secs(240)).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    let log = log_of(&world, run_id).await;
    let text: String = log
        .iter()
        .filter_map(|event| match event {
            HarnessEvent::Output { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert!((10_000..200_000).contains(&text.len()), "{}", text.len());
    assert!(text.contains("the end"), "the last lines are missing");
    assert!(serde_json::to_string(&log).unwrap().len() < 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_there_while_the_command_works() {
    let world = World::scripted(SCRIPT);
    let gate = world.path().join("gate");
    let command =
        format!("echo step one; while [ ! -e '{}' ]; do sleep 0.05; done; echo step two", gate.display());
    let run_id = world.dispatch("go on", after(&[&command])).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let seen = log_of(&world, run_id)
            .await
            .into_iter()
            .any(|event| matches!(event, HarnessEvent::Output { text, .. } if text.contains("step one")));
        if seen {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "no output while the command works");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!world.run(run_id).await.state.is_over());
    fs::write(gate, "").unwrap();
    assert_eq!(world.wait(run_id).await.state, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_gone_is_named_with_what_git_said() {
    let world = World::scripted(SCRIPT);
    let kept = world.git_repo("kept", &[("a", "a\n")]);
    let gone = world.git_repo("gone", &[("a", "a\n")]);
    fs::remove_dir_all(&gone).unwrap();
    let repo = |url: &str| SourceRepo { url: url.to_owned(), checkout_ref: None };
    let config = AgentConfig { source_repos: vec![repo(&kept), repo(&gone)], ..AgentConfig::default() };
    let run_id = world.dispatch("go on", config).await;
    let message = failed(world.wait(run_id).await);
    assert!(message.contains(&gone) && message.contains("does not exist"), "{message}");
    let config = AgentConfig {
        source_repos: vec![SourceRepo { url: kept, checkout_ref: Some("no-such-branch".into()) }],
        ..AgentConfig::default()
    };
    let run_id = world.dispatch("go on", config).await;
    let message = failed(world.wait(run_id).await);
    assert!(message.contains("no-such-branch"), "{message}");
}
