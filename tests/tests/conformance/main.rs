//! The control plane and the worker of this project against the conformance suite of their protocol.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use oz_tests::{
    World,
    conformance::{failed, server, storm::Storm, weather::Weather, worker},
    history,
    world::{KEY, Options, oz_binary},
};
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
