//! What lives only in memory: connected workers, leases, and the readers of live streams. All of it can be lost at any
//! moment; the store is the truth.

pub(crate) mod hub;
pub(crate) mod leases;
pub(crate) mod listed;
pub(crate) mod sse;
pub(crate) mod worker_socket;
pub(crate) mod workers;
