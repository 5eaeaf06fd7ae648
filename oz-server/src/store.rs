//! Everything durable: the only room that speaks SQL. Each file holds the queries of one aggregate and maps rows to
//! the types of oz-core; a function here is one transaction or a part of one.

pub(crate) mod accounts;
pub(crate) mod agent;
mod artifacts;
mod budgets;
pub(crate) mod conversations;
pub(crate) mod credentials;
mod engine;
pub(crate) mod executions;
pub(crate) mod files;
pub(crate) mod followups;
pub(crate) mod idempotency;
mod identities;
pub(crate) mod leases;
pub(crate) mod list;
pub(crate) mod log;
mod mcp_servers;
mod memory;
mod messages;
mod money;
pub(crate) mod objects;
pub(crate) mod queues;
mod requests;
pub(crate) mod resume;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod secrets;
mod servers;
pub(crate) mod skills;
#[cfg(test)]
mod suite;
mod team;
mod transitions;
mod usage;
pub(crate) mod vault;

use crate::full;
use engine::Db;
pub(crate) use engine::OnChange;
use engine::{Engine, args};
use oz_core::{Error, ErrorCode, Timestamp};
use std::{path::Path, sync::Arc};

/// Why the store could not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// The request can't be done; says why to the caller.
    #[error("{0}")]
    Refused(#[from] Error),
    #[error("the store is overloaded")]
    Busy,
    #[error("the store is closed")]
    Closed,
    #[error("{0}")]
    Io(String),
    #[error("database: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
    #[error("database: {}", said(.0))]
    Postgres(#[source] Arc<postgres::Error>),
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    #[error("it was written by a newer version of oz (schema {found}; this version knows up to {known})")]
    Newer { found: i64, known: i64 },
}

/// The library's own text is only "db error" or "error connecting to server".
fn said(e: &postgres::Error) -> String {
    match (e.as_db_error(), std::error::Error::source(e)) {
        (Some(e), _) => format!("{} ({})", e.message(), e.code().code()),
        (None, Some(cause)) => format!("{e}: {cause}"),
        (None, None) => e.to_string(),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(e))
    }
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(e: rusqlite::types::FromSqlError) -> Self {
        rusqlite::Error::from(e).into()
    }
}

impl From<postgres::Error> for StoreError {
    fn from(e: postgres::Error) -> Self {
        Self::Postgres(Arc::new(e))
    }
}

impl StoreError {
    /// Whether the connection to the database is lost: another one may do.
    fn is_disconnect(&self) -> bool {
        let Self::Postgres(e) = self else { return false };
        // Class 08 is the connection itself, 57P0x the database shutting down, 25P03 a transaction that idled.
        let code = |c: &str| c.starts_with("08") || c.starts_with("57P0") || c == "25P03";
        e.is_closed()
            || e.code().is_some_and(|c| code(c.code()))
            || std::error::Error::source(e.as_ref())
                .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
    }

    /// Whether it is certain that nothing was stored.
    pub(crate) fn is_undone(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Busy) || self.is_full()
    }

    /// Whether the disk of the database is full.
    fn is_full(&self) -> bool {
        match self {
            // The second is what SQLite says when it can't make room for the index of its log.
            Self::Sqlite(e) => e.sqlite_error().is_some_and(|e| {
                e.code == rusqlite::ErrorCode::DiskFull
                    || e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
            }),
            Self::Postgres(e) => e.code().is_some_and(|c| c.code() == "53100"),
            _ => false,
        }
    }
}

impl From<StoreError> for Error {
    /// What a caller is told: its own mistakes in full, of ours only that there was one.
    fn from(e: StoreError) -> Self {
        let unavailable = |text: &str| {
            let mut error = Self::new(ErrorCode::ResourceUnavailable, text);
            error.status = Some(503);
            error
        };
        match e {
            StoreError::Refused(e) => e,
            StoreError::Busy => unavailable("the server is overloaded; try again"),
            e if e.is_full() => full::error(full::Place::Database, &e),
            e if e.is_disconnect() => {
                tracing::error!(error = %e, "store");
                unavailable("the server's database can't be reached")
            }
            e => {
                tracing::error!(error = %e, "store");
                Self::internal("the store failed; the server's log says why")
            }
        }
    }
}

type Result<T> = std::result::Result<T, StoreError>;

const MIGRATIONS: &[&str] = &[
    include_str!("store/migrations/001_init.sql"),
    include_str!("store/migrations/002_team.sql"),
    include_str!("store/migrations/003_secrets.sql"),
    include_str!("store/migrations/004_schedules.sql"),
    include_str!("store/migrations/005_usage.sql"),
    include_str!("store/migrations/006_requests.sql"),
    include_str!("store/migrations/007_worker_labels.sql"),
];

/// The store of one control plane.
#[derive(Clone)]
pub(crate) struct Store {
    engine: Engine,
}

impl Store {
    /// Opens the SQLite database in `data_dir`, creating or migrating it as needed.
    pub(crate) fn sqlite(data_dir: &Path, on_change: OnChange) -> Result<Self> {
        Ok(Self { engine: Engine::sqlite(&data_dir.join("oz.db"), MIGRATIONS, on_change)? })
    }

    /// Connects to a PostgreSQL database, which other servers may use too, creating or migrating its tables as needed.
    pub(crate) fn postgres(url: &str, on_change: OnChange) -> Result<Self> {
        Ok(Self { engine: Engine::postgres(url, MIGRATIONS, on_change)? })
    }

    /// Whether other servers may use the same database.
    pub(crate) fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    /// Whether the store answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        self.engine.read(|db| db.one("SELECT 1", args![], |_| Ok(()))).await
    }
}

/// A point in time as it is stored.
fn micros(t: Timestamp) -> i64 {
    t.as_microsecond()
}

/// A stored point in time.
fn timestamp(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|e| StoreError::Damaged(e.to_string()))
}

/// A stored JSON value.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Damaged(e.to_string()))
}

/// A value as JSON to store.
fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Refused(Error::internal(e.to_string())))
}

/// A stored id.
fn id<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<T> {
    text.parse().map_err(|e: Error| StoreError::Damaged(e.detail))
}
