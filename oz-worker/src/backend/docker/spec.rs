//! What a container is made of, as functions of values.

use crate::job::{Identity, Job};
use bollard::models::{ContainerCreateBody, HostConfig};
use oz_core::{config::Sandbox, worker::InstanceShape};
use std::collections::{BTreeMap, HashMap};

/// Where agents work.
pub(super) const WORKSPACE: &str = "/workspace";
/// Where the agent's program is mounted.
pub(super) const AGENT: &str = "/agent";
/// What a container's name ends with when its end was seen and it was kept.
pub(super) const ENDED: &str = "-ended";

pub(super) const WORKER_ID: &str = "oz.worker-id";
const RUN_ID: &str = "oz.run-id";
const EXECUTION_ID: &str = "oz.execution-id";

const NANO: f64 = 1e9;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

/// What a container may use, each absent when nobody bounds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// In bytes.
    pub(super) memory: Option<i64>,
    /// In billionths of a processor.
    pub(super) processors: Option<i64>,
    pub(super) processes: Option<i64>,
}

impl Limits {
    /// The smaller of what the shape of the machine and the run's sandbox allow.
    pub(super) fn of(shape: Option<InstanceShape>, sandbox: Option<&Sandbox>) -> Self {
        let shape = shape.unwrap_or_default();
        let positive = |value: Option<i64>| value.filter(|value| *value > 0);
        let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let memory = sandbox.and_then(|s| s.memory_mb).map(|mb| whole(mb).saturating_mul(MIB));
        // Processors are few; what a float holds is exact enough.
        #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
        let processors = sandbox.and_then(|s| s.cpus).map(|cpus| (cpus * NANO) as i64);
        Self {
            memory: least(positive(shape.memory_gb).map(|gb| gb.saturating_mul(GIB)), memory),
            processors: least(
                positive(shape.vcpus).map(|vcpus| vcpus.saturating_mul(1_000_000_000)),
                processors,
            ),
            processes: sandbox.and_then(|s| s.max_processes).map(whole),
        }
    }

    /// Whether anything is bounded.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Everything that a container of a run is made of.
pub(super) struct Spec<'a> {
    pub(super) image: &'a str,
    /// The program and its first arguments, instead of the image's own.
    pub(super) entrypoint: Vec<String>,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) binds: Vec<String>,
    /// Paths of volumes that end with the container.
    pub(super) volumes: Vec<String>,
    pub(super) limits: Limits,
    pub(super) network: Option<String>,
    pub(super) labels: HashMap<String, String>,
}

impl Spec<'_> {
    /// What the engine is asked for.
    pub(super) fn body(self, job: &Job) -> ContainerCreateBody {
        let Limits { memory, processors, processes } = self.limits;
        ContainerCreateBody {
            image: Some(self.image.to_owned()),
            entrypoint: Some(self.entrypoint),
            cmd: Some(job.arguments.clone()),
            env: Some(self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            working_dir: Some(WORKSPACE.to_owned()),
            labels: Some(self.labels),
            volumes: Some(self.volumes),
            // The guard ends the agent at the end of its input, which lasts as long as the container.
            open_stdin: Some(true),
            host_config: Some(HostConfig {
                binds: Some(self.binds),
                nano_cpus: processors,
                memory,
                // The same: no swap on top.
                memory_swap: memory,
                pids_limit: processes,
                network_mode: self.network,
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }
}

/// The name of a run's container.
pub(super) fn name(identity: Identity) -> String {
    match identity.execution_id {
        Some(execution) => format!("oz-{}-{execution}", identity.task_id),
        None => format!("oz-{}", identity.task_id),
    }
}

/// The labels that a run's container is found by.
pub(super) fn labels(worker_id: &str, identity: Identity) -> HashMap<String, String> {
    let execution = identity.execution_id.map(|id| (EXECUTION_ID.to_owned(), id.to_string()));
    let mut labels: HashMap<String, String> = execution.into_iter().collect();
    labels.insert(WORKER_ID.to_owned(), worker_id.to_owned());
    labels.insert(RUN_ID.to_owned(), identity.task_id.to_string());
    labels
}

/// Whose container these labels are on.
pub(super) fn identity(labels: &HashMap<String, String>) -> Option<Identity> {
    let id = |name: &str| labels.get(name).and_then(|text| text.parse::<uuid::Uuid>().ok());
    let execution_id = id(EXECUTION_ID).map(oz_core::ExecutionId);
    Some(Identity { task_id: oz_core::RunId(id(RUN_ID)?), execution_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_smaller_limit_holds() {
        let shape = |vcpus, memory_gb| Some(InstanceShape { vcpus, memory_gb });
        let sandbox =
            |memory_mb, cpus, max_processes| Sandbox { memory_mb, cpus, max_processes, ..Sandbox::default() };
        assert!(!Limits::of(None, None).any() && !Limits::of(shape(Some(0), Some(-1)), None).any());
        let limits = Limits::of(shape(Some(4), Some(16)), None);
        assert_eq!(
            (limits.processors, limits.memory, limits.processes),
            (Some(4_000_000_000), Some(16 << 30), None)
        );
        let limits = Limits::of(shape(Some(4), Some(1)), Some(&sandbox(Some(64), Some(0.5), Some(32))));
        assert_eq!(
            (limits.processors, limits.memory, limits.processes),
            (Some(500_000_000), Some(64 << 20), Some(32))
        );
        assert_eq!(
            Limits::of(shape(None, Some(1)), Some(&sandbox(Some(4096), None, None))).memory,
            Some(1 << 30)
        );
    }

    #[test]
    fn a_container_is_found_again_by_its_labels() {
        for execution_id in [None, Some(oz_core::ExecutionId(Uuid::from_u128(2)))] {
            let identity = Identity { task_id: oz_core::RunId(Uuid::from_u128(1)), execution_id };
            let labels = labels("builder 1", identity);
            assert_eq!(super::identity(&labels), Some(identity));
            assert_eq!(labels[WORKER_ID], "builder 1");
        }
        assert_eq!(identity(&HashMap::new()), None);
    }
}
