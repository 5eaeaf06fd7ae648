//! Several servers on one PostgreSQL database: a run made on one is dispatched by another and watched on either, and
//! the death of one loses nothing.

use crate::crash::{check, finish, script};
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{
    RunId, RunState,
    api::{CreateRun, GetRun, ListWorkers},
    config::AgentConfig,
};
use oz_tests::{
    World, history,
    proxy::Proxy,
    world::{KEY, Options},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::task::JoinHandle;

fn shared() -> World {
    World::start(Options {
        script: Some(script()),
        embedded_worker: false,
        postgres: true,
        ..Options::default()
    })
}

fn client(url: &str) -> Client {
    Client::new(url, Some(KEY.to_owned())).unwrap()
}

async fn dispatch(client: &Client) -> RunId {
    let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
    let request = CreateRun { prompt: Some("work".into()), config: Some(config), ..CreateRun::default() };
    client.send(&request).await.unwrap().run_id
}

fn watch(client: Client, run_id: RunId) -> JoinHandle<(RunId, history::Seen)> {
    tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut stream = std::pin::pin!(client.watch(run_id, 0));
        while let Some(item) = stream.next().await {
            seen.push(item.expect("the stream survives"));
        }
        (run_id, seen)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_made_on_one_server_is_dispatched_by_another_and_watched_on_either() {
    let mut world = shared();
    let (_, port) = world.start_replica();
    let (here, there) = (world.client(), client(&format!("http://127.0.0.1:{port}")));
    world.start_worker_at("w1", there.server_url());
    let run_id = dispatch(&here).await;
    let watchers = [watch(here.clone(), run_id), watch(there.clone(), run_id)];
    let mut logs = Vec::new();
    for watcher in watchers {
        logs.push(tokio::time::timeout(Duration::from_secs(60), watcher).await.unwrap().unwrap().1);
    }
    assert_eq!(logs[0], logs[1], "both servers show the same");
    let run = here.send(&GetRun { run_id }).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded);
    let workers = here.send(&ListWorkers {}).await.unwrap().workers;
    assert_eq!(workers.len(), 1, "a server knows the workers of the others: {workers:?}");
    assert_eq!(workers[0].worker_host, "w1");
    check(&world, &BTreeMap::from([(run_id, logs.remove(0))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_reaches_the_worker_of_another_server() {
    let mut world = shared();
    let (_, port) = world.start_replica();
    let there = client(&format!("http://127.0.0.1:{port}"));
    world.start_worker_at("w1", there.server_url());
    let run_id = dispatch(&world.client()).await;
    world.until(run_id, |run| run.state == RunState::InProgress).await;
    world.client().runs().cancel(run_id).await.unwrap();
    assert_eq!(world.wait(run_id).await.state, RunState::Cancelled);
    world.no_agents(Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_die_behind_one_address_and_nothing_is_lost() {
    let mut world = shared();
    let (replica, port) = world.start_replica();
    let proxy = Proxy::start(vec![world.port(), port]).await;
    let client = client(&proxy.url());
    world.start_worker_at("w1", &proxy.url());
    let mut watchers = Vec::new();
    for round in 0..3_u64 {
        for _ in 0..3 {
            watchers.push(watch(client.clone(), dispatch(&client).await));
        }
        tokio::time::sleep(Duration::from_millis(150 + 130 * round)).await;
        match round {
            0 => world.kill_server(),
            1 => {
                world.start_server();
                world.kill_replica(replica);
            }
            _ => world.database().cut_connections(),
        }
    }
    let seen = finish(&world, watchers).await;
    check(&world, &seen);
    for run_id in seen.keys() {
        assert_eq!(world.run(*run_id).await.state, RunState::Succeeded);
    }
}
