//! The worker as its control plane sees it: a real worker with real processes below real guards, a WebSocket server
//! for the control plane, and a shell script for `oz`.

mod plane;

use super::*;
use crate::{config::tests::direct, process::Table};
use plane::{Connection, Scene};
use serde_json::json;
use std::fs;

#[tokio::test]
async fn a_run_is_claimed_done_and_cleaned_up() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.config.environment.insert("FROM_CONFIG".to_owned(), "yes".to_owned());
    scene.start();
    let mut line = plane.accept().await;
    let status = line.frame().await;
    assert_eq!((&status["type"], &status["data"]["active"]), (&json!("worker_status"), &json!([])));
    let script = "env > $NOTES/env; pwd > $NOTES/pwd; echo \"$ARGUMENTS\" > $NOTES/arguments; git config --global a.b c; echo hi > file";
    let run = line.assign(&scene, script).await;
    let claim = line.message().await;
    assert_eq!(claim["type"], "task_claimed");
    assert_eq!(claim["data"]["worker_id"], "w1");
    assert_eq!(
        (&claim["data"]["task_id"], &claim["data"]["execution_id"]),
        (&json!(run.task), &json!(run.execution))
    );
    let end = line.message().await;
    assert_eq!(
        (&end["type"], &end["data"]["execution_id"]),
        (&json!("task_completed"), &json!(run.execution))
    );

    let workspace = scene.root().join(&run.execution);
    assert_eq!(
        scene.note("pwd").trim(),
        fs::canonicalize(scene.root()).unwrap().join(&run.execution).to_str().unwrap()
    );
    assert!(scene.note("arguments").starts_with(&format!("agent run --task-id {} --sandboxed", run.task)));
    let environment = scene.note("env");
    for entry in [format!("OZ_RUN_ID={}", run.task), format!("OZ_EXECUTION_ID={}", run.execution)] {
        assert!(environment.lines().any(|line| line == entry), "{entry} is not in {environment}");
    }
    assert!(environment.contains("FROM_CONFIG=yes") && environment.contains("WARP_API_KEY=wk-1.of-the-run"));
    assert!(!environment.contains("CARGO_MANIFEST_DIR"), "the worker's own environment got through");
    scene.stop(line).await;
    assert!(!workspace.exists());
}

#[tokio::test]
async fn excess_runs_are_declined() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.config.max_concurrent_tasks = 1;
    scene.start();
    let mut line = plane.accept().await;
    assert_eq!(line.frame().await["data"]["slots"], 1);
    let first = line.assign(&scene, "while [ ! -e $NOTES/go ]; do sleep 0.02; done").await;
    let second = line.assign(&scene, "true").await;
    assert_eq!(line.message().await["data"]["task_id"], json!(first.task));
    let declined = line.message().await;
    assert_eq!(
        (&declined["type"], &declined["data"]["task_id"]),
        (&json!("task_rejected"), &json!(second.task))
    );
    assert_eq!(declined["data"]["reason"], "worker at maximum concurrency");
    scene.write_note("go");
    assert_eq!(line.message().await["type"], "task_completed");
    // The slot is free again as soon as the end was told.
    line.assign(&scene, "true").await;
    assert_eq!(line.message().await["type"], "task_claimed");
    assert_eq!(line.message().await["type"], "task_completed");
    scene.stop(line).await;
}

#[tokio::test]
async fn a_cancelled_run_is_gone_at_once_with_all_it_started() {
    let (mut scene, mut plane) = Scene::new().await;
    direct(&mut scene.config).teardown_command = Some("env > $NOTES_DIR/teardown".to_owned());
    scene.config.environment.insert("NOTES_DIR".to_owned(), scene.notes());
    scene.start();
    let mut line = plane.accept().await;
    let script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 60' & touch $NOTES/ready; while :; do sleep 1; done";
    let run = line.assign(&scene, script).await;
    assert_eq!(line.message().await["type"], "task_claimed");
    scene.wait_for("ready").await;
    let start = Instant::now();
    line.send(json!({ "type": "task_cancellation", "data": { "task_id": Uuid::new_v4() } })).await;
    line.send(json!({ "type": "task_cancellation", "data": { "task_id": run.task, "execution_id": Uuid::new_v4() } })).await;
    line.send(json!({ "type": "task_cancellation", "data": { "task_id": run.task } })).await;
    let end = line.message().await;
    assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    assert_eq!((&end["type"], &end["data"]["task_state"]), (&json!("task_completed"), &json!("CANCELLED")));
    assert_eq!(run.processes(), 0);
    scene.stop(line).await;
    let teardown = scene.note("teardown");
    assert!(teardown.contains(&format!("OZ_RUN_ID={}", run.task)) && !teardown.contains("wk-1.of-the-run"));
}

