//! SQLite: one writer thread that lets many small transactions share one durable commit, and a few readers beside it.
//! It knows nothing of what it stores.

use super::StoreError;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};
use tokio::sync::oneshot;

/// The most writes that share one commit; bounds how long the first of them waits.
const MAX_BATCH: usize = 512;
/// How many writes may wait; more make their callers wait.
const QUEUE: usize = 4096;
const MAX_IDLE_READERS: usize = 4;

/// A write on its way through the writer thread.
trait Job: Send {
    fn run(&mut self, db: &Connection);
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Write<F, T> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Write<F, T>
where
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) {
        let Some(work) = self.work.take() else { return };
        self.result = Some(in_savepoint(db, work));
    }
    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(e), _) => Err(e),
            (Ok(()), None) => Err(StoreError::Closed),
        };
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(result);
    }
}

/// Runs `work` so that its changes vanish when it fails, without disturbing the other writes of the batch.
fn in_savepoint<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(db);
    if result.is_err() {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    db.prepare_cached("RELEASE job")?.execute([])?;
    result
}

/// An open database.
#[derive(Clone)]
pub(super) struct Engine {
    writer: mpsc::SyncSender<Box<dyn Job>>,
    readers: Arc<Readers>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Engine {
    /// Opens or creates the database at `path` and prepares it with `prepare` (migrations) before anybody uses it.
    pub(super) fn open(
        path: &Path,
        prepare: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let mut db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "wal_autocheckpoint", 4000)?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        db.pragma_update(None, "cache_size", -8192)?;
        keep_plans(&db)?;
        db.set_prepared_statement_cache_capacity(128);
        prepare(&mut db)?;
        let (writer, jobs) = mpsc::sync_channel(QUEUE);
        thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_loop(&db, &jobs))
            .map_err(|e| StoreError::Io(e.to_string()))?;
        Ok(Self { writer, readers: Arc::new(Readers { path: path.to_owned(), idle: Mutex::default() }) })
    }

    /// Runs `work` in a transaction and returns once it is durable. When it fails, nothing of it remains.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Write { work: Some(work), result: None, reply });
        match self.writer.try_send(job) {
            Ok(()) => {}
            Err(mpsc::TrySendError::Full(_)) => return Err(StoreError::Busy),
            Err(mpsc::TrySendError::Disconnected(_)) => return Err(StoreError::Closed),
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a short read on this thread: a few index look-ups, tens of microseconds.
    pub(super) fn read_now<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.with(work)
    }

    /// Runs a read that may take long on a thread of its own.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = self.readers.clone();
        tokio::task::spawn_blocking(move || readers.with(work)).await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Without this, SQLite compiles a statement anew whenever its parameters change, to plan for their values: that cost
/// more than all other work of the store together.
fn keep_plans(db: &Connection) -> Result<(), StoreError> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

impl Readers {
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => self.connect()?,
        };
        let result = work(&db);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE_READERS {
            idle.push(db);
        }
        result
    }

    fn connect(&self) -> Result<Connection, StoreError> {
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
fn write_loop(db: &Connection, jobs: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        let commit = run_batch(db, &mut batch, jobs).inspect_err(|e| {
            tracing::error!(error = %e, "writes were not stored");
            // A failed COMMIT can leave the transaction open; the next batch must start clean.
            if !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
        });
        for job in batch {
            job.finish(commit.clone());
        }
    }
}

fn run_batch(
    db: &Connection,
    batch: &mut Vec<Box<dyn Job>>,
    jobs: &mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut done = 0;
    while done < batch.len() {
        batch[done].run(db);
        done += 1;
        if done == batch.len()
            && done < MAX_BATCH
            && let Ok(next) = jobs.try_recv()
        {
            batch.push(next);
        }
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}
