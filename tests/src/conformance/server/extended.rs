//! The cases of what this project adds to the published protocol.

use super::{
    Host,
    cases::{Case, cases},
};
use crate::conformance::{Check, ensure, fake_worker::status};
use oz_core::{RunState, api::ListWorkers, config::AgentConfig, worker::InstanceShape};
use serde_json::json;
use uuid::Uuid;

pub(super) fn all() -> Vec<(&'static str, Case)> {
    cases! {
        no_more_runs_than_slots
        a_worker_that_drains_gets_no_runs
        a_run_with_labels_goes_to_a_worker_that_has_them
        a_process_that_comes_again_gets_no_runs_on_its_old_line
        a_status_names_what_is_not_there
        a_lost_claim_is_repaired_by_a_status
        the_image_and_the_size_of_the_container_arrive
        what_a_worker_says_of_itself_can_be_read
    }
}

async fn no_more_runs_than_slots(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("one at a time", Some(1), &[]).await?;
    let (first, assigned) = host.claimed(&mut worker).await?;
    let runs = [host.create().await?, host.create().await?];
    worker.unassigned().await?;
    let last = host.until(runs[1], |run| run.queue.is_some()).await?;
    let told = last.queue.map(|queue| (queue.position, queue.reason));
    let expected = format!("waiting: worker '{}' is full; 2nd in the queue", host.id);
    ensure!(told == Some((Some(2), expected)), "it is told to wait so: {told:?}");
    worker.complete(&assigned).await?;
    host.settles(first, RunState::Succeeded).await?;
    for run_id in runs {
        let assigned = worker.assignment().await?;
        ensure!(assigned.task_id == run_id.to_string(), "out of turn: {}", assigned.task_id);
        worker.claim(&assigned).await?;
        worker.complete(&assigned).await?;
        host.until(run_id, |run| run.state == RunState::Succeeded).await?;
    }
    Ok(())
}

async fn a_worker_that_drains_gets_no_runs(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("leaving", None, &[]).await?;
    let (first, claimed) = host.claimed(&mut worker).await?;
    let mut leaving = status("leaving", None, &claimed.executions());
    leaving["data"]["draining"] = json!(true);
    worker.send(&leaving).await?;
    worker.seen().await?;
    let run_id = host.create().await?;
    worker.unassigned().await?;
    let run = host.until(run_id, |run| run.queue.is_some()).await?;
    let expected = format!("waiting: worker '{}' is draining", host.id);
    ensure!(run.queue.as_ref().is_some_and(|queue| queue.reason == expected), "{:?}", run.queue);
    let mut other = host.worker_as("staying", None, &[]).await?;
    let assigned = other.assignment().await?;
    other.claim(&assigned).await?;
    other.complete(&assigned).await?;
    worker.complete(&claimed).await?;
    host.settles(run_id, RunState::Succeeded).await?;
    host.settles(first, RunState::Succeeded).await.map(drop)
}

async fn a_run_with_labels_goes_to_a_worker_that_has_them(host: &Host<'_>) -> Check {
    let mut plain = host.worker_as("plain", None, &[]).await?;
    let worker_labels = [("gpu".to_owned(), "a100".to_owned())].into();
    let run_id = host.create_with(AgentConfig { worker_labels, ..AgentConfig::default() }).await?;
    plain.unassigned().await?;
    let run = host.until(run_id, |run| run.queue.is_some()).await?;
    let expected = format!("waiting: no worker '{}' with label gpu=a100 is connected (1 connected)", host.id);
    let told = run.status_message.map(|status| status.message);
    ensure!(told.as_deref() == Some(&expected), "{told:?}");
    // What asks for less passes it.
    let (behind, assigned) = host.claimed(&mut plain).await?;
    plain.complete(&assigned).await?;
    host.settles(behind, RunState::Succeeded).await?;
    let mut able = host.worker_as("able", None, &[]).await?;
    let mut with_labels = status("able", None, &[]);
    with_labels["data"]["labels"] = json!({ "gpu": "a100", "zone": "1" });
    able.send(&with_labels).await?;
    let assigned = able.assignment().await?;
    ensure!(assigned.task_id == run_id.to_string(), "another run: {}", assigned.task_id);
    able.claim(&assigned).await?;
    able.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_process_that_comes_again_gets_no_runs_on_its_old_line(host: &Host<'_>) -> Check {
    // It stays open, as a line does whose other end nobody can reach.
    let mut half_open = host.worker_as("the same", None, &[]).await?;
    let (first, claimed) = host.claimed(&mut half_open).await?;
    let mut worker = host.worker_as("the same", None, &claimed.executions()).await?;
    worker.seen().await?;
    for _ in 0..3 {
        let (run_id, assigned) = host.claimed(&mut worker).await?;
        worker.complete(&assigned).await?;
        host.settles(run_id, RunState::Succeeded).await?;
    }
    worker.complete(&claimed).await?;
    let run = host.settles(first, RunState::Succeeded).await?;
    let attempt = run.execution.map(|execution| execution.attempt);
    ensure!(attempt == Some(1), "attempt {attempt:?}");
    Ok(())
}

async fn a_status_names_what_is_not_there(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("confused", None, &[Uuid::new_v4().to_string()]).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_lost_claim_is_repaired_by_a_status(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("terse", None, &[]).await?;
    let run_id = host.create().await?;
    let assigned = worker.assignment().await?;
    worker.send(&status("terse", None, &assigned.executions())).await?;
    host.until(run_id, |run| run.state == RunState::Claimed).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn the_image_and_the_size_of_the_container_arrive(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let config = AgentConfig {
        docker_image: Some("registry.example/dev:3".to_owned()),
        instance_shape: Some(InstanceShape { vcpus: Some(4), memory_gb: None }),
        ..AgentConfig::default()
    };
    for (config, image, shape) in [
        (config, json!("registry.example/dev:3"), json!({ "vcpus": 4 })),
        (AgentConfig::default(), json!(null), json!(null)),
    ] {
        let run_id = host.create_with(config).await?;
        let assigned = worker.assignment().await?;
        worker.claim(&assigned).await?;
        worker.complete(&assigned).await?;
        ensure!(assigned.data["docker_image"] == image, "image {}", assigned.data["docker_image"]);
        ensure!(assigned.data["instance_shape"] == shape, "shape {}", assigned.data["instance_shape"]);
        host.settles(run_id, RunState::Succeeded).await?;
    }
    Ok(())
}

async fn what_a_worker_says_of_itself_can_be_read(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("known", None, &[]).await?;
    worker
        .send(&json!({ "type": "worker_status", "data": { "instance_id": "known", "slots": 3,
            "backend": "docker", "version": "7", "labels": { "gpu": "a100" }, "active": [] } }))
        .await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    let listed = host.subject.client()?.send(&ListWorkers {}).await.map_err(|e| e.to_string())?;
    let Some(known) = listed.workers.iter().find(|known| known.worker_host == host.id) else {
        return Err("it is not in the list".to_owned());
    };
    let told =
        (known.slots, known.active, known.backends.join(" "), known.versions.join(" "), known.draining);
    let expected = (Some(3), 1, "docker".to_owned(), "7".to_owned(), false);
    ensure!(told == expected, "it is told so: {told:?}");
    ensure!(known.labels.get("gpu").is_some_and(|gpu| gpu == "a100"), "labels {:?}", known.labels);
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}
