//! SQLite: one writer thread that lets many small transactions share one durable commit, and a few readers beside it.

use super::{BoxedJob, Changes, Conn, Db, MAX_BATCH, OnChange, QUEUE, Row, StoreError, Value, pending};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

type Result<T> = std::result::Result<T, StoreError>;

const MAX_IDLE_READERS: usize = 4;

pub(super) fn open(
    path: &Path,
    migrations: &[&str],
    on_change: OnChange,
) -> Result<(mpsc::SyncSender<BoxedJob>, Readers)> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "wal_autocheckpoint", 4000)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    db.pragma_update(None, "cache_size", -16384)?;
    keep_plans(&db)?;
    db.set_prepared_statement_cache_capacity(256);
    restrict(path)?;
    migrate(&mut db, migrations)?;
    let (writer, jobs) = mpsc::sync_channel(QUEUE);
    thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || write_loop(&db, &jobs, &on_change))
        .map_err(|e| StoreError::Io(e.to_string()))?;
    Ok((writer, Readers { path: path.to_owned(), idle: Mutex::default() }))
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

fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<()> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, sql) in pending(found, migrations)? {
        let tx = db.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

/// Without this, SQLite compiles a statement anew whenever its parameters change, to plan for their values: that cost
/// more than all other work of the store together.
fn keep_plans(db: &Connection) -> Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

pub(super) fn execute(db: &Connection, sql: &str, values: &[Value<'_>]) -> Result<u64> {
    Ok(db.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))? as u64)
}

pub(super) fn rows<T>(
    db: &Connection,
    sql: &str,
    values: &[Value<'_>],
    mut map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    let mut mapped = Vec::new();
    while let Some(row) = rows.next()? {
        mapped.push(map(&Row::Sqlite(row))?);
    }
    Ok(mapped)
}

pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    values: &[Value<'_>],
    mut map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(rusqlite::params_from_iter(values))?;
    rows.next()?.map(|row| map(&Row::Sqlite(row))).transpose()
}

/// Connections that only read.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn with<T>(&self, work: impl FnOnce(&Db<'_>) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => self.connect()?,
        };
        let result = work(&Db::new(Conn::Sqlite(&db)));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE_READERS {
            idle.push(db);
        }
        result
    }

    fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.path, flags)?;
        db.pragma_update(None, "cache_size", -2048)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        keep_plans(&db)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(db)
    }
}

/// Takes whatever writes wait, runs them in one transaction, makes it durable and only then answers. While a commit
/// waits for the disk, the next writes gather: the busier the store, the more writes share one sync.
fn write_loop(db: &Connection, jobs: &mpsc::Receiver<BoxedJob>, on_change: &OnChange) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        let commit = run_batch(db, &mut batch, jobs).inspect_err(|e| {
            if !e.is_full() {
                tracing::error!(error = %e, "writes were not stored");
            }
            // A failed COMMIT can leave the transaction open; the next batch must start clean.
            if !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
        });
        let outcome = match commit {
            Ok(changes) => {
                if !changes.is_empty() {
                    on_change(&changes);
                }
                Ok(())
            }
            Err(e) => Err(e),
        };
        for job in batch {
            job.finish(outcome.clone());
        }
    }
}

fn run_batch(db: &Connection, batch: &mut Vec<BoxedJob>, jobs: &mpsc::Receiver<BoxedJob>) -> Result<Changes> {
    // A write rarely fails after it has changed something; to be ready for it costs more than to start again.
    match attempt(db, batch, jobs, false)? {
        Some(changes) => Ok(changes),
        None => attempt(db, batch, jobs, true)?.ok_or(StoreError::Closed),
    }
}

/// Runs and commits a batch. `None` when a write has to be undone, which only a `careful` attempt can do by itself.
fn attempt(
    db: &Connection,
    batch: &mut Vec<BoxedJob>,
    jobs: &mpsc::Receiver<BoxedJob>,
    careful: bool,
) -> Result<Option<Changes>> {
    let mut changes = Changes::default();
    step(db, "BEGIN IMMEDIATE")?;
    let mut done = 0;
    while done < batch.len() {
        if careful {
            step(db, "SAVEPOINT job")?;
        }
        let view = Db::new(Conn::Sqlite(db));
        if batch[done].run(&view) {
            changes.merge(view.take_changes());
        } else if db.is_autocommit() {
            // When the disk is full, SQLite may give up the whole transaction, and with it the writes before this one.
            return Err(batch[done].error());
        } else if careful {
            step(db, "ROLLBACK TO job")?;
        } else if view.touched.get() {
            step(db, "ROLLBACK")?;
            return Ok(None);
        }
        if careful {
            step(db, "RELEASE job")?;
        }
        done += 1;
        if done == batch.len()
            && done < MAX_BATCH
            && let Ok(next) = jobs.try_recv()
        {
            batch.push(next);
        }
    }
    step(db, "COMMIT")?;
    Ok(Some(changes))
}

fn step(db: &Connection, sql: &str) -> Result<()> {
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}
