//! The connected workers: who they are, what they work on, and how to reach them.

use super::listed::Listed;
use crate::store::{executions::GivenTo, queues::Queue};
use oz_core::{ExecutionId, RunId, TeamId, Timestamp, api::WorkerConnection, worker::ToWorker};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Names one connection for as long as it lives.
pub(crate) type ConnectionId = u64;

/// How many unanswered offers a worker of unknown size may have.
const OPTIMISTIC: usize = 64;
/// A worker that said it is full is asked again after this time, unless one of its runs ends before.
const FULL_FOR: Duration = Duration::from_secs(1);
/// How long a connection keeps runs alive that its worker took over an earlier one and has not named since.
const TRUSTED_FOR: Duration = Duration::from_secs(600);

/// One connection of a worker.
pub(crate) struct Connection {
    pub(crate) worker_id: String,
    /// The team whose runs it may have; `None` for the control plane's own worker, which serves all.
    pub(crate) team_id: Option<TeamId>,
    /// What it says of itself; published workers say nothing.
    pub(crate) about: Option<About>,
    /// What it has been offered or works on.
    pub(crate) active: HashSet<ExecutionId>,
    /// What it has been offered and has not answered.
    offered: HashSet<ExecutionId>,
    /// What its worker took over an earlier connection, when it does not say what it works on.
    adopted: HashSet<ExecutionId>,
    /// How many unanswered offers it may have when its size is not known: less after a rejection, more after each claim.
    window: usize,
    /// It said that it is full: no offers until then.
    full_until: Option<Instant>,
    frames: mpsc::Sender<ToWorker>,
    since: Instant,
    connected_at: Timestamp,
    pub(crate) last_seen_at: Timestamp,
}

/// What a worker says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct About {
    pub(crate) instance_id: String,
    /// How many runs it takes at once; `None` means no limit.
    pub(crate) slots: Option<u32>,
    pub(crate) backend: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) draining: bool,
}

/// All connections.
#[derive(Default)]
pub(crate) struct Workers {
    next: AtomicU64,
    connections: Mutex<HashMap<ConnectionId, Connection>>,
    /// What workers had that went away and do not say what they work on.
    orphans: Mutex<HashMap<(Option<TeamId>, String), Orphans>>,
}

struct Orphans {
    executions: HashSet<ExecutionId>,
    until: Instant,
}

/// A worker as the choice of the dispatcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) connection: ConnectionId,
    pub(crate) worker_id: String,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) labels: BTreeMap<String, String>,
    /// How many runs it may be offered now.
    pub(crate) free: usize,
    pub(crate) active: usize,
}

/// Whether a worker is of the host that a queue waits for: the control plane's own serve the runs without a host, any
/// other those of its own team that name exactly it.
pub(crate) fn is_host(worker_team: Option<&TeamId>, worker_id: &str, queue: &Queue) -> bool {
    match worker_team {
        None => queue.host.is_empty(),
        Some(team) => *team == queue.team_id && worker_id == queue.host,
    }
}

/// Whether a worker with `labels` has those that a queue asks for.
pub(crate) fn has_labels(labels: &BTreeMap<String, String>, queue: &Queue) -> bool {
    queue.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
}

impl Candidate {
    /// Whether it may have the runs of a queue.
    pub(crate) fn serves(&self, queue: &Queue) -> bool {
        is_host(self.team_id.as_ref(), &self.worker_id, queue) && has_labels(&self.labels, queue)
    }
}

impl Connection {
    /// A connection that has just begun.
    pub(crate) fn new(to: GivenTo, frames: mpsc::Sender<ToWorker>, now: Timestamp) -> Self {
        Self {
            worker_id: to.worker_id,
            team_id: to.team_id,
            about: None,
            active: HashSet::new(),
            offered: HashSet::new(),
            adopted: HashSet::new(),
            window: OPTIMISTIC,
            full_until: None,
            frames,
            since: Instant::now(),
            connected_at: now,
            last_seen_at: now,
        }
    }

    fn slots(&self) -> Option<usize> {
        Some(self.about.as_ref()?.slots? as usize)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.full_until.is_some_and(|until| until > now)
            || self.slots().is_some_and(|slots| slots <= self.active.len())
    }

