//! The control group of a run on this machine. That of a worker's run is made by its guard.

use crate::error::CliError;
use oz_core::{config::AgentConfig, env};
use oz_worker::Cgroup;

/// A group that this process is in, as long as it lives.
pub(super) struct Group(Cgroup);

impl Group {
    /// Moves this process into a group with the limits of the configuration, if it has any.
    pub(super) fn join(config: &AgentConfig) -> Result<Option<Self>, CliError> {
        let Some(limits) = config.sandbox.as_ref() else { return Ok(None) };
        if limits.memory_mb.is_none() && limits.cpus.is_none() && limits.max_processes.is_none() {
            return Ok(None);
        }
        let refused = |why: String| CliError::new(format!("config.sandbox can't be enforced here: {why}"));
        let group = Cgroup::create(&format!("oz-run-{}", std::process::id()), limits).map_err(refused)?;
        group.join().map_err(|e| refused(e.to_string()))?;
        Ok(Some(Self(group)))
    }

    /// What the agent is told of it.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let mut all = vec![(env::SANDBOX_LIMITED.to_owned(), "1".to_owned())];
        let events = self.0.memory_events();
        all.extend(events.map(|path| (env::MEMORY_EVENTS.to_owned(), path.to_string_lossy().into_owned())));
        all
    }
}
