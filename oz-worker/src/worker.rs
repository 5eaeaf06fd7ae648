//! The dispatcher: takes assignments or declines them, cancels, and tells how runs ended. It starts no process itself
//! and never waits for a connection or for a run.

use crate::{
    BackendConfig, Config, Error,
    backend::{self, Backend},
    control::Control,
    elsewhere::Elsewhere,
    job::{self, Ended, Identity, Job, Outcome, Stop, Work},
    link,
    mailbox::Mailbox,
    process,
    telemetry::{Rejection, Telemetry, Trace},
};
use oz_core::worker::{Assignment, FromWorker, ToWorker};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

const FULL: &str = "worker at maximum concurrency";
const SHUTTING_DOWN: &str = "worker shuts down";
/// How long a shutdown may take to end the agents and to tell so.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// How many ended executions are remembered, so that a repeated assignment does not run one again.
const REMEMBERED: usize = 256;
/// How many frames may wait for the dispatcher.
const INCOMING: usize = 64;

/// Works for the control plane until `shutdown` is cancelled. Agents still at work then have [`Config::drain`] to end
/// before they are stopped, or are left to the next worker of this name where they outlive this one. Connections that fail
/// are made again forever.
///
/// # Errors
/// When the settings are not valid or the directory of the workspaces can't be used.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    config.validate()?;
    let url = config.socket_url()?;
    // What was dispatched is nobody's here, and what a program of its own starts is that program's.
    if !matches!(config.backend, BackendConfig::Command(_) | BackendConfig::Own(_)) {
        process::adopt_orphans();
    }
    let backend = backend::open(&config).await?;
    // The control plane's own worker is not measured; its variables are those of the control plane.
    let telemetry =
        if config.embedded { Telemetry::default() } else { Telemetry::of_this_process(&config).await };
    let mailbox = Mailbox::new(Uuid::new_v4().to_string(), &config);
    let (incoming, frames) = mpsc::channel(INCOMING);
    let closing = CancellationToken::new();
    let mut dispatcher = Dispatcher::new(&config, backend, &mailbox, telemetry.clone());
    // Before the first frame, or the control plane would take them for lost.
    dispatcher.adopt().await;
    let link = link::keep(&url, &config.api_key, &mailbox, incoming, &telemetry, closing.clone());
    tokio::join!(Box::pin(link), Box::pin(dispatcher.run(frames, shutdown, closing)));
    drop(dispatcher);
    telemetry.finish().await;
    Ok(())
}

struct Active {
    identity: Identity,
    control: Control,
    stop: Option<Stop>,
    since: Instant,
}

struct Dispatcher<'a> {
    config: &'a Config,
    backend: Arc<dyn Backend>,
    mailbox: &'a Mailbox,
    telemetry: Telemetry,
    slots: Option<Arc<Semaphore>>,
    elsewhere: Elsewhere,
    /// The jobs whose agents may still live.
    active: HashMap<Uuid, Active>,
    /// All jobs, also those that only clean up.
    jobs: JoinSet<Uuid>,
    recent: VecDeque<Uuid>,
    /// Runs of workers that died while this one lives.
    orphans: (mpsc::UnboundedSender<Identity>, mpsc::UnboundedReceiver<Identity>),
    ended: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
    stopping: bool,
}