    /// How many runs it may be offered now.
    fn free(&self, now: Instant) -> usize {
        let draining = self.about.as_ref().is_some_and(|about| about.draining);
        if draining || self.is_full(now) {
            return 0;
        }
        match self.slots() {
            Some(slots) => slots - self.active.len(),
            None => self.window.saturating_sub(self.offered.len()),
        }
    }

    /// An offer is on its way to it.
    pub(crate) fn offer(&mut self, execution_id: ExecutionId) {
        self.active.insert(execution_id);
        self.offered.insert(execution_id);
    }

    /// It took an offer.
    pub(crate) fn claim(&mut self, execution_id: ExecutionId) {
        self.active.insert(execution_id);
        if self.offered.remove(&execution_id) {
            self.window = (self.window * 2).min(OPTIMISTIC);
        }
    }

    /// It said that it is full, so that others are asked before it.
    pub(crate) fn reject(&mut self, execution_id: ExecutionId, now: Instant) {
        self.forget(execution_id);
        self.window = 1;
        self.full_until = Some(now + FULL_FOR);
    }

    /// One of its runs has ended, so that it can't be full.
    pub(crate) fn end(&mut self, execution_id: ExecutionId) {
        self.forget(execution_id);
        self.full_until = None;
    }

    /// It no longer has an execution.
    pub(crate) fn forget(&mut self, execution_id: ExecutionId) {
        self.active.remove(&execution_id);
        self.offered.remove(&execution_id);
        self.adopted.remove(&execution_id);
    }

    /// Takes what it says of itself and of what it works on. Returns what it was thought to have and does not name, and
    /// whether others should know what has changed.
    pub(crate) fn tell(&mut self, about: About, active: &HashSet<ExecutionId>) -> (Vec<ExecutionId>, bool) {
        let missing = self.active.difference(active).copied().collect();
        let news = self.about.as_ref() != Some(&about);
        self.about = Some(about);
        self.active.clone_from(active);
        self.offered.retain(|execution_id| !active.contains(execution_id));
        self.adopted.clear();
        (missing, news)
    }

