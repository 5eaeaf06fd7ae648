//! Kill -9 of everything, again and again: every run ends once, nothing is lost or seen twice, no process is left.

use futures_util::StreamExt as _;
use oz_core::{RunId, RunState, config::AgentConfig};
use oz_tests::{
    World, history,
    processes::{self, kill_9},
    world::Options,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::task::JoinHandle;

/// Some turns with small pauses, so that kills hit every stage.
pub(crate) fn script() -> String {
    let turn = "{ text: step, delay_ms: 60, tool_calls: [{ name: run_command, input: { command: 'sleep 0.1; echo done' } }] }";
    let turns = [turn; 6].join(", ");
    format!("scripts: [{{ match: work, turns: [{turns}, {{ text: all done }}] }}]")
}

/// Follows a run to its end as a client would: with one stream that comes back from its cursor.
fn watch(world: &World, run_id: RunId) -> JoinHandle<(RunId, history::Seen)> {
    let client = world.client();
    tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut stream = std::pin::pin!(client.watch(run_id, 0));
        while let Some(item) = stream.next().await {
            seen.push(item.expect("the stream survives"));
        }
        (run_id, seen)
    })
}

pub(crate) async fn finish(
    world: &World,
    watchers: Vec<JoinHandle<(RunId, history::Seen)>>,
) -> BTreeMap<RunId, history::Seen> {
    let mut all = BTreeMap::new();
    for watcher in watchers {
        let (run_id, seen) = tokio::time::timeout(Duration::from_secs(120), watcher)
            .await
            .unwrap_or_else(|_| panic!("a watcher still waits\n{}", world.read_log("server")))
            .unwrap();
        all.insert(run_id, seen);
    }
    all
}

pub(crate) fn check(world: &World, seen: &BTreeMap<RunId, history::Seen>) {
    let wrong = history::check(&world.database(), seen);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_again_and_again() {
    let mut world =
        World::start(Options { script: Some(script()), embedded_worker: false, ..Options::default() });
    world.start_worker("w1");
    let mut watchers = Vec::new();
    for round in 0..5_u64 {
        for _ in 0..2 {
            let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
            let run_id = world.dispatch("work", config).await;
            watchers.push(watch(&world, run_id));
        }
        tokio::time::sleep(Duration::from_millis(37 + 173 * round)).await;
        world.kill_server();
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.start_server();
    }
    let seen = finish(&world, watchers).await;
    check(&world, &seen);
    for run_id in seen.keys() {
        // The agents worked on while the server was away; a run whose offer was in flight was offered again.
        assert_eq!(world.run(*run_id).await.state, RunState::Succeeded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_killed_again_and_again() {
    let mut world = World::start(Options {
        script: Some(script()),
        embedded_worker: false,
        lease: 2,
        ..Options::default()
    });
    let mut watchers = Vec::new();
    let mut worker = world.start_worker("w1");
    for round in 0..3_u64 {
        for _ in 0..2 {
            let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
            let run_id = world.dispatch("work", config).await;
            watchers.push(watch(&world, run_id));
        }
        tokio::time::sleep(Duration::from_millis(250 + 211 * round)).await;
        world.kill_worker(worker);
        world.no_agents(Duration::from_secs(3));
        worker = world.start_worker("w1");
    }
    let seen = finish(&world, watchers).await;
    check(&world, &seen);
    for run_id in seen.keys() {
        let run = world.run(*run_id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_killed_and_its_run_ends_with_the_reason() {
    let world = World::scripted(&script());
    let mut runs = Vec::new();
    for round in 0..4_u64 {
        let run_id = world.dispatch("work", AgentConfig::default()).await;
        runs.push((run_id, watch(&world, run_id)));
        world.until(run_id, |run| run.state == RunState::InProgress).await;
        tokio::time::sleep(Duration::from_millis(31 * round)).await;
        let agents = processes::of_agents(&world.workspaces());
        let id = run_id.to_string();
        let agent = agents.iter().find(|p| p.command.contains(&id) && !p.command.contains("guard"));
        kill_9(agent.unwrap_or_else(|| panic!("no agent of {id} in {agents:#?}")).pid);
        let run = world.wait(run_id).await;
        assert_eq!(run.state, RunState::Error);
        let message = run.status_message.unwrap().message;
        assert!(message.contains("137") || message.contains("signal 9"), "{message}");
        world.no_agents(Duration::from_secs(2));
    }
    let (ids, watchers): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    let seen = finish(&world, watchers).await;
    assert_eq!(seen.len(), ids.len());
    check(&world, &seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_of_an_agent_is_killed_and_nothing_is_left() {
    let world = World::scripted(&script());
    let run_id = world.dispatch("work", AgentConfig::default()).await;
    let watcher = watch(&world, run_id);
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    let agents = processes::of_agents(&world.workspaces());
    let guard = agents
        .iter()
        .find(|p| p.command.contains(" guard "))
        .unwrap_or_else(|| panic!("no guard: {agents:#?}"));
    kill_9(guard.pid);
    let run = world.wait(run_id).await;
    assert!(run.state.is_terminal());
    world.no_agents(Duration::from_secs(3));
    let seen = finish(&world, vec![watcher]).await;
    check(&world, &seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_and_embedded_worker_die_together_and_the_run_is_tried_again() {
    let mut world = World::start(Options { script: Some(script()), lease: 2, ..Options::default() });
    let run_id = world.dispatch("work", AgentConfig::default()).await;
    let watcher = watch(&world, run_id);
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    world.kill_server();
    world.no_agents(Duration::from_secs(3));
    world.start_server();
    let seen = finish(&world, vec![watcher]).await;
    check(&world, &seen);
    let run = world.run(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.execution.unwrap().attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_end_gives_its_runs_back_for_the_next_start() {
    let mut world = World::start(Options { script: Some(script()), ..Options::default() });
    let run_id = world.dispatch("work", AgentConfig::default()).await;
    let watcher = watch(&world, run_id);
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    world.stop_server();
    world.no_agents(Duration::from_millis(500));
    world.start_server();
    let seen = finish(&world, vec![watcher]).await;
    check(&world, &seen);
    let run = world.run(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.execution.unwrap().attempt, 2);
}
