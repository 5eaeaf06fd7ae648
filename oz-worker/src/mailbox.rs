//! What the worker still has to tell the control plane. It outlives connections: a frame leaves when it was written,
//! and the frame that ends a run leaves only when the control plane proved that it read it.

use crate::Config;
use oz_core::{ExecutionId, worker::FromWorker};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The most frames that wait.
const CAPACITY: usize = 256;

/// Names a frame, in the order of writing. Zero is a status frame, which is made when it is written.
pub(crate) type Sequence = u64;
const STATUS: Sequence = 0;

/// What a worker tells of itself.
#[derive(Debug, Clone)]
struct About {
    instance_id: String,
    slots: Option<u32>,
    backend: &'static str,
    labels: BTreeMap<String, String>,
    draining: bool,
}

/// What waits, without any waiting.
pub(crate) struct Outbox {
    about: About,
    running: BTreeSet<ExecutionId>,
    /// What goes on elsewhere, and whether every status frame lists it or only the first of a connection.
    elsewhere: BTreeMap<ExecutionId, bool>,
    connected: bool,
    status_due: bool,
    /// Whether the connection has carried nothing yet; a status frame comes first.
    fresh: bool,
    last: Sequence,
    frames: VecDeque<Entry>,
}

struct Entry {
    sequence: Sequence,
    written: bool,
    frame: FromWorker,
}

impl Entry {
    fn ended(&self) -> Option<Option<ExecutionId>> {
        match &self.frame {
            FromWorker::TaskCompleted { execution_id, .. } | FromWorker::TaskFailed { execution_id, .. } => {
                Some(*execution_id)
            }
            _ => None,
        }
    }
}

impl Outbox {
    fn new(about: About) -> Self {
        let running = BTreeSet::new();
        let frames = VecDeque::new();
        Self {
            about,
            running,
            elsewhere: BTreeMap::new(),
            connected: false,
            status_due: false,
            fresh: false,
            last: STATUS,
            frames,
        }
    }

    fn push(&mut self, frame: FromWorker) {
        if self.frames.len() >= CAPACITY {
            // What the control plane has probably read matters least, what ends a run most; a lost claim is repaired
            // by the next status frame.
            let written = self.frames.iter().position(|entry| entry.written);
            let other = || self.frames.iter().position(|entry| entry.ended().is_none());
            let least = written.or_else(other).unwrap_or(0);
            if let Some(entry) = self.frames.remove(least).filter(|entry| !entry.written) {
                tracing::error!(frame = ?entry.frame, "too many frames wait for the control plane; dropped one");
            }
        }
        self.last += 1;
        self.frames.push_back(Entry { sequence: self.last, written: false, frame });
    }

    fn connect(&mut self) {
        (self.connected, self.status_due, self.fresh) = (true, true, true);
        for entry in &mut self.frames {
            entry.written = false;
        }
    }

    fn next(&self) -> Option<(Sequence, FromWorker)> {
        let waiting = self.frames.iter().find(|entry| !entry.written && !self.fresh);
        match waiting {
            Some(entry) => Some((entry.sequence, entry.frame.clone())),
            None => self.status_due.then(|| (STATUS, self.status())),
        }
    }

    /// A run whose end the control plane may not know yet still counts as active, or it would count as lost.
    fn status(&self) -> FromWorker {
        let mut active = self.running.clone();
        active.extend(self.frames.iter().filter_map(Entry::ended).flatten());
        let elsewhere = self.elsewhere.iter().filter(|(_, always)| self.fresh || **always);
        active.extend(elsewhere.map(|(execution, _)| *execution));
        FromWorker::WorkerStatus {
            instance_id: self.about.instance_id.clone(),
            slots: self.about.slots,
            backend: Some(self.about.backend.to_owned()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            labels: self.about.labels.clone(),
            draining: self.about.draining,
            active: active.into_iter().collect(),
        }
    }

    /// Notes that a frame was written. Answers whether the peer should prove that it read it.
    fn written(&mut self, sequence: Sequence) -> bool {
        if sequence == STATUS {
            (self.status_due, self.fresh) = (false, false);
            return false;
        }
        let Some(at) = self.frames.iter().position(|entry| entry.sequence == sequence) else { return false };
        let ends = self.frames[at].ended().is_some();
        if ends {
            self.frames[at].written = true;
        } else {
            self.frames.remove(at);
        }
        ends
    }

    fn confirmed(&mut self, sequence: Sequence) {
        self.frames.retain(|entry| !entry.written || entry.sequence > sequence);
    }
}

/// The outbox, shared between who fills it and who empties it.
pub(crate) struct Mailbox {
    outbox: Mutex<Outbox>,
    changed: Notify,
}

impl Mailbox {
    /// `instance_id` names this process among those of the same worker.
    pub(crate) fn new(instance_id: String, config: &Config) -> Self {
        let about = About {
            instance_id,
            // What was dispatched takes no slot here, but counts where it is listed.
            slots: (config.max_concurrent_tasks > 0 && config.backend.name() != "command")
                .then_some(config.max_concurrent_tasks),
            backend: config.backend.name(),
            labels: config.labels.clone(),
            draining: false,
        };
        Self { outbox: Mutex::new(Outbox::new(about)), changed: Notify::new() }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let value = change(&mut self.outbox());
        self.changed.notify_waiters();
        value
    }

    async fn until<T>(&self, mut check: impl FnMut(&Outbox) -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(value) = check(&self.outbox()) {
                return value;
            }
            changed.await;
        }
    }

    /// Adds a frame.
    pub(crate) fn push(&self, frame: FromWorker) {
        self.change(|outbox| outbox.push(frame));
    }

    /// Adds an execution to those that status frames list.
    pub(crate) fn begin(&self, execution: Option<ExecutionId>) {
        self.change(|outbox| outbox.running.extend(execution));
    }

