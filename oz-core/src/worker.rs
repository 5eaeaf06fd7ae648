//! The frames between control plane and worker: one JSON object `{"type", "data"}` per WebSocket text frame. Unknown
//! types and fields are ignored on both sides. Additions to the published protocol are marked (+) and optional.

mod task;

pub use task::{WorkOutcome, WorkTask};

use crate::{ExecutionId, RunId, Timestamp, config::AgentConfig, open::open_enum};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Path of the worker socket on the control plane.
pub const SOCKET_PATH: &str = "/api/v1/selfhosted/worker/ws";

/// Frames from the control plane to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ToWorker {
    /// Run this.
    TaskAssignment(Box<Assignment>),
    /// Stop this.
    TaskCancellation {
        /// The run.
        task_id: RunId,
        /// (+) The execution; absent means whichever the worker has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution_id: Option<ExecutionId>,
        /// (+) Whether the run is over already, and not by a cancellation: there is nothing to stop but what is still
        /// here of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ended: bool,
    },
}

/// Frames from a worker to the control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker takes the run.
    TaskClaimed {
        /// The run.
        task_id: RunId,
        /// The worker's id.
        worker_id: String,
        /// (+) The execution.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution_id: Option<ExecutionId>,
    },
    /// The worker can't take the run now.
    TaskRejected {
        /// The run.
        task_id: RunId,
        /// Why.
        #[serde(default)]
        reason: String,
        /// (+) The execution.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution_id: Option<ExecutionId>,
    },
    /// The agent process ended with exit code 0, or was cancelled.
    TaskCompleted {
        /// The run.
        task_id: RunId,
        /// For people.
        #[serde(default)]
        message: String,
        /// `CANCELLED` after a cancellation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task_state: Option<crate::RunState>,
        /// (+) The execution.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution_id: Option<ExecutionId>,
    },
    /// The agent process could not be started or ended badly.
    TaskFailed {
        /// The run.
        task_id: RunId,
        /// For people.
        #[serde(default)]
        message: String,
        /// What went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_reason: Option<FailureReason>,
        /// Exit code of the agent process; 128 + n for signal n.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// (+) The execution.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        execution_id: Option<ExecutionId>,
    },
    /// (+) What the worker is doing; sent first on every connection and then at intervals of a third of the lease.
    WorkerStatus {
        /// Names this process of the worker; a restarted worker has another one.
        instance_id: String,
        /// How many runs it takes at once; absent means no limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slots: Option<u32>,
        /// Its backend, such as `docker`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backend: Option<String>,
        /// Its version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// What it offers to runs that ask for it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: BTreeMap<String, String>,
        /// Whether it is about to end: it takes no more runs.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        draining: bool,
        /// The executions it works on.
        #[serde(default)]
        active: Vec<ExecutionId>,
    },
}

/// A run for a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The run.
    pub task_id: RunId,
    /// This execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// What the run is. Published workers crash without it.
    pub task: Task,
    /// The image to run in, for backends that use images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_image: Option<String>,
    /// The image that carries the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecar_image: Option<String>,
    /// Environment of the agent process; credentials travel here.
    #[serde(default)]
    pub env_vars: BTreeMap<String, String>,
    /// More images to mount, for backends that use images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_sidecars: Vec<Sidecar>,
    /// Appended to the agent's arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_oz_args: Vec<String>,
    /// What the container may use; absent when nobody chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_shape: Option<InstanceShape>,
}

/// An image whose files are mounted in the run's container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The image.
    pub image: String,
    /// Where, as an absolute path.
    pub mount_path: String,
    /// Whether the run may write there.
    #[serde(default)]
    pub read_write: bool,
}

/// The size of a container. What is absent, or not positive, is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ContainerShape"))]
pub struct InstanceShape {
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<i64>,
    /// Memory in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<i64>,
}

/// The run in an assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The run's id.
    pub id: RunId,
    /// Its title.
    pub title: String,
    /// What to do.
    pub task_definition: TaskDefinition,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<TaskOwner>,
    /// How the agent is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_config_snapshot: Option<AgentConfig>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// The prompt.
    pub prompt: String,
}

/// Who owns a run, in the protocol's own spelling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskOwner {
    /// `USER` or `TEAM`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// A number that means nothing outside the control plane.
    #[serde(rename = "Id")]
    pub id: i64,
}