#[tokio::test]
async fn a_failure_is_explained_without_secrets() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    line.assign(&scene, "echo looking; echo \"key $WARP_API_KEY is bad\" >&2; exit 3").await;
    line.message().await;
    let end = line.message().await;
    assert_eq!(end["type"], "task_failed");
    assert_eq!(
        (&end["data"]["failure_reason"], &end["data"]["exit_code"]),
        (&json!("agent_invocation"), &json!(3))
    );
    let message = end["data"]["message"].as_str().unwrap();
    assert!(message.starts_with("the agent exited with code 3; its last output:\n"), "{message}");
    assert!(message.contains("looking") && message.contains("key [redacted] is bad"), "{message}");
    scene.stop(line).await;
}

#[tokio::test]
async fn a_missing_program_is_a_failure_not_a_crash() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.config.oz_path = "/no/such/oz".into();
    scene.start();
    let mut line = plane.accept().await;
    line.assign(&scene, "true").await;
    line.message().await;
    let end = line.message().await;
    assert_eq!(end["data"]["failure_reason"], "agent_invocation");
    assert!(end["data"]["message"].as_str().unwrap().contains("'/no/such/oz'"), "{end}");
    scene.stop(line).await;
}

#[tokio::test]
async fn setup_prepares_the_agent_or_ends_the_run() {
    let (mut scene, mut plane) = Scene::new().await;
    let setup = "[ ! -e $NOTES_DIR/broken ] || exit 4; echo \"A='from setup'\" > $OZ_ENVIRONMENT_FILE; env > $NOTES_DIR/setup";
    direct(&mut scene.config).setup_command = Some(setup.to_owned());
    scene.config.environment.insert("NOTES_DIR".to_owned(), scene.notes());
    scene.start();
    let mut line = plane.accept().await;
    line.assign(&scene, "[ \"$A\" = 'from setup' ]").await;
    line.message().await;
    assert_eq!(line.message().await["type"], "task_completed");
    let environment = scene.note("setup");
    assert!(environment.contains("CARGO_MANIFEST_DIR") && !environment.contains("wk-1.of-the-run"));
    scene.write_note("broken");
    line.assign(&scene, "touch $NOTES/never").await;
    line.message().await;
    let end = line.message().await;
    assert_eq!(
        (&end["data"]["failure_reason"], &end["data"]["exit_code"]),
        (&json!("setup_command"), &json!(4))
    );
    assert!(!scene.has_note("never"));
    scene.stop(line).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_survives_its_connection_and_its_end_is_told() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    let run = line.assign(&scene, "while [ ! -e $NOTES/go ]; do sleep 0.02; done").await;
    assert_eq!(line.message().await["type"], "task_claimed");
    let start = Instant::now();
    drop(line);
    let mut line = plane.accept().await;
    assert!(start.elapsed() < Duration::from_millis(900), "the first redial is immediate");
    let status = line.frame().await;
    assert_eq!(
        (&status["type"], &status["data"]["active"]),
        (&json!("worker_status"), &json!([run.execution]))
    );
    scene.write_note("go");
    assert_eq!(line.message().await["type"], "task_completed");
    // Gone before it answered the ping: perhaps the frame was never looked at.
    drop(line);
    let mut line = plane.accept().await;
    assert_eq!(line.frame().await["data"]["active"], json!([run.execution]));
    assert_eq!(line.message().await["type"], "task_completed");
    line.pong().await;
    drop(line);
    let mut line = plane.accept().await;
    assert_eq!(line.frame().await["data"]["active"], json!([]));
    line.silence().await;
    scene.stop(line).await;
}

#[tokio::test]
async fn refused_dials_are_tried_again() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let start = Instant::now();
    plane.refuse().await;
    let mut line = plane.accept().await;
    assert!(start.elapsed() >= Duration::from_millis(700), "it waits before it dials again");
    assert_eq!(line.frame().await["type"], "worker_status");
    scene.stop(line).await;
}

#[tokio::test]
async fn a_repeated_assignment_is_acknowledged_and_not_run_again() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    let script = "echo once >> $NOTES/count; while [ ! -e $NOTES/go ]; do sleep 0.02; done";
    let run = line.assign(&scene, script).await;
    line.send(run.frame.clone()).await;
    assert_eq!(line.message().await["type"], "task_claimed");
    assert_eq!(line.message().await["type"], "task_claimed");
    scene.write_note("go");
    assert_eq!(line.message().await["type"], "task_completed");
    line.send(run.frame.clone()).await;
    line.silence().await;
    assert_eq!(scene.note("count"), "once\n");
    scene.stop(line).await;
}

