//! Everything durable: the only room that speaks SQL. Each file holds the queries of one aggregate and maps rows to
//! the types of oz-core; a function here is one transaction or a part of one.

pub(crate) mod accounts;
pub(crate) mod agent;
mod engine;
pub(crate) mod executions;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod runs;
#[cfg(test)]
mod suite;
mod transitions;

use engine::Engine;
use oz_core::{Error, ErrorCode, Timestamp};
use rusqlite::Connection;
use std::{fs, path::Path, sync::Arc};

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
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    #[error("it was written by a newer version of oz (schema {found}; this version knows up to {known})")]
    Newer { found: i64, known: i64 },
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

impl From<StoreError> for Error {
    /// What a caller is told: its own mistakes in full, of ours only that there was one.
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Refused(e) => e,
            StoreError::Busy => {
                let mut error =
                    Self::new(ErrorCode::ResourceUnavailable, "the server is overloaded; try again");
                error.status = Some(503);
                error
            }
            StoreError::Sqlite(e) if is_full(&e) => {
                let mut error = Self::new(ErrorCode::ResourceUnavailable, "the server's disk is full");
                error.status = Some(503);
                error
            }
            e => {
                tracing::error!(error = %e, "store");
                Self::internal("the store failed; the server's log says why")
            }
        }
    }
}

fn is_full(e: &rusqlite::Error) -> bool {
    matches!(
        e.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure)
    )
}

type Result<T> = std::result::Result<T, StoreError>;

const MIGRATIONS: &[&str] = &[include_str!("store/migrations/001_init.sql")];

/// The store of one control plane.
#[derive(Clone)]
pub(crate) struct Store {
    engine: Engine,
}

impl Store {
    /// Opens the database in `data_dir`, creating or migrating it as needed.
    pub(crate) fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("oz.db");
        let engine = Engine::open(&path, |db| {
            restrict(&path)?;
            migrate(db)
        })?;
        Ok(Self { engine })
    }

    /// Whether the store answers.
    pub(crate) fn ping(&self) -> Result<()> {
        self.engine.read_now(|db| Ok(db.prepare_cached("SELECT 1")?.query_row([], |_| Ok(()))?))
    }
}

/// Only the owner may read the database.
fn restrict(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(|e| StoreError::Io(e.to_string()))?;
    }
    Ok(())
}

fn migrate(db: &mut Connection) -> Result<()> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let done = usize::try_from(found).map_err(|_| StoreError::Damaged(format!("schema version {found}")))?;
    for (i, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let tx = db.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", i64::try_from(i + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
    }
    Ok(())
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
