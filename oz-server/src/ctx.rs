//! What every part of the control plane shares. It is cheap to clone and holds no logic.

use crate::{
    auth::Key,
    live::{hub::Hub, leases::Leases, workers::Workers},
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The shared parts of a running control plane.
#[derive(Clone)]
pub(crate) struct Ctx(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    /// Wakes readers of live streams.
    pub(crate) hub: Hub,
    /// The connected workers.
    pub(crate) workers: Workers,
    /// Who must show a sign of life by when.
    pub(crate) leases: Leases,
    /// Wakes the dispatcher.
    pub(crate) dispatch: Notify,
    /// How long a run may go without a sign of life.
    pub(crate) lease: Duration,
    /// The key of the embedded worker; lives in memory only.
    pub(crate) worker_key: String,
    /// Signs the addresses of bytes.
    pub(crate) signing_key: Key,
    /// Ends streams and sockets when the server stops.
    pub(crate) shutdown: CancellationToken,
}

impl Ctx {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl std::ops::Deref for Ctx {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The wall clock, in the resolution that the store keeps.
pub(crate) fn now() -> oz_core::Timestamp {
    let now = oz_core::Timestamp::now();
    oz_core::Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
