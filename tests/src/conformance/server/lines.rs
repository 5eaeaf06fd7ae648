//! The cases about connections: who may make one, and what becomes of runs when it breaks.

use super::{
    Host,
    cases::{Case, cases},
};
use crate::conformance::{
    Check, SOON, ensure,
    fake_worker::{FakeWorker, Profile, status},
};
use oz_core::RunState;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

pub(super) fn all() -> Vec<(&'static str, Case)> {
    cases! {
        who_has_no_right_is_refused_with_a_reason
        a_huge_frame_loses_no_run
        an_offer_dies_with_its_connection
        an_offer_that_is_not_answered_is_made_again
        a_reconnect_keeps_the_run
        a_worker_that_stays_away_loses_the_run
        a_host_is_spelled_exactly
        connections_of_one_id_share_runs_and_none_is_assigned_twice
        pings_are_answered
    }
}

async fn who_has_no_right_is_refused_with_a_reason(host: &Host<'_>) -> Check {
    let key = host.subject.key.as_str();
    let garbage = "wk-1.ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    let mut worker = host.worker().await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    let token = assigned.data["env_vars"]["WARP_API_KEY"].as_str();
    for (id, key, statuses) in [
        (host.id.as_str(), None, &[401][..]),
        (&host.id, Some(garbage), &[401]),
        (&host.id, Some("x"), &[401]),
        // A run is no worker.
        (&host.id, token, &[403]),
        ("", Some(key), &[400, 422]),
        ("warp", Some(key), &[400, 403, 422]),
        ("warp-1", Some(key), &[400, 403, 422]),
    ] {
        match FakeWorker::dial(&host.subject.url, id, key, host.profile).await {
            Ok(_) => return Err(format!("it takes the id '{id}'")),
            Err(refused) => {
                ensure!(statuses.contains(&refused.status), "'{id}': {} {}", refused.status, refused.body);
                let body: Value = serde_json::from_str(&refused.body).unwrap_or_default();
                let says = body["error"].is_string() || body["detail"].is_string();
                ensure!(says, "no reason: {}", refused.body);
            }
        }
    }
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_huge_frame_loses_no_run(host: &Host<'_>) -> Check {
    let instance = "the process that shouts";
    let mut worker = host.worker_as(instance, None, &[]).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    // Taken or not, it may cost the connection and nothing more.
    let _ = worker.send_raw(Message::text("x".repeat(4 << 20))).await;
    drop(worker);
    let mut worker = host.worker_as(instance, None, &assigned.executions()).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn an_offer_dies_with_its_connection(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let run_id = host.create().await?;
    let lost = worker.assignment().await?;
    drop(worker);
    let mut worker = host.worker().await?;
    let assigned = worker.assignment().await?;
    ensure!(assigned.task_id == lost.task_id, "another run: {}", assigned.task_id);
    worker.claim(&assigned).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn an_offer_that_is_not_answered_is_made_again(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let run_id = host.create().await?;
    let lost = worker.assignment().await?;
    let again = worker.assignment().await.map_err(|e| format!("it is not offered again: {e}"))?;
    ensure!(again.task_id == lost.task_id, "another run: {}", again.task_id);
    ensure!(again.execution_id != lost.execution_id, "the same execution again");
    worker.claim(&again).await?;
    worker.complete(&again).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_reconnect_keeps_the_run(host: &Host<'_>) -> Check {
    let instance = "the process with a bad line";
    let mut worker = host.worker_as(instance, None, &[]).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    for _ in 0..3 {
        drop(worker);
        worker = host.worker_as(instance, None, &assigned.executions()).await?;
        worker.unassigned().await?;
    }
    // More than a lease: the worker is there, and so its run is.
    for _ in 0..3 {
        tokio::time::sleep(host.subject.lease / 2).await;
        if host.profile == Profile::Extended {
            worker.send(&status(instance, None, &assigned.executions())).await?;
        }
    }
    worker.complete(&assigned).await?;
    let run = host.settles(run_id, RunState::Succeeded).await?;
    let attempt = run.execution.map(|execution| execution.attempt);
    ensure!(attempt == Some(1), "attempt {attempt:?}");
    Ok(())
}

async fn a_worker_that_stays_away_loses_the_run(host: &Host<'_>) -> Check {
    let mut worker = host.worker_as("the first", None, &[]).await?;
    let (run_id, lost) = host.claimed(&mut worker).await?;
    drop(worker);
    host.until(run_id, |run| run.state == RunState::Queued).await?;
    let mut worker = host.worker_as("the second", None, &[]).await?;
    let again = worker.assignment().await?;
    ensure!(again.task_id == lost.task_id, "another run: {}", again.task_id);
    ensure!(again.execution_id != lost.execution_id, "the same execution again");
    worker.claim(&again).await?;
    host.until(run_id, |run| run.state == RunState::Claimed).await?;
    if host.profile == Profile::Extended {
        // The first one comes back and speaks of what is no longer its own.
        let mut first = host.worker_as("the first", None, &lost.executions()).await?;
        first.cancellation(&lost.task_id).await?;
        first.fail(&lost, "container_exit").await?;
        first.unassigned().await?;
        host.until(run_id, |run| run.state == RunState::Claimed).await?;
    }
    worker.complete(&again).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_host_is_spelled_exactly(host: &Host<'_>) -> Check {
    let mut others = Vec::new();
    for id in [host.id.to_uppercase(), format!("{}x", host.id), host.id[..host.id.len() - 1].to_owned()] {
        others.push(Host { id, ..host.clone() }.worker().await?);
    }
    let run_id = host.create().await?;
    for other in &mut others {
        other.unassigned().await?;
    }
    let mut worker = host.worker().await?;
    let assigned = worker.assignment().await?;
    worker.claim(&assigned).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn connections_of_one_id_share_runs_and_none_is_assigned_twice(host: &Host<'_>) -> Check {
    let mut workers = [host.worker().await?, host.worker().await?];
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(host.create().await?);
    }
    let (mut seen, mut shares) = (Vec::new(), [0, 0]);
    while seen.len() < runs.len() {
        let [one, two] = &mut workers;
        let (assigned, place) = tokio::select! {
            assigned = one.assignment() => (assigned?, 0),
            assigned = two.assignment() => (assigned?, 1),
        };
        ensure!(
            !seen.iter().any(|(id, _)| *id == assigned.task_id),
            "{} is assigned twice",
            assigned.task_id
        );
        workers[place].claim(&assigned).await?;
        shares[place] += 1;
        seen.push((assigned.task_id.clone(), (assigned, place)));
    }
    for (_, (assigned, place)) in &seen {
        workers[*place].complete(assigned).await?;
    }
    ensure!(shares.iter().all(|share| *share > 0), "one connection gets all: {shares:?}");
    for run_id in runs {
        host.until(run_id, |run| run.state == RunState::Succeeded).await?;
    }
    Ok(())
}

async fn pings_are_answered(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    worker.send_raw(Message::Ping("are you there".into())).await?;
    loop {
        if let Message::Pong(payload) = worker.message(SOON).await? {
            ensure!(payload.as_ref() == b"are you there", "another pong: {payload:?}");
            return Ok(());
        }
    }
}
