//! The runs that were dispatched and go on elsewhere. Each is a small file, so that a worker that was restarted can still
//! cancel them. For a while the worker vouches for a run; after that only its agent's own reports keep it from being
//! tried again.

use crate::{BackendConfig, Config, job::Identity};
use oz_core::{ExecutionId, RunId};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;
use uuid::Uuid;

/// How often the control plane is asked about the runs that nobody vouches for any more, so that those that are over can
/// be forgotten.
const ASK_EVERY: Duration = Duration::from_secs(300);

/// The runs.
pub(crate) struct Elsewhere {
    directory: Option<PathBuf>,
    start_limit: Duration,
    runs: HashMap<Uuid, Record>,
    asked: Instant,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    run_id: RunId,
    execution_id: Option<ExecutionId>,
    /// Seconds since 1970: the clock that also goes on while no worker runs.
    dispatched_at: u64,
}

impl Record {
    fn identity(&self) -> Identity {
        Identity { task_id: self.run_id, execution_id: self.execution_id }
    }
}

impl Elsewhere {
    /// What an earlier process of this worker has dispatched.
    pub(crate) fn open(config: &Config) -> Self {
        let (directory, start_limit) = match &config.backend {
            BackendConfig::Command(command) => (Some(command.state_dir.clone()), command.start_timeout),
            _ => (None, Duration::ZERO),
        };
        let mut runs = HashMap::new();
        for entry in directory.iter().flat_map(fs::read_dir).flatten().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            match serde_json::from_str::<Record>(&text) {
                Ok(record) => drop(runs.insert(record.identity().id(), record)),
                Err(error) => {
                    tracing::warn!("{}: is no record of a dispatched run: {error}", entry.path().display());
                }
            }
        }
        if !runs.is_empty() {
            tracing::info!(runs = runs.len(), "knows of runs that were dispatched before");
        }
        Self { directory, start_limit, runs, asked: Instant::now() }
    }

    /// A run was dispatched.
    pub(crate) fn add(&mut self, identity: Identity) {
        let Identity { task_id: run_id, execution_id } = identity;
        let record = Record { run_id, execution_id, dispatched_at: now() };
        if let Err(error) = self.write(identity.id(), &record) {
            tracing::warn!(run = %run_id, "can't be cancelled after a restart of this worker: {error}");
        }
        self.runs.insert(identity.id(), record);
    }

    fn write(&self, id: Uuid, record: &Record) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        fs::create_dir_all(directory)?;
        fs::write(directory.join(id.to_string()), serde_json::to_vec(record)?)
    }

    /// Forgets a run, or all of its executions when none is named. Answers those that this worker is to look after:
    /// another one of the same name may share the files and have been faster.
    pub(crate) fn take(&mut self, run: RunId, execution: Option<ExecutionId>) -> Vec<Identity> {
        let wanted = |record: &Record| {
            record.run_id == run && (execution.is_none() || record.execution_id == execution)
        };
        let taken: Vec<Uuid> =
            self.runs.iter().filter(|(_, record)| wanted(record)).map(|(id, _)| *id).collect();
        taken.into_iter().filter_map(|id| self.forget(id)).collect()
    }

    fn forget(&mut self, id: Uuid) -> Option<Identity> {
        let record = self.runs.remove(&id)?;
        let removed =
            self.directory.as_ref().map(|directory| fs::remove_file(directory.join(id.to_string())));
        match removed {
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => None,
            _ => Some(record.identity()),
        }
    }

    /// The executions, and whether the worker vouches for each or, now and then, asks about it.
    pub(crate) fn list(&mut self) -> Vec<(ExecutionId, bool)> {
        let ask = self.asked.elapsed() >= ASK_EVERY;
        if ask {
            self.asked = Instant::now();
        }
        let young = |record: &Record| now().saturating_sub(record.dispatched_at) < self.start_limit.as_secs();
        let listed =
            self.runs.values().filter_map(|record| Some((record.execution_id?, ask || young(record))));
        listed.collect()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommandConfig, config::tests::example};

    fn config(directory: &std::path::Path, start: u64) -> Config {
        let command = CommandConfig {
            dispatch_command: "true".to_owned(),
            cancel_command: None,
            dispatch_timeout: Duration::from_secs(1),
            start_timeout: Duration::from_secs(start),
            state_dir: directory.to_owned(),
        };
        Config { backend: BackendConfig::Command(command), ..example() }
    }

    fn identity(n: u128) -> Identity {
        let id = Uuid::from_u128(n);
        Identity { task_id: RunId(id), execution_id: Some(ExecutionId(Uuid::from_u128(n + 100))) }
    }

    #[tokio::test]
    async fn what_was_dispatched_is_known_again_until_it_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(&dir.path().join("state"), 600);
        let mut first = Elsewhere::open(&config);
        first.add(identity(1));
        first.add(identity(2));
        let mut second = Elsewhere::open(&config);
        assert_eq!(second.list().len(), 2);
        assert!(second.list().iter().all(|(_, vouched)| *vouched));
        let Identity { task_id, execution_id } = identity(1);
        assert!(second.take(task_id, Some(ExecutionId(Uuid::nil()))).is_empty());
        assert_eq!(second.take(task_id, execution_id), [identity(1)]);
        assert_eq!(first.take(task_id, None), [], "the other worker was faster");
        assert_eq!(Elsewhere::open(&config).take(identity(2).task_id, None), [identity(2)]);
        assert!(Elsewhere::open(&config).list().is_empty());
    }

    #[tokio::test]
    async fn nobody_vouches_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let mut runs = Elsewhere::open(&config(dir.path(), 0));
        runs.add(identity(1));
        assert_eq!(runs.list(), [(identity(1).execution_id.unwrap(), false)]);
    }

    #[tokio::test]
    async fn other_files_do_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x"), "nonsense").unwrap();
        assert!(Elsewhere::open(&config(dir.path(), 1)).list().is_empty());
    }
}