    fn listed(&self, now: Instant) -> Listed {
        let about = self.about.clone().unwrap_or_default();
        Listed {
            worker_host: self.worker_id.clone(),
            team_id: self.team_id.clone(),
            full: self.is_full(now),
            connection: WorkerConnection {
                instance_id: Some(about.instance_id).filter(|id| !id.is_empty()),
                backend: about.backend,
                version: about.version,
                slots: about.slots,
                active: u32::try_from(self.active.len()).unwrap_or(u32::MAX),
                labels: about.labels,
                draining: about.draining,
                connected_at: self.connected_at,
                last_seen_at: self.last_seen_at,
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workers {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Connection>> {
        lock(&self.connections)
    }

    /// Adds a connection, which gets what its worker had before. Returns that, too.
    pub(crate) fn add(&self, mut connection: Connection) -> (ConnectionId, Vec<ExecutionId>) {
        let key = (connection.team_id.clone(), connection.worker_id.clone());
        let mut orphans = lock(&self.orphans);
        let now = Instant::now();
        orphans.retain(|_, orphans| orphans.until > now);
        connection.adopted = orphans.remove(&key).map(|orphans| orphans.executions).unwrap_or_default();
        let adopted = connection.adopted.iter().copied().collect();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(id, connection);
        (id, adopted)
    }

    /// Removes a connection and returns what it had been offered or worked on. A later connection of a worker that does not
    /// say what it works on gets that, when there is one already or one comes within `within`.
    pub(crate) fn remove(&self, id: ConnectionId, within: Duration) -> Option<HashSet<ExecutionId>> {
        let mut orphans = lock(&self.orphans);
        let mut connections = self.lock();
        let connection = connections.remove(&id)?;
        if connection.about.is_none() {
            let claimed =
                connection.active.difference(&connection.offered).chain(&connection.adopted).copied();
            let is_next = |(other, c): &(&ConnectionId, &mut Connection)| {
                **other > id
                    && c.about.is_none()
                    && c.worker_id == connection.worker_id
                    && c.team_id == connection.team_id
            };
            if let Some((_, next)) = connections.iter_mut().filter(is_next).max_by_key(|(other, _)| **other) {
                next.adopted.extend(claimed);
            } else {
                let until = Instant::now() + within;
                let key = (connection.team_id.clone(), connection.worker_id.clone());
                let none = || Orphans { executions: HashSet::new(), until };
                let orphans = orphans.entry(key).or_insert_with(none);
                orphans.executions.extend(claimed);
                orphans.until = until;
            }
        }
        Some(connection.active)
    }

    /// Changes a connection that is still there.
    pub(crate) fn update<T>(&self, id: ConnectionId, change: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        self.lock().get_mut(&id).map(change)
    }

    /// Whether a connection that names only a run means this execution: it has it, or no later one does. What an older one
    /// has may be its own: nobody has noticed yet that the older one is gone.
    pub(crate) fn may_mean(&self, id: ConnectionId, execution_id: ExecutionId) -> bool {
        let connections = self.lock();
        let has = |c: &Connection| c.active.contains(&execution_id) || c.adopted.contains(&execution_id);
        connections.get(&id).is_some_and(has)
            || !connections.iter().any(|(other, c)| *other > id && c.active.contains(&execution_id))
    }

    /// The older connections of the same process of a worker: it has left them, whether or not it could say so.
    pub(crate) fn left_behind(&self, id: ConnectionId) -> Vec<ConnectionId> {
        let connections = self.lock();
        let Some(this) = connections.get(&id) else { return Vec::new() };
        let Some(about) = this.about.as_ref().filter(|about| !about.instance_id.is_empty()) else {
            return Vec::new();
        };
        let same = |(other, c): &(&ConnectionId, &Connection)| {
            **other < id
                && c.worker_id == this.worker_id
                && c.team_id == this.team_id
                && c.about.as_ref().is_some_and(|old| old.instance_id == about.instance_id)
        };
        connections.iter().filter(same).map(|(other, _)| *other).collect()
    }

    /// The connections that may take a run of one of these queues now.
    pub(crate) fn candidates(&self, queues: &[Queue], now: Instant) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = self
            .lock()
            .iter()
            .filter(|(_, c)| queues.iter().any(|q| is_host(c.team_id.as_ref(), &c.worker_id, q)))
            .map(|(id, c)| Candidate {
                connection: *id,
                worker_id: c.worker_id.clone(),
                team_id: c.team_id.clone(),
                labels: c.about.as_ref().map(|about| about.labels.clone()).unwrap_or_default(),
                free: c.free(now),
                active: c.active.len(),
            })
            .filter(|c| c.free > 0)
            .collect();
        candidates.sort_by_key(|c| c.connection);
        candidates
    }

    /// When the next full connection may be asked again.
    pub(crate) fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.lock().values().filter_map(|c| c.full_until).filter(|until| *until > now).min()
    }

    /// An offer was taken back: whoever has not answered it no longer has it.
    pub(crate) fn take_back(&self, execution_id: ExecutionId) {
        for connection in self.lock().values_mut().filter(|c| c.offered.contains(&execution_id)) {
            connection.forget(execution_id);
        }
    }

    /// Sends a frame to a connection. `false` when it is gone or does not read.
    pub(crate) fn send(&self, id: ConnectionId, frame: ToWorker) -> bool {
        self.lock().get(&id).is_some_and(|c| c.frames.try_send(frame).is_ok())
    }

    /// Tells whoever works on an execution to stop.
    pub(crate) fn cancel(&self, run_id: RunId, execution_id: ExecutionId) {
        let has = |c: &&Connection| c.active.contains(&execution_id) || c.adopted.contains(&execution_id);
        for connection in self.lock().values().filter(has) {
            let frame = ToWorker::TaskCancellation {
                task_id: run_id,
                execution_id: Some(execution_id),
                ended: false,
            };
            // A full queue means that the worker does not read; its agent learns of the end by its next report.
            let _ = connection.frames.try_send(frame);
        }
    }

    /// The executions whose lease the mere connection keeps alive: those of workers that send no status.
    pub(crate) fn kept_alive(&self) -> Vec<ExecutionId> {
        let now = Instant::now();
        let connections = self.lock();
        let silent = connections.values().filter(|c| c.about.is_none());
        let kept = silent.flat_map(|c| {
            let trusted = now.duration_since(c.since) < TRUSTED_FOR;
            // An offer has to be answered, whatever becomes of the connection.
            let claimed = c.active.difference(&c.offered);
            claimed.chain(c.adopted.iter().filter(move |_| trusted)).copied()
        });
        kept.collect()
    }

    /// All connections, as others may know them.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        let now = Instant::now();
        self.lock().values().map(|c| c.listed(now)).collect()
    }
}

#[cfg(test)]
mod tests;
