//! The connected workers: who they are, what they work on, and how to reach them.

use crate::store::executions::Queue;
use oz_core::{ExecutionId, RunId, TeamId, Timestamp, api::ConnectedWorker, worker::ToWorker};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::mpsc;

/// Names one connection for as long as it lives.
pub(crate) type ConnectionId = u64;

/// One connection of a worker.
pub(crate) struct Connection {
    pub(crate) worker_id: String,
    /// The team whose runs it may have; `None` for the control plane's own worker, which serves all.
    pub(crate) team_id: Option<TeamId>,
    /// How many runs it takes at once, when it says so.
    pub(crate) slots: Option<u32>,
    /// What it has been offered or works on.
    pub(crate) active: HashSet<ExecutionId>,
    /// It said that it is full: no offers until then.
    pub(crate) full_until: Option<Instant>,
    /// Whether it sends its status; published workers don't.
    pub(crate) reports_status: bool,
    pub(crate) frames: mpsc::Sender<ToWorker>,
    pub(crate) connected_at: Timestamp,
    pub(crate) last_seen_at: Timestamp,
}

/// All connections.
#[derive(Default)]
pub(crate) struct Workers {
    next: AtomicU64,
    connections: Mutex<HashMap<ConnectionId, Connection>>,
}

/// A worker as the choice of the dispatcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) connection: ConnectionId,
    pub(crate) worker_id: String,
    pub(crate) team_id: Option<TeamId>,
    /// `None` means no known limit.
    pub(crate) free: Option<usize>,
    pub(crate) active: usize,
}

/// Whether a worker may have the runs of a queue: the control plane's own those without a host, any other those of its
/// own team that name exactly it.
pub(crate) fn serves(worker_team: Option<&TeamId>, worker_id: &str, queue: &Queue) -> bool {
    match worker_team {
        None => queue.host.is_empty(),
        Some(team) => *team == queue.team_id && worker_id == queue.host,
    }
}

impl Workers {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub(crate) fn add(&self, connection: Connection) -> ConnectionId {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(id, connection);
        id
    }

    /// Removes a connection and returns what it had.
    pub(crate) fn remove(&self, id: ConnectionId) -> Option<Connection> {
        self.lock().remove(&id)
    }

    /// Changes a connection that is still there.
    pub(crate) fn update<T>(&self, id: ConnectionId, change: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        self.lock().get_mut(&id).map(change)
    }

    /// The connections that may take a run of one of these queues now.
    pub(crate) fn candidates(&self, queues: &[Queue], now: Instant) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = self
            .lock()
            .iter()
            .filter(|(_, c)| c.full_until.is_none_or(|until| until <= now))
            .filter(|(_, c)| c.slots.is_none_or(|slots| (slots as usize) > c.active.len()))
            .filter(|(_, c)| queues.iter().any(|q| serves(c.team_id.as_ref(), &c.worker_id, q)))
            .map(|(id, c)| Candidate {
                connection: *id,
                worker_id: c.worker_id.clone(),
                team_id: c.team_id.clone(),
                free: c.slots.map(|slots| (slots as usize).saturating_sub(c.active.len())),
                active: c.active.len(),
            })
            .collect();
        candidates.sort_by_key(|c| c.connection);
        candidates
    }

    /// When the next full connection may be asked again.
    pub(crate) fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.lock().values().filter_map(|c| c.full_until).filter(|until| *until > now).min()
    }

    /// Sends a frame to a connection. `false` when it is gone or does not read.
    pub(crate) fn send(&self, id: ConnectionId, frame: ToWorker) -> bool {
        self.lock().get(&id).is_some_and(|c| c.frames.try_send(frame).is_ok())
    }

    /// Tells whoever works on an execution to stop.
    pub(crate) fn cancel(&self, run_id: RunId, execution_id: ExecutionId) {
        for connection in self.lock().values().filter(|c| c.active.contains(&execution_id)) {
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
        self.lock().values().filter(|c| !c.reports_status).flat_map(|c| c.active.iter().copied()).collect()
    }

    /// All connections, as others may know them.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        let listed = |c: &Connection| Listed {
            worker_host: c.worker_id.clone(),
            team_id: c.team_id.clone(),
            connected_at: c.connected_at,
            last_seen_at: c.last_seen_at,
        };
        self.lock().values().map(listed).collect()
    }
}

/// A connection, as others may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listed {
    worker_host: String,
    team_id: Option<TeamId>,
    connected_at: Timestamp,
    last_seen_at: Timestamp,
}

/// The connected workers of a team, by id. The control plane's own worker is everybody's.
pub(crate) fn of_team(listed: Vec<Listed>, team_id: &TeamId) -> Vec<ConnectedWorker> {
    let mut by_id: BTreeMap<String, ConnectedWorker> = BTreeMap::new();
    for c in listed.into_iter().filter(|c| c.team_id.as_ref().is_none_or(|t| t == team_id)) {
        by_id
            .entry(c.worker_host.clone())
            .and_modify(|w| {
                w.connection_count += 1;
                w.connected_at = w.connected_at.min(c.connected_at);
                w.last_seen_at = w.last_seen_at.max(c.last_seen_at);
            })
            .or_insert_with(|| ConnectedWorker {
                worker_host: c.worker_host,
                connection_count: 1,
                connected_at: c.connected_at,
                last_seen_at: c.last_seen_at,
            });
    }
    by_id.into_values().collect()
}
