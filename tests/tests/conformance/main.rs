//! The control plane and the worker of this project against the conformance suite of their protocol.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use oz_client::Client;
use oz_core::{
    RunState,
    api::{AppendTranscript, CreateApiKey, CreateIdentity, UpdateRun},
    config::AgentConfig,
};
use oz_tests::{
    World,
    conformance::{
        failed,
        fake_worker::{FakeWorker, Profile, status},
        server,
        storm::Storm,
        weather::Weather,
        worker,
    },
    history,
    world::{KEY, Options, oz_binary},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

fn world(lease: u32) -> World {
    World::start(Options { embedded_worker: false, lease, ..Options::default() })
}

fn check(world: &World) {
    let wrong = history::check(&world.database(), &BTreeMap::new());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_plane_keeps_to_the_protocol() {
    let world = world(2);
    let subject = server::Subject { url: world.url(), key: KEY.to_owned(), lease: Duration::from_secs(2) };
    let failed = failed(&subject.run().await.unwrap());
    assert!(failed.is_empty(), "{failed}\n{}", world.read_log("server"));
    check(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_keeps_to_the_protocol() {
    let words = [
        "worker",
        "--worker-id",
        "{id}",
        "--workspace-root",
        "{dir}/workspaces",
        "--setup-command",
        "{setup}",
        "--max-concurrent-tasks",
        "1",
        "--drain-timeout",
        "1s",
    ];
    let command = std::iter::once(oz_binary().to_string_lossy().into_owned()).chain(words.map(str::to_owned));
    let failed = failed(&worker::Subject { command: command.collect() }.run().await);
    assert!(failed.is_empty(), "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_weather_loses_a_run_or_tries_it_twice() {
    let world = world(10);
    // A new seed each time; a failure names it.
    let first = u64::from(std::process::id());
    for seed in first..first + 3 {
        let weather = Weather {
            url: world.url(),
            key: KEY.to_owned(),
            host: format!("weather-{seed}"),
            workers: 4,
            runs: 40,
            seed,
        };
        weather.pass().await.unwrap();
    }
    check(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_workers_come_back_at_once_three_times() {
    // Servers inherit it.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    assert!(limit.maximum.is_none_or(|most| most >= 8192), "the limit of open files is {:?}", limit.maximum);
    let world = world(60);
    let storm = Storm {
        url: world.url(),
        key: KEY.to_owned(),
        host: "storm".to_owned(),
        hosts: 20,
        workers: 2000,
        runs: 300,
        times: 3,
    };
    let runs = storm.pass().await.unwrap();
    assert_eq!(runs.len(), 300);
    check(&world);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_and_admins_open_the_socket_and_members_do_not() {
    let world = world(2);
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&world.oz(&[args, &["--output-format", "json"]].concat()).success()).unwrap()
    };
    let code = json(&["user", "invite", "ann@example.com"])["code"].as_str().unwrap().to_owned();
    let member =
        json(&["user", "accept", &code, "--name", "Ann"])["raw_api_key"].as_str().unwrap().to_owned();
    let new = CreateIdentity { name: "robot".into(), ..CreateIdentity::default() };
    let robot = world.client().send(&new).await.unwrap();
    let new = CreateApiKey { name: "worker".into(), agent_uid: Some(robot.uid), ..CreateApiKey::default() };
    let agent = world.client().send(&new).await.unwrap().raw_api_key;
    let dial =
        async |key: &str| FakeWorker::dial(&world.url(), "w", Some(key), Profile::Extended).await.map(drop);
    dial(KEY).await.unwrap();
    dial(&agent).await.unwrap();
    let refused = dial(&member).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("this is a member's personal key"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_worker_is_gone_lives_by_what_its_agent_says() {
    let world = world(1);
    let config = AgentConfig { worker_host: Some("w".into()), ..AgentConfig::default() };
    let run_id = world.dispatch("outlive the worker", config).await;
    let mut worker = FakeWorker::dial(&world.url(), "w", Some(KEY), Profile::Extended).await.unwrap();
    worker.send(&status("first", None, &[])).await.unwrap();
    let assigned = worker.assignment().await.unwrap();
    worker.claim(&assigned).await.unwrap();
    world.until(run_id, |run| run.state == RunState::Claimed).await;
    drop(worker);
    let token = assigned.data["env_vars"]["WARP_API_KEY"].as_str().unwrap().to_owned();
    let agent = Client::new(&world.url(), Some(token)).unwrap();
    agent.send(&UpdateRun::started()).await.unwrap();
    let nothing = AppendTranscript { entries: Vec::new(), received_followups: Vec::new() };
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        agent.send(&nothing).await.expect("it is the agent of its run still");
    }
    assert_eq!(world.run(run_id).await.execution.unwrap().attempt, 1);
    // Now it is silent, too.
    world.until(run_id, |run| run.state == RunState::Queued).await;
    assert!(agent.send(&nothing).await.is_err(), "what was given up does not come back");
    let mut worker = FakeWorker::dial(&world.url(), "w", Some(KEY), Profile::Extended).await.unwrap();
    let again = worker.assignment().await.unwrap();
    worker.claim(&again).await.unwrap();
    worker.complete(&again).await.unwrap();
    assert_eq!(world.wait(run_id).await.state, RunState::Succeeded);
}
