//! Leases: by when each live execution must have shown a sign of life. They use the monotonic clock and are renewed
//! without touching the store; after a restart of the server every live execution gets a fresh one.

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
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<ExecutionId, Lease>>);

impl Leases {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grants or replaces a lease.
    pub(crate) fn grant(&self, execution_id: ExecutionId, run_no: i64, length: Duration) {
        self.lock().insert(execution_id, Lease { run_no, expires: Instant::now() + length });
    }

    /// Prolongs a lease that exists. Never shortens it.
    pub(crate) fn renew(&self, execution_id: ExecutionId, length: Duration) {
        if let Some(lease) = self.lock().get_mut(&execution_id) {
            lease.expires = lease.expires.max(Instant::now() + length);
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
