//! Containers that outlive their worker.

use super::{Yard, script};
use oz_core::RunState;
use oz_tests::{docker::Docker, history};

const WAITS: &str =
    "echo once >> /workspace/started; until [ -e /workspace/go ]; do sleep 0.1; done; cat /workspace/started";

async fn finishes_once(yard: &Yard, run_id: oz_core::RunId) {
    let (run, said) = yard.over(run_id).await;
    let log = yard.world.read_log(&yard.worker_id);
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}\n{log}", run.status_message);
    assert_eq!(run.execution.unwrap().attempt, 1, "{log}");
    let wrong = history::check(&yard.world.database(), &Default::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
    yard.tidy();
}

fn go(yard: &Yard, run_id: oz_core::RunId) {
    yard.docker.run(&["exec", &yard.container(run_id), "touch", "/workspace/go"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_followed_by_one_that_goes_on() {
    let mut yard = Yard::new("d-kill", &script(&[WAITS]), &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.debian())).await;
    yard.until_made(run_id, "started").await;
    yard.world.kill_worker(yard.worker);
    yard.worker = yard.world.start_docker_worker("d-kill", &[]);
    go(&yard, run_id);
    finishes_once(&yard, run_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_between_two_workers_is_told_by_the_second() {
    let mut yard = Yard::new("d-term", &script(&[WAITS]), &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    yard.until_made(run_id, "started").await;
    yard.world.stop_worker(yard.worker);
    let container = yard.container(run_id);
    assert_eq!(yard.docker.run(&["inspect", "--format", "{{.State.Running}}", &container]), "true");
    go(&yard, run_id);
    yard.docker.run(&["wait", &container]);
    yard.worker = yard.world.start_docker_worker("d-term", &[]);
    finishes_once(&yard, run_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_one_name_leave_the_runs_of_each_other_alone() {
    let mut yard = Yard::new("d-twins", &script(&[WAITS]), &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    yard.until_made(run_id, "started").await;
    // It would say so before it connects.
    let second = yard.world.start_docker_worker("d-twins", &[]);
    go(&yard, run_id);
    finishes_once(&yard, run_id).await;
    yard.world.stop_worker(second);
    let log = yard.world.read_log("d-twins");
    assert!(!log.contains("goes on with a run"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_leaves_its_runs_to_another_of_its_name() {
    let mut yard = Yard::new("d-heir", &script(&[WAITS]), &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    yard.until_made(run_id, "started").await;
    let heir = yard.world.start_docker_worker("d-heir", &[]);
    yard.world.kill_worker(yard.worker);
    yard.worker = heir;
    go(&yard, run_id);
    finishes_once(&yard, run_id).await;
}

/// A run whose engine ends and comes back, with this option.
async fn restarted(option: &str, worker_id: &str) -> (Yard, oz_core::RunId) {
    // It ends with the process.
    let docker = Box::leak(Box::new(Docker::start(worker_id, option)));
    let yard = Yard::with(docker, worker_id, &script(&[WAITS]), &[], &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    yard.until_made(run_id, "started").await;
    docker.restart();
    (yard, run_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_keeps_its_containers_may_restart() {
    let (yard, run_id) = restarted("--live-restore", "d-live").await;
    go(&yard, run_id);
    finishes_once(&yard, run_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ended_with_its_engine_is_tried_again() {
    let (yard, run_id) = restarted("", "d-engine").await;
    yard.until(run_id, |run| run.execution.as_ref().is_some_and(|e| e.attempt == 2)).await;
    yard.until_made(run_id, "started").await;
    go(&yard, run_id);
    let (run, said) = yard.over(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{said}", run.status_message);
    let log = yard.world.read_log("d-engine");
    assert!(log.contains("while the engine was restarted"), "{log}");
    yard.tidy();
}