    /// Tells that the worker takes no more runs.
    pub(crate) fn drain(&self) {
        self.change(|outbox| (outbox.about.draining, outbox.status_due) = (true, true));
    }

    /// Takes an execution off the list, with the frame that ends its run unless it goes on elsewhere.
    pub(crate) fn end(&self, execution: Option<ExecutionId>, frame: Option<FromWorker>) {
        self.change(|outbox| {
            if let Some(frame) = frame {
                outbox.push(frame);
            }
            if let Some(execution) = execution {
                outbox.running.remove(&execution);
            }
        });
    }

    /// Says which executions go on elsewhere, and which of them every status frame is to list.
    pub(crate) fn elsewhere(&self, executions: impl IntoIterator<Item = (ExecutionId, bool)>) {
        self.change(|outbox| outbox.elsewhere = executions.into_iter().collect());
    }

    /// Asks for a status frame.
    pub(crate) fn tell_status(&self) {
        self.change(|outbox| outbox.status_due = true);
    }

    /// A connection begins: a status frame goes first, then everything that the last one may have lost.
    pub(crate) fn connect(&self) {
        self.change(Outbox::connect);
    }

    /// The connection ended.
    pub(crate) fn disconnect(&self) {
        self.change(|outbox| outbox.connected = false);
    }

    /// Waits for a frame to write. It stays until [`Self::written`].
    pub(crate) async fn next(&self) -> (Sequence, FromWorker) {
        self.until(Outbox::next).await
    }

    /// Notes that a frame was written. Answers whether to ask the peer for a proof that it read it.
    pub(crate) fn written(&self, sequence: Sequence) -> bool {
        self.change(|outbox| outbox.written(sequence))
    }

    /// The peer proved that it read everything up to `sequence`.
    pub(crate) fn confirmed(&self, sequence: Sequence) {
        self.change(|outbox| outbox.confirmed(sequence));
    }

    /// Waits until nothing waits, or until there is no connection to write to.
    pub(crate) async fn settled(&self) {
        self.until(|outbox| {
            (outbox.frames.is_empty() && !outbox.status_due || !outbox.connected).then_some(())
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::RunId;
    use uuid::Uuid;

    fn run(n: u128) -> RunId {
        RunId(Uuid::from_u128(n))
    }
    fn execution(n: u128) -> ExecutionId {
        ExecutionId(Uuid::from_u128(n))
    }
    fn claim(n: u128) -> FromWorker {
        FromWorker::TaskClaimed {
            task_id: run(n),
            worker_id: "w".to_owned(),
            execution_id: Some(execution(n)),
        }
    }
    fn done(n: u128) -> FromWorker {
        let message = String::new();
        FromWorker::TaskCompleted {
            task_id: run(n),
            message,
            task_state: None,
            execution_id: Some(execution(n)),
        }
    }
    fn active(frame: &FromWorker) -> &[ExecutionId] {
        let FromWorker::WorkerStatus { active, .. } = frame else { panic!("not a status: {frame:?}") };
        active
    }
    fn outbox() -> Outbox {
        let labels = BTreeMap::new();
        Outbox::new(About {
            instance_id: "i".to_owned(),
            slots: Some(2),
            backend: "direct",
            labels,
            draining: false,
        })
    }
    fn drain(outbox: &mut Outbox) -> Vec<FromWorker> {
        let mut all = Vec::new();
        while let Some((sequence, frame)) = outbox.next() {
            outbox.written(sequence);
            all.push(frame);
        }
        all
    }

    #[test]
    fn status_comes_first_on_a_connection_and_last_later() {
        let mut outbox = outbox();
        outbox.push(claim(1));
        outbox.running.insert(execution(1));
        outbox.connect();
        let sent = drain(&mut outbox);
        assert_eq!(active(&sent[0]), [execution(1)]);
        assert_eq!(sent[1..], [claim(1)]);
        outbox.status_due = true;
        outbox.push(claim(2));
        let sent = drain(&mut outbox);
        assert_eq!(sent[0], claim(2));
        active(&sent[1]);
    }

    #[test]
    fn a_frame_stays_until_it_was_written() {
        let mut outbox = outbox();
        outbox.connect();
        drain(&mut outbox);
        outbox.push(claim(1));
        let (_, first) = outbox.next().unwrap();
        outbox.connect();
        assert_eq!(drain(&mut outbox)[1], first);
        assert!(outbox.frames.is_empty());
    }

    #[test]
    fn the_end_of_a_run_is_told_again_until_it_was_read() {
        let mut outbox = outbox();
        outbox.connect();
        outbox.push(claim(1));
        outbox.push(done(1));
        assert_eq!(drain(&mut outbox).len(), 3);
        outbox.connect();
        let sent = drain(&mut outbox);
        assert_eq!(active(&sent[0]), [execution(1)], "or the run would count as lost");
        assert_eq!(sent[1..], [done(1)]);
        outbox.confirmed(outbox.last);
        outbox.connect();
        let sent = drain(&mut outbox);
        assert_eq!((sent.len(), active(&sent[0])), (1, [].as_slice()));
    }

    #[test]
    fn a_proof_covers_only_what_was_written() {
        let mut outbox = outbox();
        outbox.connect();
        outbox.push(done(1));
        drain(&mut outbox);
        outbox.push(done(2));
        outbox.confirmed(outbox.last);
        assert_eq!(drain(&mut outbox), [done(2)]);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_matters() {
        let mut outbox = outbox();
        outbox.push(done(1));
        for n in 0..2 * CAPACITY as u128 {
            outbox.push(claim(n));
        }
        assert_eq!(outbox.frames.len(), CAPACITY);
        assert_eq!(outbox.frames[0].frame, done(1));
    }
}
