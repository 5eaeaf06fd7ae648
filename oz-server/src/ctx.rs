//! What every part of the control plane shares. It is cheap to clone and holds no logic.

use crate::{
    auth::Key,
    blobs::Blobs,
    keys::Keys,
    live::{hub::Hub, leases::Leases, workers::Workers},
    store::Store,
    vault::Vault,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The shared parts of a running control plane.
#[derive(Clone)]
pub(crate) struct Ctx {
    inner: Arc<Inner>,
    /// The address under which the current request reached the server.
    origin: Option<Arc<str>>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    /// Opens secrets and signs for runs.
    pub(crate) vault: Vault,
    pub(crate) blobs: Blobs,
    /// The keys in use.
    pub(crate) keys: Keys,
    /// Wakes readers of live streams.
    pub(crate) hub: Arc<Hub>,
    /// The connected workers.
    pub(crate) workers: Arc<Workers>,
    /// Who must show a sign of life by when.
    pub(crate) leases: Leases,
    /// Wakes the dispatcher.
    pub(crate) dispatch: Arc<Notify>,
    /// Wakes the scheduler.
    pub(crate) schedules: Arc<Notify>,
    /// Wakes the clerk.
    pub(crate) clerk: Notify,
    /// How long a run may go without a sign of life.
    pub(crate) lease: Duration,
    /// The key of the embedded worker; lives in memory only.
    pub(crate) worker_key: String,
    /// Names this process among the servers that share a database.
    pub(crate) server_id: String,
    /// Signs the addresses of bytes.
    pub(crate) signing_key: Key,
    /// The address under which others reach the server, when it was told.
    pub(crate) public_url: Option<String>,
    /// Ends streams and sockets when the server stops.
    pub(crate) shutdown: CancellationToken,
}

impl Ctx {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), origin: None }
    }

    /// The same, for a request with this `Host` header.
    pub(crate) fn reached_as(mut self, host: Option<&str>) -> Self {
        self.origin = match (&self.inner.public_url, host) {
            (Some(url), _) => Some(url.trim_end_matches('/').into()),
            (None, Some(host)) => Some(format!("http://{host}").into()),
            (None, None) => None,
        };
        self
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin.as_deref().unwrap_or_default())
    }
}

impl std::ops::Deref for Ctx {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

/// The wall clock, in the resolution that the store keeps.
pub(crate) fn now() -> oz_core::Timestamp {
    let now = oz_core::Timestamp::now();
    oz_core::Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