#[tokio::test]
async fn a_newer_execution_replaces_the_older() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    let old = line.assign(&scene, "sleep 60").await;
    line.message().await;
    let new = line.assign_again(&scene, &old, "true").await;
    let mut ends = HashMap::new();
    while ends.len() < 2 {
        let frame = line.message().await;
        if frame["type"] != "task_claimed" {
            ends.insert(frame["data"]["execution_id"].as_str().unwrap().to_owned(), frame);
        }
    }
    assert_eq!(ends[&old.execution]["data"]["failure_reason"], "task_cancelled");
    assert_eq!(ends[&new.execution]["type"], "task_completed");
    scene.stop(line).await;
}

#[tokio::test]
async fn a_shutdown_stops_the_agents_and_says_so() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    fs::write(scene.root().join("precious"), "x").unwrap();
    let mut line = plane.accept().await;
    let run = line.assign(&scene, "trap '' TERM; touch $NOTES/ready; while :; do sleep 1; done").await;
    line.message().await;
    scene.wait_for("ready").await;
    scene.shutdown.cancel();
    let late = line.assign(&scene, "true").await;
    let (mut declined, mut end) = (json!(null), json!(null));
    while end.is_null() {
        let frame = line.message().await;
        if frame["type"] == "task_rejected" { declined = frame } else { end = frame }
    }
    assert_eq!(
        (&declined["type"], &declined["data"]["task_id"]),
        (&json!("task_rejected"), &json!(late.task))
    );
    assert_eq!(
        (&end["type"], &end["data"]["failure_reason"]),
        (&json!("task_failed"), &json!("graceful_shutdown"))
    );
    assert_eq!(line.close_code().await, Some(1000));
    scene.stop(line).await;
    assert_eq!(run.processes(), 0);
    assert!(!scene.root().join(&run.execution).exists() && scene.root().join("precious").exists());
}

#[tokio::test]
async fn a_worker_that_vanishes_leaves_nothing_and_its_successor_tidies_up() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    let run = line.assign(&scene, "trap '' TERM; touch $NOTES/ready; while :; do sleep 1; done").await;
    scene.wait_for("ready").await;
    scene.vanish().await;
    run.wait_until_gone(Duration::from_secs(2)).await;
    assert!(scene.root().join(&run.execution).exists(), "nobody was left to delete it");
    scene.start();
    let line = plane.accept().await;
    assert!(!scene.root().join(&run.execution).exists());
    scene.stop(line).await;
}

#[tokio::test]
async fn worker_process() {
    if let (Ok(directory), Ok(server)) =
        (std::env::var(plane::WORKER_DIRECTORY), std::env::var(plane::WORKER_SERVER))
    {
        run(plane::config(directory.as_ref(), &server), CancellationToken::new()).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_survives_a_worker_that_is_killed_together_with_its_guards() {
    let kill = |pid, signal| rustix::process::kill_process(pid, signal).unwrap();
    let (mut scene, mut plane) = Scene::new().await;
    let mut worker = scene.start_process("worker::tests::worker_process");
    let mut line = plane.accept().await;
    let run = line.assign(&scene, "setsid sh -c 'touch $NOTES/ready; sleep 60' & sleep 60").await;
    scene.wait_for("ready").await;
    let pid = rustix::process::Pid::from_child(&worker);
    let guard = Table::read().children(pid).next().unwrap().pid;
    kill(guard, rustix::process::Signal::STOP);
    worker.kill().unwrap();
    worker.wait().unwrap();
    kill(guard, rustix::process::Signal::KILL);
    assert!(run.processes() > 0, "the test must have something to find");
    scene.start();
    let line = plane.accept().await;
    assert_eq!(run.processes(), 0);
    assert!(!scene.root().join(&run.execution).exists());
    scene.stop(line).await;
}

#[tokio::test]
async fn a_killed_guard_takes_its_run_with_it() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.start();
    let mut line = plane.accept().await;
    let run = line.assign(&scene, "setsid sh -c 'touch $NOTES/ready; sleep 60' & sleep 60").await;
    line.message().await;
    scene.wait_for("ready").await;
    let table = Table::read();
    let guard = table
        .children(rustix::process::getpid())
        .find(|row| crate::process::has_environment(row.pid, &run.mark()));
    rustix::process::kill_process(guard.unwrap().pid, rustix::process::Signal::KILL).unwrap();
    let end = line.message().await;
    assert_eq!((&end["type"], &end["data"]["exit_code"]), (&json!("task_failed"), &json!(137)));
    assert_eq!(run.processes(), 0);
    scene.stop(line).await;
}

#[tokio::test]
async fn status_is_told_at_intervals() {
    let (mut scene, mut plane) = Scene::new().await;
    scene.config.lease = Duration::from_millis(300);
    scene.start();
    let mut line: Connection = plane.accept().await;
    let first = line.frame().await;
    for _ in 0..3 {
        assert_eq!(line.frame().await, first);
    }
    scene.stop(line).await;
}
