//! Cancelling a run ends it and everything it started.

use oz_core::{RunState, config::AgentConfig};
use oz_tests::{World, history, processes};
use std::time::{Duration, Instant};

const SCRIPT: &str = r#"
scripts:
  - match: stubborn
    turns: [{ tool_calls: [{ name: run_command, input: { command: "trap '' TERM; (setsid sh -c 'while :; do sleep 1; done' &) ; touch started; while :; do sleep 1; done" } }] }]
  - match: sleep
    turns: [{ tool_calls: [{ name: run_command, input: { command: "touch started; sleep 300" } }] }]
"#;

async fn cancels(prompt: &str) {
    let world = World::scripted(SCRIPT);
    let run_id = world.dispatch(prompt, AgentConfig::default()).await;
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    let started = Instant::now();
    while !processes::of_agents(&world.workspaces()).iter().any(|p| p.command.contains("sleep")) {
        assert!(started.elapsed() < Duration::from_secs(30), "the command does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = Instant::now();
    let out = world.oz(&["run", "cancel", &run_id.to_string()]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    world.no_agents(Duration::from_secs(2).saturating_sub(asked.elapsed()));
    let run = world.run(run_id).await;
    assert_eq!(run.state, RunState::Cancelled);
    let wrong = history::check(&world.database(), &Default::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let again = world.oz(&["run", "cancel", &run_id.to_string()]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("already CANCELLED"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_in_the_middle_of_a_command() {
    cancels("sleep").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ignores_signals_and_hides_in_another_process_group_dies_too() {
    cancels("stubborn").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_run_is_cancelled_before_any_worker_sees_it() {
    let world = World::start(oz_tests::world::Options { embedded_worker: false, ..Default::default() });
    let config = AgentConfig { worker_host: Some("nobody".into()), ..AgentConfig::default() };
    let run_id = world.dispatch("wait", config).await;
    let _ = world.oz(&["run", "cancel", &run_id.to_string()]).success();
    assert_eq!(world.run(run_id).await.state, RunState::Cancelled);
}
