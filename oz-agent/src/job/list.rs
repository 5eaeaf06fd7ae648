//! The jobs of one agent, and what they share: the memory of its shell and a directory for what they print.

use super::{
    Job,
    shell::{Call, Shell},
    start::{self, Start},
};
use crate::process::Household;
use oz_core::{Redactor, egress::Network};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::Instant;

const LONG: Duration = Duration::from_secs(3600);
/// How many may run at a time.
const MAX: usize = 32;

/// The jobs of one agent. Dropping it kills them.
pub(crate) struct Jobs {
    shell: Shell,
    directory: TempDir,
    next: AtomicU32,
    all: Mutex<BTreeMap<u32, Arc<Job>>>,
}

/// What a command is to have.
pub(crate) struct Order<'a> {
    pub(crate) command: &'a str,
    pub(crate) root: &'a Path,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) secrets: &'a BTreeMap<String, String>,
    pub(crate) household: &'a Household,
    pub(crate) redactor: &'a Redactor,
    pub(crate) network: &'a Network,
    pub(crate) pty: bool,
    /// Whether it goes on beside the agent from the beginning.
    pub(crate) background: bool,
}

impl Jobs {
    /// No jobs yet. What they print is kept in `home` when that is a directory.
    ///
    /// # Errors
    /// When there is no place for that.
    pub(crate) fn new(home: &Path) -> io::Result<Self> {
        let mut directory = tempfile::Builder::new();
        directory.prefix("commands-");
        let directory = if home.is_dir() { directory.tempdir_in(home) } else { directory.tempdir() }?;
        Ok(Self { shell: Shell::default(), directory, next: AtomicU32::new(1), all: Mutex::default() })
    }

    /// Where the whole output of jobs is.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a command.
    ///
    /// # Errors
    /// Why not, for the model.
    pub(crate) fn start(&self, order: &Order<'_>) -> Result<Foreground<'_>, String> {
        if self.all().values().filter(|job| job.runs()).count() >= MAX {
            return Err(format!("{MAX} jobs run already; end some with kill_job"));
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let remembers = !order.background && !order.pty;
        let saved = remembers.then(|| self.file(id, "shell"));
        let call = self.shell.begin(order.command, (order.root, order.env), order.secrets, saved)?;
        let job = start::start(Start {
            id,
            command: order.command,
            call: &call,
            mark: order.household.mark(),
            log: self.file(id, "txt"),
            pty: order.pty,
            input: order.background,
            redactor: order.redactor,
            network: order.network,
        })?;
        self.all().insert(id, Arc::clone(&job));
        Ok(Foreground { jobs: self, job, call, kept: false })
    }

    /// The job of this number.
    ///
    /// # Errors
    /// When there is none; the text names those that there are.
    pub(crate) fn find(&self, id: u32) -> Result<Arc<Job>, String> {
        let all = self.all();
        all.get(&id).cloned().ok_or_else(|| {
            let known: Vec<String> = all.keys().map(u32::to_string).collect();
            match known.is_empty() {
                true => format!("job_id: there is no job {id}; none was started"),
                false => format!("job_id: there is no job {id}; there are {}", known.join(", ")),
            }
        })
    }

    /// Forgets a job that has ended.
    pub(crate) fn forget(&self, id: u32) {
        self.all().remove(&id);
    }

    fn file(&self, id: u32, kind: &str) -> PathBuf {
        self.directory.path().join(format!("{id}.{kind}"))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in self.all().values().filter(|job| job.runs()) {
            job.kill();
        }
    }
}

/// A job that somebody waits for. Dropping it kills the job unless it was kept.
pub(crate) struct Foreground<'a> {
    jobs: &'a Jobs,
    pub(crate) job: Arc<Job>,
    pub(crate) call: Call,
    kept: bool,
}

impl Foreground<'_> {
    /// It goes on by itself.
    pub(crate) fn keep(mut self) -> Arc<Job> {
        self.kept = true;
        let job = Arc::clone(&self.job);
        if let Some(file) = self.call.take_file() {
            // Nobody wants to know any more where its shell has got to.
            tokio::spawn(async move {
                while job.runs() {
                    job.ended(Instant::now() + LONG).await;
                }
                let _ = fs::remove_file(file);
            });
        }
        Arc::clone(&self.job)
    }

    /// It has ended: remembers what its shell has left. Answers where that was at the end.
    pub(crate) fn ended(mut self) -> Option<PathBuf> {
        self.kept = true;
        self.jobs.forget(self.job.id);
        self.jobs.shell.end(&self.call)
    }
}

impl Drop for Foreground<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.job.kill();
            self.jobs.forget(self.job.id);
        }
    }
}
