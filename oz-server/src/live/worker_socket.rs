//! The worker socket: frames in, frames out, and what each frame means for the run it names. A worker's frames may be
//! lost, late or doubled; every one is checked against the store before it changes anything.

use super::workers::{About, Connection, ConnectionId};
use crate::{
    auth,
    ctx::{Ctx, now},
    error::{self, ApiError},
    full,
    store::{
        accounts::Caller,
        executions::{Given, GivenTo, Report, Reported},
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
    let who = GivenTo { worker_id, team_id };
    Ok(upgrade.on_upgrade(move |socket| serve(ctx, socket, who)))
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

/// One connection, with what its frames may speak of.
struct Line<'a> {
    ctx: &'a Ctx,
    id: ConnectionId,
    who: GivenTo,
}

async fn serve(ctx: Ctx, socket: WebSocket, who: GivenTo) {
    let (frames, mut outgoing) = mpsc::channel(OUTGOING);
    let (id, adopted) = ctx.workers.add(Connection::new(who.clone(), frames, now()));
    let worker_id = who.worker_id.clone();
    let line = Line { ctx: &ctx, id, who };
    line.renew(adopted).await;
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
                    Message::Text(text) => line.frame_in(&text).await,
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
    let Some(active) = ctx.workers.remove(id, ctx.lease) else { return };
    ctx.clerk.notify_one();
    if ctx.shutdown.is_cancelled() {
        return;
    }
    for execution_id in active {
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

impl Line<'_> {
    async fn frame_in(&self, text: &str) {
        let worker = &self.who.worker_id;
        let frame = match serde_json::from_str::<FromWorker>(text) {
            Ok(frame) => frame,
            Err(e) => {
                tracing::debug!(worker, error = %e, "frame ignored");
                return;
            }
        };
        if let Err(e) = self.handle(frame).await
            && !full::is_said(&e)
        {
            tracing::warn!(worker, error = %e, "frame refused");
        }
    }

    async fn handle(&self, frame: FromWorker) -> Result<(), Error> {
        match frame {
            FromWorker::TaskClaimed { task_id, execution_id, .. } => {
                self.report(task_id, execution_id, Report::Claimed, Connection::claim).await
            }
            FromWorker::TaskRejected { task_id, execution_id, .. } => {
                let reject = |c: &mut Connection, e| c.reject(e, Instant::now());
                self.report(task_id, execution_id, Report::Declined, reject).await
            }
            FromWorker::TaskCompleted { task_id, execution_id, task_state, message } => {
                let cancelled = task_state == Some(RunState::Cancelled);
                let outcome = if cancelled { Report::Cancelled(message) } else { Report::Completed };
                self.report(task_id, execution_id, outcome, Connection::end).await
            }
            FromWorker::TaskFailed { task_id, execution_id, message, failure_reason, exit_code } => {
                use oz_core::worker::FailureReason as Reason;
                let reason = failure_reason.unwrap_or(Reason::Unrecognized);
                let outcome = match reason {
                    // The run did nothing wrong: another worker may try.
                    Reason::GracefulShutdown | Reason::Evicted | Reason::ContainerWait => {
                        Report::Lost(message)
                    }
                    reason => Report::Failed { code: reason.code(), message, exit_code },
                };
                self.report(task_id, execution_id, outcome, Connection::end).await
            }
            FromWorker::WorkerStatus { instance_id, slots, backend, version, labels, draining, active } => {
                let about = About { instance_id, slots, backend, version, labels, draining };
                self.status(about, active.into_iter().collect()).await
            }
        }
    }

    /// What a frame speaks of. Published workers name only the run; they mean the execution that they were offered.
    async fn given(&self, run_id: RunId, execution_id: Option<ExecutionId>) -> Result<Option<Given>, Error> {
        let given = self.ctx.store.given(self.who.clone(), Some(run_id), execution_id).await?;
        let meant = |g: &Given| execution_id.is_some() || self.ctx.workers.may_mean(self.id, g.execution_id);
        Ok(given.filter(meant))
    }

    /// Takes what a worker says of one execution, and `changes` what the connection is thought to have.
    async fn report(
        &self,
        run_id: RunId,
        execution_id: Option<ExecutionId>,
        outcome: Report,
        changes: impl FnOnce(&mut Connection, ExecutionId),
    ) -> Result<(), Error> {
        let ctx = self.ctx;
        let Some(Given { run_no, execution_id, .. }) = self.given(run_id, execution_id).await? else {
            if let Some(execution_id) = execution_id {
                ctx.workers.update(self.id, |c| c.forget(execution_id));
            }
            self.stop(run_id, execution_id);
            return Ok(());
        };
        // Before it is written: what is written wakes the dispatcher, which must know already who is full.
        ctx.workers.update(self.id, |c| changes(c, execution_id));
        let claimed = matches!(outcome, Report::Claimed);
        let reported = ctx.store.report(run_no, execution_id, outcome, now()).await?;
        match (claimed, &reported) {
            (true, Reported::Superseded) => {
                ctx.workers.update(self.id, |c| c.forget(execution_id));
                self.stop(run_id, Some(execution_id));
            }
            (true, _) => ctx.leases.grant(execution_id, run_no, ctx.lease),
            // It declines what it has claimed before: its agent, if it has one, tells whether the run goes on.
            (false, Reported::Stale(_)) => {}
            (false, _) => {
                ctx.leases.end(execution_id);
                ctx.dispatch.notify_one();
            }
        }
        Ok(())
    }

    /// Tells a worker to stop what is not, or no longer, its own.
    fn stop(&self, task_id: RunId, execution_id: Option<ExecutionId>) {
        self.cancel(task_id, execution_id, false);
    }

    fn cancel(&self, task_id: RunId, execution_id: Option<ExecutionId>, ended: bool) {
        self.ctx.workers.send(self.id, ToWorker::TaskCancellation { task_id, execution_id, ended });
    }

    /// Takes a worker's word on what it works on: renews those leases, and stops what has moved on without it. What it
    /// does not name still counts as its own while the run waits for it: the offer may be on its way.
    async fn status(&self, about: About, active: HashSet<ExecutionId>) -> Result<(), Error> {
        let ctx = self.ctx;
        let Some((missing, news)) = ctx.workers.update(self.id, |c| c.tell(about, &active)) else {
            return Ok(());
        };
        for execution_id in missing {
            if ctx.store.is_live(execution_id).await? {
                ctx.workers.update(self.id, |c| c.active.insert(execution_id));
            }
        }
        for execution_id in active {
            let Some(given) = ctx.store.given(self.who.clone(), None, Some(execution_id)).await? else {
                continue;
            };
            let run_no = given.run_no;
            if given.works {
                ctx.leases.renew(execution_id, run_no, ctx.lease);
                continue;
            }
            match ctx.store.report(run_no, execution_id, Report::Claimed, now()).await? {
                Reported::Superseded => {
                    let run = ctx.store.get_run(run_no).await?;
                    let ended = run.state.is_over() && run.state != RunState::Cancelled;
                    self.cancel(given.run_id, Some(execution_id), ended);
                }
                Reported::Now(_) => ctx.leases.grant(execution_id, run_no, ctx.lease),
                Reported::Stale(_) => ctx.leases.renew(execution_id, run_no, ctx.lease),
            }
        }
        // After the leases: what the same process had on a connection that is only half closed is its own still.
        for older in ctx.workers.left_behind(self.id) {
            disconnected(ctx, older).await;
        }
        if news {
            ctx.clerk.notify_one();
        }
        ctx.dispatch.notify_one();
        Ok(())
    }

    /// Gives executions the time of a lease: their worker is back.
    async fn renew(&self, executions: Vec<ExecutionId>) {
        for execution_id in executions {
            match self.ctx.store.run_of(execution_id).await {
                Ok(Some(run_no)) => self.ctx.leases.renew(execution_id, run_no, self.ctx.lease),
                Ok(None) => {}
                Err(e) => error::log("a worker that came back", &e.into()),
            }
        }
    }
}
