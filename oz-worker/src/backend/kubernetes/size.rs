//! How large the container of a run is.

use oz_core::{config::Sandbox, worker::Assignment};
use serde_json::{Value, json};

const MIB_PER_GIB: u64 = 1024;
const MILLI: u64 = 1000;

/// The processors and the memory of a run; absent is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    millicpus: Option<u64>,
    memory_mib: Option<u64>,
}

impl Size {
    /// The smaller of what the runner gives and what the run's sandbox allows.
    ///
    /// # Errors
    /// The limit that a pod can't hold.
    pub(super) fn of(assignment: &Assignment) -> Result<Self, String> {
        let shape = assignment.instance_shape.unwrap_or_default();
        let positive = |value: Option<i64>| value.and_then(|v| u64::try_from(v).ok()).filter(|v| *v > 0);
        let sandbox = sandbox(assignment).cloned().unwrap_or_default();
        if sandbox.max_processes.is_some() {
            return Err("config.sandbox.max_processes can't be enforced here: Kubernetes has no such limit for a pod; \
                 leave it out, or use a worker with another backend"
                .to_owned());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
        let millicpus = sandbox.cpus.map(|cpus| ((cpus * 1000.0) as u64).max(1));
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Ok(Self {
            millicpus: least(positive(shape.vcpus).map(|n| n.saturating_mul(MILLI)), millicpus),
            memory_mib: least(
                positive(shape.memory_gb).map(|n| n.saturating_mul(MIB_PER_GIB)),
                sandbox.memory_mb.map(|mib| mib.max(1)),
            ),
        })
    }

    /// The ResourceRequirements: what a run may use is also kept for it.
    pub(super) fn resources(self) -> Option<Value> {
        let mut amounts = serde_json::Map::new();
        if let Some(milli) = self.millicpus {
            let whole = milli.is_multiple_of(MILLI);
            let cpu = if whole { (milli / MILLI).to_string() } else { format!("{milli}m") };
            amounts.insert("cpu".to_owned(), json!(cpu));
        }
        if let Some(mib) = self.memory_mib {
            let whole = mib.is_multiple_of(MIB_PER_GIB);
            let memory = if whole { format!("{}Gi", mib / MIB_PER_GIB) } else { format!("{mib}Mi") };
            amounts.insert("memory".to_owned(), json!(memory));
        }
        (!amounts.is_empty()).then(|| json!({ "requests": amounts, "limits": amounts }))
    }
}

/// Whether the run's sandbox has limits, all of which the container holds.
pub(super) fn is_limited(assignment: &Assignment) -> bool {
    sandbox(assignment).is_some_and(|sandbox| sandbox.memory_mb.is_some() || sandbox.cpus.is_some())
}

fn sandbox(assignment: &Assignment) -> Option<&Sandbox> {
    assignment.task.agent_config_snapshot.as_ref()?.sandbox.as_ref()
}
