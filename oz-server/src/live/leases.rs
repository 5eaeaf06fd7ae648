//! Leases: by when each live execution must have shown a sign of life. They use the monotonic clock and are renewed
//! without touching the store; after a restart of the server every live execution gets a fresh one. Where several
//! servers share a database, the store keeps the leases and this is only what this server heard since it last wrote
//! them down.

use oz_core::ExecutionId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// One lease.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) run_no: i64,
    pub(crate) expires: Instant,
}

/// All leases.
pub(crate) struct Leases {
    shared: bool,
    inner: Mutex<HashMap<ExecutionId, Lease>>,
}

impl Leases {
    /// No leases; `shared` when the store keeps them.
    pub(crate) fn new(shared: bool) -> Self {
        Self { shared, inner: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Lease>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard since the last call, to be written down: each execution, its run, and how long its lease holds.
    pub(crate) fn take_heard(&self) -> Vec<(ExecutionId, i64, Duration)> {
        let now = Instant::now();
        let heard = std::mem::take(&mut *self.lock());
        heard
            .into_iter()
            .map(|(id, lease)| (id, lease.run_no, lease.expires.saturating_duration_since(now)))
            .collect()
    }

    /// Grants or replaces a lease.
    pub(crate) fn grant(&self, execution_id: ExecutionId, run_no: i64, length: Duration) {
        self.lock().insert(execution_id, Lease { run_no, expires: Instant::now() + length });
    }

    /// Prolongs a lease that exists. Never shortens it.
    pub(crate) fn renew(&self, execution_id: ExecutionId, run_no: i64, length: Duration) {
        let expires = Instant::now() + length;
        let mut leases = self.lock();
        match leases.get_mut(&execution_id) {
            Some(lease) => lease.expires = lease.expires.max(expires),
            // Another server may have granted it; what counts is that it lives.
            None if self.shared => drop(leases.insert(execution_id, Lease { run_no, expires })),
            None => {}
        }
    }

    /// Ends a lease.
    pub(crate) fn end(&self, execution_id: ExecutionId) {
        self.lock().remove(&execution_id);
    }

    /// The leases that have run out at `now`. They stay until they are ended or granted anew.
    pub(crate) fn expired(&self, now: Instant) -> Vec<(ExecutionId, i64)> {
        self.lock()
            .iter()
            .filter(|(_, lease)| lease.expires <= now)
            .map(|(id, lease)| (*id, lease.run_no))
            .collect()
    }

    /// When the next lease runs out.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.lock().values().map(|lease| lease.expires).min()
    }
}