open_enum! {
    /// Why a worker could not do a run.
    FailureReason {
        /// Not known.
        Unrecognized = "unknown",
        /// The run took too long.
        TaskTimeout = "task_timeout",
        /// Cancelled, but not by a user.
        TaskCancelled = "task_cancelled",
        /// The worker shut down.
        GracefulShutdown = "graceful_shutdown",
        /// The workspace could not be made.
        WorkspaceSetup = "workspace_setup",
        /// The worker's setup command failed.
        SetupCommand = "setup_command",
        /// The worker's teardown command failed.
        TeardownCommand = "teardown_command",
        /// What a run left could not be removed.
        Cleanup = "cleanup",
        /// The agent could not be started or ended badly.
        AgentInvocation = "agent_invocation",
        /// The image could not be pulled.
        ImagePull = "image_pull",
        /// The image name is not valid.
        InvalidImage = "invalid_image",
        /// A sidecar could not be prepared.
        SidecarPrep = "sidecar_prep",
        /// The container could not be made.
        ContainerCreate = "container_create",
        /// The container could not be started.
        ContainerStart = "container_start",
        /// It is not known how the container ended.
        ContainerWait = "container_wait",
        /// The container ended badly.
        ContainerExit = "container_exit",
        /// The container ran out of memory.
        ContainerOom = "container_oom",
        /// The Job could not be made.
        JobCreate = "job_create",
        /// The Job could not be watched.
        JobWatch = "job_watch",
        /// The pods of the Job could not be watched.
        PodWatch = "pod_watch",
        /// The Job failed and nothing tells why.
        JobFailed = "job_failed",
        /// A volume of the pod could not be mounted.
        VolumeMount = "volume_mount",
        /// A container before the agent's ended badly.
        InitContainer = "init_container",
        /// The Job took longer than its deadline.
        ActiveDeadline = "active_deadline",
        /// The pod fits on no node.
        Unschedulable = "unschedulable",
        /// The pod was evicted.
        Evicted = "evicted",
        /// The dispatch command failed.
        DispatchCommand = "dispatch_command",
        /// The dispatch command took too long.
        DispatchTimeout = "dispatch_timeout",
        /// The cancel command failed.
        CancelCommand = "cancel_command",
    }
}

impl FailureReason {
    /// The platform error code of a run that ends for this reason without a report from its agent.
    #[must_use]
    pub fn code(&self) -> crate::ErrorCode {
        use crate::ErrorCode as C;
        match self {
            Self::WorkspaceSetup
            | Self::SetupCommand
            | Self::ImagePull
            | Self::InvalidImage
            | Self::SidecarPrep
            | Self::ContainerCreate
            | Self::VolumeMount
            | Self::InitContainer => C::EnvironmentSetupFailed,
            Self::GracefulShutdown
            | Self::TaskCancelled
            | Self::Unschedulable
            | Self::Evicted
            | Self::JobCreate
            | Self::JobWatch
            | Self::PodWatch
            | Self::ContainerWait => C::ResourceUnavailable,
            Self::TaskTimeout | Self::ActiveDeadline => C::BudgetExceeded,
            // The memory that somebody gave the run was not enough; another try would end the same way.
            Self::ContainerOom => C::BudgetExceeded,
            _ => C::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_frames_are_understood() {
        let text = r#"{"type":"task_failed","data":{"task_id":"7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11","message":"m","failure_reason":"brand_new","exit_code":137,"extra":1}}"#;
        let FromWorker::TaskFailed { failure_reason, exit_code, .. } = serde_json::from_str(text).unwrap()
        else {
            panic!("not a failure");
        };
        assert_eq!(
            (failure_reason, exit_code),
            (Some(FailureReason::Unknown("brand_new".into())), Some(137))
        );
        let text = r#"{"type":"task_assignment","data":{"task_id":"7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11",
          "execution_id":"e1c2a7d0-11aa-4f5e-8d7b-55f0c0ffee01","task":{"id":"7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11","title":"t",
          "task_definition":{"prompt":"p"},"created_at":"2026-03-02T08:00:00Z","updated_at":"2026-03-02T08:00:04Z",
          "owner":{"Type":"TEAM","Id":41},"agent_config_snapshot":{"profile_id":"x","harness":{"type":"oz"}}},
          "additional_sidecars":[{"image":"i","mount_path":"/m","read_write":false}],"instance_shape":{"vcpus":4}}}"#;
        let ToWorker::TaskAssignment(assignment) = serde_json::from_str(text).unwrap() else {
            panic!("not an assignment")
        };
        assert_eq!(assignment.task.task_definition.prompt, "p");
    }
}
