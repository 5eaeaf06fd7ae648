//! The worker socket: frames in, frames out, and what each frame means for the run it names. A worker's frames may be
//! lost, late or doubled; every one is checked against the store before it changes anything.

use super::workers::{Connection, ConnectionId};
use crate::{
    auth,
    ctx::{Ctx, now},
    error::{self, ApiError},
    full,
    store::{
        accounts::Caller,
        executions::{Report, Reported},
    },
};
use axum::{
    extract::{
        Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::HeaderMap,
    response::Response,
};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use oz_core::{
    Error, ErrorCode, ExecutionId, RunId, RunState, TeamId,
    worker::{FromWorker, SOCKET_PATH, ToWorker},
};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use subtle::ConstantTimeEq as _;
use tokio::sync::mpsc;

/// Frames that may wait for a worker that does not read.
const OUTGOING: usize = 64;
/// A connection without a frame or ping for this long is dead.
const SILENCE: Duration = Duration::from_secs(90);
/// A worker that said it is full is asked again after this time.
const FULL_FOR: Duration = Duration::from_secs(1);

/// Takes a worker's connection.
pub(crate) async fn connect(
    State(ctx): State<Ctx>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let worker_id = query.get("worker_id").cloned().unwrap_or_default();
    let team_id = admit(&ctx, &headers, &worker_id).await.map_err(|e| ApiError::new(e, SOCKET_PATH))?;
    // The library's default buffers are 128 KiB for each connection.
    let upgrade = upgrade.read_buffer_size(4096).write_buffer_size(1024).max_message_size(1 << 20);
    Ok(upgrade.on_upgrade(move |socket| serve(ctx, socket, worker_id, team_id)))
}

/// Whose runs the worker may have: `None` means everybody's.
async fn admit(ctx: &Ctx, headers: &HeaderMap, worker_id: &str) -> Result<Option<TeamId>, Error> {
    if worker_id.trim().is_empty() || worker_id.len() > 256 || worker_id.chars().any(char::is_control) {
        return Err(Error::invalid_field("worker_id", worker_id, "1 to 256 printable characters"));
    }
    let key = auth::bearer(headers)?;
    if bool::from(key.as_bytes().ct_eq(ctx.worker_key.as_bytes())) {
        return Ok(None);
    }
    if worker_id.starts_with("warp") {
        return Err(Error::invalid_field(
            "worker_id",
            worker_id,
            "an id that does not start with 'warp', which is reserved",
        ));
    }
    match auth::authenticate(ctx, headers).await? {
        Caller::Key(member) if member.admin || member.principal.kind.as_str() == "service_account" => {
            Ok(Some(member.team_id))
        }
        Caller::Key(_) => Err(Error::new(
            ErrorCode::NotAuthorized,
            "a worker needs an agent key or the key of an admin; this is a member's personal key",
        )),
        Caller::Run(_) | Caller::Nobody => Err(Error::new(
            ErrorCode::NotAuthorized,
            "a worker needs an agent key or the key of an admin; this is the token of a run",
        )),
    }
}

async fn serve(ctx: Ctx, socket: WebSocket, worker_id: String, team_id: Option<TeamId>) {
    let (frames, mut outgoing) = mpsc::channel(OUTGOING);
    let id = ctx.workers.add(Connection {
        worker_id: worker_id.clone(),
        team_id,
        slots: None,
        active: HashSet::new(),
        full_until: None,
        reports_status: false,
        frames,
        connected_at: now(),
        last_seen_at: now(),
    });
    tracing::info!(worker = worker_id, connection = id, "worker connected");
    ctx.dispatch.notify_one();
    ctx.clerk.notify_one();
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            frame = outgoing.recv() => {
                let Some(frame) = frame else { break };
                if send(&mut sink, &frame).await.is_err() { break }
            }
            message = tokio::time::timeout(SILENCE, stream.next()) => {
                let Ok(Some(Ok(message))) = message else { break };
                ctx.workers.update(id, |c| c.last_seen_at = now());
                match message {
                    Message::Text(text) => frame_in(&ctx, id, &worker_id, &text).await,
                    Message::Close(_) => break,
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
                }
            }
            () = ctx.shutdown.cancelled() => {
                let close = axum::extract::ws::CloseFrame { code: close_code::AWAY, reason: "the server stops".into() };
                let _ = sink.send(Message::Close(Some(close))).await;
                break;
            }
        }
    }
    disconnected(&ctx, id).await;
    tracing::info!(worker = worker_id, connection = id, "worker disconnected");
}

async fn send(sink: &mut SplitSink<WebSocket, Message>, frame: &ToWorker) -> Result<(), Error> {
    let text = serde_json::to_string(frame).map_err(|e| Error::internal(e.to_string()))?;
    let sent = tokio::time::timeout(Duration::from_secs(10), sink.send(Message::Text(text.into()))).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        _ => Err(Error::internal("the worker does not read")),
    }
}

/// Gives back the offers that the connection can no longer claim. What it claimed lives on: its agents work without
/// the connection, and their leases tell.
async fn disconnected(ctx: &Ctx, id: ConnectionId) {
    let Some(connection) = ctx.workers.remove(id) else { return };
    ctx.clerk.notify_one();
    if ctx.shutdown.is_cancelled() {
        return;
    }
    for execution_id in connection.active {
        let Ok(Some(run_no)) = ctx.store.run_of(execution_id).await else { continue };
        match ctx.store.report(run_no, execution_id, Report::Declined, now()).await {
            Ok(Reported::Now(_)) => {
                ctx.leases.end(execution_id);
                ctx.dispatch.notify_one();
            }
            Ok(Reported::Stale(_)) => ctx.leases.renew(execution_id, run_no, ctx.lease),
            Ok(Reported::Superseded) => ctx.leases.end(execution_id),
            Err(e) => error::log("taking an offer back", &e.into()),
        }
    }
}

