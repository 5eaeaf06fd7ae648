//! The cases of the published protocol, which hold for the extended one, too.

use super::{Host, lines};
use crate::conformance::{Check, ensure, fake_worker::Profile};
use futures_util::future::BoxFuture;
use oz_core::RunState;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

/// A case, with what it needs.
pub(super) type Case = for<'a> fn(&'a Host<'a>) -> BoxFuture<'a, Check>;

/// Names cases and makes them one type.
macro_rules! cases {
    ($($name:ident)+) => {
        vec![$((stringify!($name), (|host| Box::pin($name(host))) as Case)),+]
    };
}
pub(super) use cases;

pub(super) fn all() -> Vec<(&'static str, Case)> {
    let mut all: Vec<(&'static str, Case)> = cases! {
        a_claimed_run_that_completes_succeeds
        a_run_that_fails_ends_with_the_reason
        a_worker_that_shuts_down_gives_the_run_back
        a_cancellation_reaches_the_worker_and_stands
        the_first_end_stands
        a_rejected_run_goes_to_another_connection
        a_rejected_run_is_offered_again_and_never_fails
        what_is_not_understood_is_ignored
        what_was_never_assigned_changes_nothing
    };
    all.extend(lines::all());
    all
}

async fn a_claimed_run_that_completes_succeeds(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    let by = host.run(run_id).await?.execution.and_then(|execution| execution.worker_id);
    ensure!(by.as_deref() == Some(&host.id), "claimed by {by:?}");
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_run_that_fails_ends_with_the_reason(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    for (reason, states) in [
        ("image_pull", &[RunState::Failed][..]),
        ("setup_command", &[RunState::Failed]),
        ("container_oom", &[RunState::Failed, RunState::Error]),
        ("container_exit", &[RunState::Failed, RunState::Error]),
        ("unschedulable", &[RunState::Error]),
        ("a_reason_of_a_newer_worker", &[RunState::Failed, RunState::Error]),
    ] {
        let (run_id, assigned) = host.claimed(&mut worker).await?;
        worker.fail(&assigned, reason).await?;
        let run = host.until(run_id, |run| run.state.is_terminal()).await?;
        ensure!(states.contains(&run.state), "{reason} ends it in {}", run.state);
        let told = run.status_message.map(|status| status.message).unwrap_or_default();
        ensure!(told.contains(reason), "the message is lost: {told}");
    }
    Ok(())
}

async fn a_worker_that_shuts_down_gives_the_run_back(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    worker.fail(&assigned, "graceful_shutdown").await?;
    let again = worker.assignment().await?;
    ensure!(again.task_id == assigned.task_id, "another run: {}", again.task_id);
    ensure!(again.execution_id != assigned.execution_id, "the same execution again");
    worker.claim(&again).await?;
    worker.complete(&again).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn a_cancellation_reaches_the_worker_and_stands(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    for end in ["cancelled", "complete", "fail", "silence"] {
        let (run_id, assigned) = host.claimed(&mut worker).await?;
        host.cancel(run_id).await?;
        worker.cancellation(&assigned.task_id).await?;
        match end {
            "cancelled" => worker.cancelled(&assigned).await?,
            "complete" => worker.complete(&assigned).await?,
            "fail" => worker.fail(&assigned, "container_exit").await?,
            _ => {}
        }
        host.settles(run_id, RunState::Cancelled).await.map_err(|e| format!("{end}: {e}"))?;
    }
    Ok(())
}

async fn the_first_end_stands(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    worker.complete(&assigned).await?;
    worker.complete(&assigned).await?;
    worker.fail(&assigned, "container_exit").await?;
    worker.cancelled(&assigned).await?;
    worker.claim(&assigned).await?;
    worker.reject(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    worker.fail(&assigned, "setup_command").await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Failed).await.map(drop)
}

async fn a_rejected_run_goes_to_another_connection(host: &Host<'_>) -> Check {
    let (mut one, mut two) = (host.worker().await?, host.worker().await?);
    let run_id = host.create().await?;
    let (assigned, by_one) = tokio::select! {
        assigned = one.assignment() => (assigned?, true),
        assigned = two.assignment() => (assigned?, false),
    };
    let (busy, other) = if by_one { (&mut one, &mut two) } else { (&mut two, &mut one) };
    busy.reject(&assigned).await?;
    let again = other.assignment().await.map_err(|e| format!("the other connection: {e}"))?;
    ensure!(again.task_id == run_id.to_string(), "another run: {}", again.task_id);
    other.claim(&again).await?;
    other.complete(&again).await?;
    host.settles(run_id, RunState::Succeeded).await?;
    busy.unassigned().await
}

async fn a_rejected_run_is_offered_again_and_never_fails(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let run_id = host.create().await?;
    for _ in 0..2 {
        let assigned = worker.assignment().await?;
        worker.reject(&assigned).await?;
        let run = host.until(run_id, |run| run.state != RunState::Pending).await?;
        ensure!(run.state == RunState::Queued, "a rejection makes it {}", run.state);
    }
    let assigned = worker.assignment().await?;
    worker.claim(&assigned).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn what_is_not_understood_is_ignored(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"type":"heartbeat","data":{}}"#,
        r#"{"type":"task_teleported","data":{"task_id":7}}"#,
        r#"{"type":"task_claimed"}"#,
        r#"{"type":"task_claimed","data":null}"#,
        r#"{"type":"task_completed","data":{"task_id":"not an id"}}"#,
        r#"{"data":{}}"#,
    ] {
        worker.send_raw(Message::text(text)).await?;
    }
    worker.send_raw(Message::binary(vec![0_u8, 159, 146, 150])).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    let more = json!({ "message": "", "weather": { "wind": 3 }, "exit_codes": [1] });
    let frame = worker.about("task_completed", &assigned, &more);
    worker.send(&frame).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}

async fn what_was_never_assigned_changes_nothing(host: &Host<'_>) -> Check {
    let mut worker = host.worker().await?;
    let (run_id, mut assigned) = host.claimed(&mut worker).await?;
    // A worker of another name that knows the run by hearsay.
    let id = format!("{}-stranger", host.id);
    let mut stranger = Host { id, ..host.clone() }.worker().await?;
    stranger.fail(&assigned, "container_exit").await?;
    stranger.complete(&assigned).await?;
    stranger.reject(&assigned).await?;
    stranger.seen().await?;
    host.settles(run_id, RunState::Claimed).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await?;
    assigned.task_id = uuid::Uuid::new_v4().to_string();
    assigned.execution_id = assigned.execution_id.filter(|_| host.profile == Profile::Published);
    worker.claim(&assigned).await?;
    worker.complete(&assigned).await?;
    let (run_id, assigned) = host.claimed(&mut worker).await?;
    worker.complete(&assigned).await?;
    host.settles(run_id, RunState::Succeeded).await.map(drop)
}