impl<'a> Dispatcher<'a> {
    fn new(
        config: &'a Config,
        backend: Arc<dyn Backend>,
        mailbox: &'a Mailbox,
        telemetry: Telemetry,
    ) -> Self {
        let limit = usize::try_from(config.max_concurrent_tasks).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            config,
            backend,
            mailbox,
            telemetry,
            slots: (limit > 0).then(|| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)))),
            elsewhere: Elsewhere::open(config),
            active: HashMap::new(),
            jobs: JoinSet::new(),
            recent: VecDeque::new(),
            orphans: mpsc::unbounded_channel(),
            ended: mpsc::unbounded_channel(),
            stopping: false,
        }
    }

    async fn run(
        &mut self,
        mut frames: mpsc::Receiver<ToWorker>,
        shutdown: CancellationToken,
        closing: CancellationToken,
    ) {
        let every = self.config.lease / 3;
        let mut status = interval_at(Instant::now() + every, every);
        status.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(frame) = frames.recv() => self.receive(frame),
                Some((id, outcome)) = self.ended.1.recv() => self.end(id, outcome),
                Some(orphan) = self.orphans.1.recv() => self.take_over(orphan),
                Some(_) = self.jobs.join_next() => {}
                _ = status.tick() => {
                    self.look_for_orphans();
                    self.list_elsewhere();
                    self.mailbox.tell_status();
                }
            }
        }
        tracing::info!(active = self.active.len(), "the worker shuts down");
        self.stopping = true;
        self.mailbox.drain();
        if self.backend.outlives() {
            self.active.values().for_each(|active| active.control.leave.cancel());
        } else {
            let _ = timeout(self.config.drain, self.drain(&mut frames)).await;
            for active in self.active.values_mut() {
                active.stop(Stop::Shutdown, "signal");
            }
        }
        if timeout(SHUTDOWN_LIMIT, self.drain(&mut frames)).await.is_err() {
            tracing::warn!("could not tell the control plane about every run in time");
        }
        closing.cancel();
        // What is left is teardown and deletion, which have their own limits.
        while self.jobs.join_next().await.is_some() {}
    }

    /// Waits until every agent is gone or left alone and the control plane was told, if it can be told.
    async fn drain(&mut self, frames: &mut mpsc::Receiver<ToWorker>) {
        while !self.active.is_empty() {
            tokio::select! {
                Some(frame) = frames.recv() => self.receive(frame),
                Some((id, outcome)) = self.ended.1.recv() => self.end(id, outcome),
            }
        }
        self.mailbox.settled().await;
    }

    fn receive(&mut self, frame: ToWorker) {
        match frame {
            ToWorker::TaskAssignment(assignment) => self.assign(*assignment),
            ToWorker::TaskCancellation { task_id, execution_id, ended } => {
                let wanted = |active: &Identity| {
                    active.task_id == task_id
                        && (execution_id.is_none() || active.execution_id == execution_id)
                };
                let mut found = false;
                for active in self.active.values_mut().filter(|active| wanted(&active.identity)) {
                    tracing::info!(run = %task_id, "cancelling on request");
                    active.stop(Stop::User, "server");
                    found = true;
                }
                for run in self.elsewhere.take(task_id, execution_id) {
                    found = true;
                    self.recall(run, ended);
                }
                if !found {
                    tracing::info!(run = %task_id, "asked to cancel a run that is not here");
                }
            }
        }
    }

    fn assign(&mut self, assignment: Assignment) {
        let identity = Identity::of(&assignment);
        let id = identity.id();
        if self.active.contains_key(&id) {
            tracing::info!(run = %identity.task_id, "assigned again; it already works");
            return self.claim(identity);
        }
        if identity.execution_id.is_some() && self.recent.contains(&id) {
            // The mailbox repeats how it ended until the control plane has read it.
            tracing::info!(run = %identity.task_id, "assigned again after its end; ignored");
            return;
        }
        // The control plane refuses what the agent of an earlier execution says, which ends it.
        self.elsewhere.take(identity.task_id, None);
        for active in self.active.values_mut().filter(|active| active.identity.task_id == identity.task_id) {
            active.stop(Stop::Superseded, "server");
        }
        let trace = self.telemetry.trace(identity.task_id.0, &assignment.task.title);
        trace.event("task.assigned");
        if self.stopping {
            return self.reject(identity, SHUTTING_DOWN, Rejection::ShuttingDown, &trace);
        }
        let limit = self.config.max_concurrent_tasks as usize;
        if limit > 0 && self.active.len() >= limit {
            return self.reject(identity, FULL, Rejection::AtCapacity, &trace);
        }
        self.claim(identity);
        self.telemetry.claimed();
        trace.event("task.claimed");
        tracing::info!(run = %identity.task_id, title = %assignment.task.title, "took a run");
        self.begin(identity, Work::Begin(Box::new(Job::new(assignment, self.config))), trace);
    }

    /// Lets go of a run that was dispatched; ends it unless it has `ended`.
    fn recall(&mut self, run: Identity, ended: bool) {
        self.list_elsewhere();
        if ended {
            tracing::info!(run = %run.task_id, "a dispatched run is over");
            return;
        }
        tracing::info!(run = %run.task_id, "cancelling a dispatched run on request");
        let backend = self.backend.clone();
        self.jobs.spawn(async move {
            backend.recall(run).await;
            run.id()
        });
    }

    fn list_elsewhere(&mut self) {
        self.mailbox.elsewhere(self.elsewhere.list());
    }

    fn begin(&mut self, identity: Identity, work: Work, trace: Trace) {
        self.mailbox.begin(identity.execution_id);
        self.telemetry.began();
        let control = Control { trace, ..Control::default() };
        let since = Instant::now();
        self.active.insert(identity.id(), Active { identity, control: control.clone(), stop: None, since });
        let span = tracing::info_span!("run", id = %identity.task_id);
        let (backend, slots, ended) = (self.backend.clone(), self.slots.clone(), self.ended.0.clone());
        self.jobs.spawn(job::run(work, backend, slots, control, ended).instrument(span));
    }

    /// Takes over what an earlier process of this worker has left.
    async fn adopt(&mut self) {
        self.list_elsewhere();
        for survivor in self.backend.survivors().await {
            self.take_over(survivor);
        }
    }

    /// Another worker of this name may die while this one lives.
    fn look_for_orphans(&mut self) {
        let (backend, found) = (self.backend.clone(), self.orphans.0.clone());
        self.jobs.spawn(async move {
            for orphan in backend.orphans().await {
                let _ = found.send(orphan);
            }
            Uuid::nil()
        });
    }

    fn take_over(&mut self, survivor: Identity) {
        let id = survivor.id();
        if self.active.contains_key(&id) || self.recent.contains(&id) {
            return;
        }
        tracing::info!(run = %survivor.task_id, "goes on with a run of an earlier worker");
        self.begin(survivor, Work::Resume(survivor), self.telemetry.trace(survivor.task_id.0, ""));
    }

    fn claim(&self, Identity { task_id, execution_id }: Identity) {
        let worker_id = self.config.worker_id.clone();
        self.mailbox.push(FromWorker::TaskClaimed { task_id, worker_id, execution_id });
    }

    fn reject(&self, identity: Identity, reason: &str, why: Rejection, trace: &Trace) {
        let Identity { task_id, execution_id } = identity;
        self.telemetry.rejected(why);
        trace.event("task.rejected");
        tracing::info!(run = %task_id, "declined a run: {reason}");
        self.mailbox.push(FromWorker::TaskRejected { task_id, reason: reason.to_owned(), execution_id });
    }

    fn end(&mut self, id: Uuid, outcome: Outcome) {
        let Some(active) = self.active.remove(&id) else { return };
        let run = active.identity.task_id;
        let trace = &active.control.trace;
        match &outcome {
            Outcome::Finished => {
                trace.event("task.completed");
                tracing::info!(%run, "the agent finished");
            }
            Outcome::Cancelled => {
                trace.event("task.cancelled");
                tracing::info!(%run, why = ?active.stop, "the agent was stopped");
            }
            Outcome::Dispatched => {
                trace.event("task.dispatched");
                tracing::info!(%run, "dispatched; it reports by itself");
            }
            Outcome::Left => tracing::info!(%run, "left to the next worker"),
            Outcome::Failed { reason, message, .. } => {
                trace.failed(reason.as_str());
                let first = message.lines().next().unwrap_or_default();
                tracing::warn!(%run, %reason, "the run failed: {first}");
            }
        }
        if active.identity.execution_id.is_some() {
            if self.recent.len() == REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back(id);
        }
        let dispatched = outcome == Outcome::Dispatched;
        if dispatched {
            self.elsewhere.add(active.identity);
            self.list_elsewhere();
        }
        let verdict = job::verdict(active.identity, outcome, active.stop);
        self.telemetry.ended(verdict.as_ref(), dispatched, active.since.elapsed());
        self.mailbox.end(active.identity.execution_id, verdict);
    }
}

impl Active {
    fn stop(&mut self, why: Stop, source: &str) {
        if self.stop.is_none() {
            self.stop = Some(why);
            self.control.trace.event_with("task.cancellation_requested", &[("source", source)]);
        }
        self.control.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