async fn frame_in(ctx: &Ctx, id: ConnectionId, worker_id: &str, text: &str) {
    let frame = match serde_json::from_str::<FromWorker>(text) {
        Ok(frame) => frame,
        Err(e) => {
            tracing::debug!(worker = worker_id, error = %e, "frame ignored");
            return;
        }
    };
    if let Err(e) = handle(ctx, id, frame).await
        && !full::is_said(&e)
    {
        tracing::warn!(worker = worker_id, error = %e, "frame refused");
    }
}

async fn handle(ctx: &Ctx, id: ConnectionId, frame: FromWorker) -> Result<(), Error> {
    match frame {
        FromWorker::TaskClaimed { task_id, execution_id, .. } => {
            report(ctx, id, task_id, execution_id, Report::Claimed, false).await
        }
        FromWorker::TaskRejected { task_id, execution_id, .. } => {
            let until = Instant::now() + FULL_FOR;
            ctx.workers.update(id, |c| c.full_until = Some(until));
            report(ctx, id, task_id, execution_id, Report::Declined, true).await
        }
        FromWorker::TaskCompleted { task_id, execution_id, task_state, message } => {
            let cancelled = task_state == Some(RunState::Cancelled);
            let outcome = if cancelled { Report::Cancelled(message) } else { Report::Completed };
            report(ctx, id, task_id, execution_id, outcome, true).await
        }
        FromWorker::TaskFailed { task_id, execution_id, message, failure_reason, exit_code } => {
            use oz_core::worker::FailureReason as Reason;
            let reason = failure_reason.unwrap_or(Reason::Unrecognized);
            let outcome = match reason {
                // The run did nothing wrong: another worker may try.
                Reason::GracefulShutdown | Reason::Evicted => Report::Lost(message),
                reason => Report::Failed { code: reason.code(), message, exit_code },
            };
            report(ctx, id, task_id, execution_id, outcome, true).await
        }
        FromWorker::WorkerStatus { slots, active, .. } => status(ctx, id, slots, active).await,
    }
}

/// Takes what a worker says of one execution. `done` frees its slot.
async fn report(
    ctx: &Ctx,
    id: ConnectionId,
    run_id: RunId,
    execution_id: Option<ExecutionId>,
    outcome: Report,
    done: bool,
) -> Result<(), Error> {
    // Published workers name only the run; they mean the execution that this connection was offered.
    let found = match execution_id {
        Some(execution_id) => ctx.store.run_of(execution_id).await?.map(|run_no| (run_no, execution_id)),
        None => ctx
            .store
            .current_execution(run_id)
            .await?
            .filter(|(_, e)| ctx.workers.update(id, |c| c.active.contains(e)).unwrap_or(false)),
    };
    let Some((run_no, execution_id)) = found else {
        stop(ctx, id, run_id, execution_id, false);
        return Ok(());
    };
    if done {
        ctx.workers.update(id, |c| c.active.remove(&execution_id));
    }
    let claimed = matches!(outcome, Report::Claimed);
    let reported = ctx.store.report(run_no, execution_id, outcome, now()).await?;
    if done {
        ctx.leases.end(execution_id);
    } else if !matches!(reported, Reported::Superseded) {
        ctx.leases.grant(execution_id, run_no, ctx.lease);
    }
    if claimed && reported == Reported::Superseded {
        stop(ctx, id, run_id, Some(execution_id), false);
    }
    if done {
        ctx.dispatch.notify_one();
    }
    Ok(())
}

/// Tells a worker to stop what is not, or no longer, its own.
fn stop(ctx: &Ctx, id: ConnectionId, run_id: RunId, execution_id: Option<ExecutionId>, ended: bool) {
    ctx.workers.send(id, ToWorker::TaskCancellation { task_id: run_id, execution_id, ended });
}

/// Takes a worker's word on what it works on: renews those leases, and stops what has moved on without it. What it does
/// not name still counts as its own while the run waits for it: the offer may be on its way.
async fn status(
    ctx: &Ctx,
    id: ConnectionId,
    slots: Option<u32>,
    active: Vec<ExecutionId>,
) -> Result<(), Error> {
    let known = ctx.workers.update(id, |c| {
        c.slots = slots;
        c.reports_status = true;
        std::mem::replace(&mut c.active, active.iter().copied().collect())
    });
    for execution_id in known.into_iter().flatten().filter(|e| !active.contains(e)) {
        if ctx.store.is_live(execution_id).await? {
            ctx.workers.update(id, |c| c.active.insert(execution_id));
        }
    }
    for execution_id in active {
        let Some(run_no) = ctx.store.run_of(execution_id).await? else { continue };
        match ctx.store.report(run_no, execution_id, Report::Claimed, now()).await? {
            Reported::Superseded => {
                let run = ctx.store.get_run(run_no).await?;
                let ended = run.state.is_over() && run.state != RunState::Cancelled;
                stop(ctx, id, run.run_id, Some(execution_id), ended);
            }
            Reported::Now(_) => ctx.leases.grant(execution_id, run_no, ctx.lease),
            Reported::Stale(_) => ctx.leases.renew(execution_id, run_no, ctx.lease),
        }
    }
    ctx.dispatch.notify_one();
    Ok(())
}
