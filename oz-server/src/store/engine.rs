//! The two databases behind one face: SQLite inside this process, PostgreSQL shared by any number of servers. One
//! query text serves both; the differences that remain are listed in [`postgres`]. It knows nothing of what it stores.
//!
//! Writes are serial on both: one thread per server takes whatever writes wait and runs them in one transaction, and on
//! PostgreSQL the transactions of all servers take turns at an advisory lock. So a function of the store never races
//! with another one, and the sequence of the log is the order in which it becomes visible.

mod postgres;
mod sqlite;
mod value;

pub(super) use value::{Row, Value, args};

use super::StoreError;
use oz_core::{ExecutionId, RunId};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    mem,
    path::Path,
    sync::Arc,
};
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, StoreError>;

/// The most writes that share one commit; bounds how long the first of them waits.
const MAX_BATCH: usize = 512;
/// How many writes may wait; more make their callers wait.
const QUEUE: usize = 4096;

/// What a commit changed, for those who watch. It tells where to look, not what is there.
#[derive(Debug, Default, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Changes {
    /// Runs whose log has grown.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) runs: BTreeSet<i64>,
    /// Whether the queue may have something to offer.
    #[serde(rename = "q", default)]
    pub(crate) queue: bool,
    /// Whether a schedule may have something to do.
    #[serde(rename = "t", default)]
    pub(crate) schedules: bool,
    /// Executions whose workers must be told to stop.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stop: Vec<(RunId, ExecutionId)>,
    /// Whether anything at all may have changed, because notifications were lost.
    #[serde(skip)]
    pub(crate) anything: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.queue |= other.queue;
        self.schedules |= other.schedules;
        self.stop.extend(other.stop);
    }
}

/// Told of every commit, its own and those of other servers.
pub(crate) type OnChange = Arc<dyn Fn(&Changes) + Send + Sync>;

/// A connection within a transaction or a read.
pub(crate) struct Db<'a> {
    conn: Conn<'a>,
    changes: RefCell<Changes>,
    /// Whether there may be something to undo.
    touched: Cell<bool>,
}

enum Conn<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(RefCell<&'a mut postgres::Session>),
}

impl<'a> Db<'a> {
    fn new(conn: Conn<'a>) -> Self {
        Self { conn, changes: RefCell::default(), touched: Cell::new(false) }
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        self.touched.set(true);
        match &self.conn {
            Conn::Sqlite(db) => sqlite::execute(db, sql, values),
            Conn::Postgres(session) => session.borrow_mut().execute(sql, values),
        }
    }

    /// Runs a query and maps its rows.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.touch(sql);
        match &self.conn {
            Conn::Sqlite(db) => sqlite::rows(db, sql, values, map),
            Conn::Postgres(session) => {
                // An error of PostgreSQL ends its transaction.
                let rows = session.borrow_mut().query(sql, values).inspect_err(|_| self.touched.set(true))?;
                rows.iter().map(|row| map(&Row::Postgres(row))).collect()
            }
        }
    }

    fn touch(&self, sql: &str) {
        if !sql.trim_start().starts_with("SELECT") {
            self.touched.set(true);
        }
    }

    /// The first row of a query, mapped.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.touch(sql);
        match &self.conn {
            Conn::Sqlite(db) => sqlite::first(db, sql, values, map),
            Conn::Postgres(_) => Ok(self.rows(sql, values, map)?.into_iter().next()),
        }
    }

    /// The row of a query that must find one, mapped.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.first(sql, values, map)?.ok_or_else(|| StoreError::Damaged(format!("no row for: {sql}")))
    }

    /// Says what this transaction changes.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Changes)) {
        change(&mut self.changes.borrow_mut());
    }

    fn take_changes(&self) -> Changes {
        mem::take(&mut *self.changes.borrow_mut())
    }
}

/// A write on its way through the writer thread. It may run more than once: when the connection is lost before its
/// commit began, and when another write of its batch has to be undone.
trait Job: Send {
    /// Runs it; `false` when its changes must be undone.
    fn run(&mut self, db: &Db<'_>) -> bool;
    /// Why its changes must be undone.
    fn error(&self) -> StoreError;
    fn finish(self: Box<Self>, commit: Result<()>);
}

struct Write<F, T> {
    work: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Write<F, T>
where
    F: Fn(&Db<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, db: &Db<'_>) -> bool {
        let result = (self.work)(db);
        let good = result.is_ok();
        self.result = Some(result);
        good
    }
    fn error(&self) -> StoreError {
        match &self.result {
            Some(Err(e)) => e.clone(),
            Some(Ok(_)) | None => StoreError::Closed,
        }
    }
    fn finish(self: Box<Self>, commit: Result<()>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(e), _) => Err(e),
            (Ok(()), None) => Err(StoreError::Closed),
        };
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(result);
    }
}

type BoxedJob = Box<dyn Job>;

/// An open database.
#[derive(Clone)]
pub(super) struct Engine {
    writer: std::sync::mpsc::SyncSender<BoxedJob>,
    readers: Readers,
}

#[derive(Clone)]
enum Readers {
    Sqlite(Arc<sqlite::Readers>),
    Postgres(postgres::Readers),
}

impl Engine {
    /// Opens or creates the SQLite database at `path` and brings it to the newest of `migrations`.
    pub(super) fn sqlite(path: &Path, migrations: &[&str], on_change: OnChange) -> Result<Self> {
        let (writer, readers) = sqlite::open(path, migrations, on_change)?;
        Ok(Self { writer, readers: Readers::Sqlite(Arc::new(readers)) })
    }

    /// Connects to the PostgreSQL database at `url` and brings it to the newest of `migrations`.
    pub(super) fn postgres(url: &str, migrations: &[&str], on_change: OnChange) -> Result<Self> {
        let (writer, readers) = postgres::open(url, migrations, on_change)?;
        Ok(Self { writer, readers: Readers::Postgres(readers) })
    }

    /// Whether other servers may use the same database.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.readers, Readers::Postgres(_))
    }

    /// Runs `work` in a transaction and returns once it is durable. When it fails, nothing of it remains.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Db<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: BoxedJob = Box::new(Write { work, result: None, reply });
        match self.writer.try_send(job) {
            Ok(()) => {}
            Err(std::sync::mpsc::TrySendError::Full(_)) => return Err(StoreError::Busy),
            Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(StoreError::Closed),
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a short read: a few index look-ups. With SQLite it runs on this thread, in tens of microseconds.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Db<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.readers {
            Readers::Sqlite(readers) => readers.with(work),
            Readers::Postgres(readers) => readers.run(work).await,
        }
    }

    /// Runs a read that may take long on a thread of its own.
    pub(super) async fn read_long<T: Send + 'static>(
        &self,
        work: impl Fn(&Db<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.readers {
            Readers::Sqlite(readers) => {
                let readers = readers.clone();
                tokio::task::spawn_blocking(move || readers.with(work))
                    .await
                    .unwrap_or(Err(StoreError::Closed))
            }
            Readers::Postgres(readers) => readers.run(work).await,
        }
    }
}

/// How far the schema has come, checked against what this version knows.
fn pending<'a>(found: i64, migrations: &'a [&'a str]) -> Result<impl Iterator<Item = (i64, &'a str)>> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let done = usize::try_from(found).map_err(|_| StoreError::Damaged(format!("schema version {found}")))?;
    Ok((1..).zip(migrations.iter().copied()).skip(done))
}
