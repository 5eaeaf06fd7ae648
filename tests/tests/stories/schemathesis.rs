//! Generated requests, valid and invalid, get answers that the served OpenAPI document describes.

use futures_util::TryStreamExt as _;
use oz_client::Client;
use oz_core::{
    api::{CreateLocalRun, DeleteSchedule, FinishTask, ListRuns, ListSchedules, ReadLog},
    run::ExecutionLocation,
};
use oz_tests::{
    World, tools,
    world::{KEY, Options},
};
use std::{path::Path, time::Duration};

/// A world without workers.
fn quiet(lease: u32) -> World {
    World::start(Options { embedded_worker: false, lease, ..Default::default() })
}

/// Tests a world by its own document.
fn pass(world: &World, key: Option<&str>, operations: &[&str]) {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire");
    let program = tools::python_venv(&wire.join("schemathesis.txt")).join("bin/schemathesis");
    let mut command = tools::command(world, program);
    command
        .arg("--config-file")
        .arg(wire.join("schemathesis.toml"))
        .args(["run", "--no-color", &format!("{}/openapi.json", world.url())])
        .args(key.map(|k| format!("--header=Authorization: Bearer {k}")))
        .args(operations);
    tools::run_within(&mut command, &world.path().join("schemathesis.log"), Duration::from_secs(300));
    let log = world.read_log("server");
    assert!(!log.contains("panicked"), "{log}");
}

/// Ends what generated requests have begun.
async fn clear(world: &World) {
    let client = world.client();
    for schedule in client.send(&ListSchedules {}).await.unwrap().schedules {
        client.send(&DeleteSchedule { schedule_id: schedule.id }).await.unwrap();
    }
    let runs: Vec<_> = client.runs().list_all(ListRuns::default()).try_collect().await.unwrap();
    assert!(!runs.is_empty(), "no request was good enough to make a run");
    for run in runs.iter().filter(|run| !run.state.is_terminal()) {
        if run.execution_location == Some(ExecutionLocation::Local) {
            // Nobody but its agent may end it, and it has none.
            world.wait(run.run_id).await;
        } else {
            client.runs().cancel(run.run_id).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_gets_documented_answers() {
    let world = quiet(3);
    pass(&world, Some(KEY), &[]);
    clear(&world).await;
}

#[test]
fn a_stranger_gets_documented_answers() {
    pass(&quiet(3), None, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_of_a_run_gets_documented_answers() {
    let world = quiet(120);
    let request = CreateLocalRun { prompt: "x".into(), config: None, title: None };
    let made = world.client().send(&request).await.unwrap();
    // The excluded operations end the run, after which there is little to test.
    let operations = [
        "--include-path-regex=/harness-support/",
        "--exclude-operation-id=FinishTask",
        "--exclude-operation-id=ReportShutdown",
        "--exclude-operation-id=UpdateRun",
    ];
    pass(&world, Some(&made.workload_token), &operations);
    let log = world.client().send(&ReadLog { run_id: made.run_id, since: 0, limit: None }).await.unwrap();
    assert!(log.items.len() > 1, "no request was good enough to add to the transcript");
    let agent = Client::new(&world.url(), None).unwrap().with_workload_token(&made.workload_token);
    agent.send(&FinishTask { success: true, summary: "done".into() }).await.unwrap();
}
