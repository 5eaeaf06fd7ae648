//! One run on this worker: the task that drives a backend, and which frame tells how it ended. It knows neither
//! connections nor other runs, apart from waiting for a slot that one of them still cleans up.

use crate::{Config, arguments::arguments, backend::Backend, control::Control};
use futures_util::FutureExt;
use oz_core::{
    RunState, env,
    worker::{Assignment, FailureReason, FromWorker},
};
use std::{panic::AssertUnwindSafe, sync::Arc};
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

/// Exit code after SIGTERM.
const TERMINATED: i32 = 128 + 15;

/// A run to do.
pub(crate) struct Job {
    /// What the control plane sent.
    pub(crate) assignment: Assignment,
    /// Arguments of `oz`.
    pub(crate) arguments: Vec<String>,
    server_root: String,
}

/// How an agent ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// With exit code 0.
    Finished,
    /// It was stopped because the job was cancelled.
    Cancelled,
    /// It runs elsewhere now and reports by itself.
    Dispatched,
    /// It goes on without this worker; the next one finds it.
    #[cfg_attr(not(any(feature = "docker", feature = "kubernetes")), expect(dead_code))]
    Left,
    /// Badly, or it never began.
    Failed { reason: FailureReason, message: String, exit_code: Option<i32> },
}

/// Why a job is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A user wants it.
    User,
    /// The worker shuts down.
    Shutdown,
    /// The control plane gave the run another execution.
    Superseded,
}

impl Job {
    pub(crate) fn new(assignment: Assignment, config: &Config) -> Self {
        let server_root = config.server_root().to_owned();
        let arguments = arguments(&assignment, &server_root, config);
        Self { assignment, arguments, server_root }
    }

    pub(crate) fn id(&self) -> Uuid {
        Identity::of(&self.assignment).id()
    }

    /// The environment that every backend gives to an agent, before what the assignment brings.
    pub(crate) fn common_environment(&self) -> [(&'static str, String); 4] {
        [
            ("TASK_ID", self.assignment.task.id.to_string()),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
            ("GH_PROMPT_DISABLED", "1".to_owned()),
            (env::WARP_SERVER_ROOT_URL, self.server_root.clone()),
        ]
    }
}

/// Tells the dispatcher that the agent of a job is gone.
pub(crate) type Ended = (Uuid, Outcome);

/// What there is to do on a backend.
pub(crate) enum Work {
    /// Run an agent.
    Begin(Box<Job>),
    /// Go on with an agent that an earlier process of this worker began.
    Resume(Identity),
}

impl Work {
    fn id(&self) -> Uuid {
        match self {
            Self::Begin(job) => job.id(),
            Self::Resume(survivor) => survivor.id(),
        }
    }
}

/// Does a job. `ended` is told as soon as the agent is gone; it returns the job's id when nothing of it is left.
pub(crate) async fn run(
    what: Work,
    backend: Arc<dyn Backend>,
    slots: Option<Arc<Semaphore>>,
    control: Control,
    ended: mpsc::UnboundedSender<Ended>,
) -> Uuid {
    let id = what.id();
    let (report, outcome) = oneshot::channel();
    let trace = &control.trace;
    let work = async {
        // The job before may have reported its end and still clean up.
        let _slot = match slots {
            None => None,
            Some(slots) => tokio::select! {
                slot = slots.acquire_owned() => slot.ok(),
                () = control.stop.cancelled() => {
                    let _ = report.send(Outcome::Cancelled);
                    return;
                }
            },
        };
        trace.event("task.started");
        trace.stage("oz_worker.prepare");
        match &what {
            Work::Begin(job) => backend.execute(job, &control, report).await,
            Work::Resume(survivor) => backend.resume(*survivor, &control, report).await,
        }
        trace.stage_ended();
    };
    let tell = async {
        let outcome = outcome.await.unwrap_or_else(|_| Outcome::Failed {
            reason: FailureReason::Unrecognized,
            message: "the worker failed while it ran the agent; see its log".to_owned(),
            exit_code: None,
        });
        trace.stage("oz_worker.cleanup");
        let _ = ended.send((id, outcome));
    };
    let _ = tokio::join!(AssertUnwindSafe(work).catch_unwind(), tell);
    id
}

/// The frame that tells how a job ended, unless it goes on elsewhere; `stop` is why it was cancelled, if it was.
pub(crate) fn verdict(assignment: Identity, outcome: Outcome, stop: Option<Stop>) -> Option<FromWorker> {
    let Identity { task_id, execution_id } = assignment;
    let failed = |reason, message: String, exit_code| FromWorker::TaskFailed {
        task_id,
        message,
        failure_reason: Some(reason),
        exit_code,
        execution_id,
    };
    // Who stops a whole service at once asks its agents to end, too, and one of them may be faster than the worker.
    let outcome = match outcome {
        Outcome::Failed { exit_code: Some(TERMINATED), .. } if stop == Some(Stop::Shutdown) => {
            Outcome::Cancelled
        }
        other => other,
    };
    Some(match (outcome, stop) {
        (Outcome::Dispatched | Outcome::Left, _) => return None,
        (Outcome::Finished, _) => {
            let message = "the agent finished".to_owned();
            FromWorker::TaskCompleted { task_id, message, task_state: None, execution_id }
        }
        (Outcome::Cancelled, Some(Stop::User)) => FromWorker::TaskCompleted {
            task_id,
            message: "cancelled on request".to_owned(),
            task_state: Some(RunState::Cancelled),
            execution_id,
        },
        (Outcome::Cancelled, Some(Stop::Shutdown)) => {
            let message = "the worker shut down before the agent was done; the run can be tried again";
            failed(FailureReason::GracefulShutdown, message.to_owned(), None)
        }
        (Outcome::Cancelled, Some(Stop::Superseded) | None) => {
            let message = "the agent was stopped because its run was given to another execution";
            failed(FailureReason::TaskCancelled, message.to_owned(), None)
        }
        (Outcome::Failed { reason, message, exit_code }, _) => failed(reason, message, exit_code),
    })
}

/// What a frame names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) task_id: oz_core::RunId,
    pub(crate) execution_id: Option<oz_core::ExecutionId>,
}

impl Identity {
    /// What the assignment names.
    pub(crate) fn of(assignment: &Assignment) -> Self {
        Self { task_id: assignment.task_id, execution_id: assignment.execution_id }
    }

    /// The name of the execution on this worker; servers that name none run a task once at a time.
    pub(crate) fn id(self) -> Uuid {
        self.execution_id.map_or(self.task_id.0, |execution| execution.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(outcome: Outcome, stop: Option<Stop>) -> serde_json::Value {
        let identity = Identity { task_id: oz_core::RunId(Uuid::from_u128(1)), execution_id: None };
        serde_json::to_value(verdict(identity, outcome, stop).unwrap()).unwrap()
    }

    #[test]
    fn verdicts() {
        let frame = told(Outcome::Finished, Some(Stop::User));
        assert_eq!((&frame["type"], &frame["data"]["task_state"]), (&json!("task_completed"), &json!(null)));
        let frame = told(Outcome::Cancelled, Some(Stop::User));
        assert_eq!(
            (&frame["type"], &frame["data"]["task_state"]),
            (&json!("task_completed"), &json!("CANCELLED"))
        );
        for (stop, reason) in [
            (Some(Stop::Shutdown), "graceful_shutdown"),
            (Some(Stop::Superseded), "task_cancelled"),
            (None, "task_cancelled"),
        ] {
            let frame = told(Outcome::Cancelled, stop);
            assert_eq!(
                (&frame["type"], &frame["data"]["failure_reason"]),
                (&json!("task_failed"), &json!(reason))
            );
        }
        let failed = |code| Outcome::Failed {
            reason: FailureReason::SetupCommand,
            message: "why".to_owned(),
            exit_code: Some(code),
        };
        assert_eq!(told(failed(143), Some(Stop::Shutdown))["data"]["failure_reason"], "graceful_shutdown");
        assert_eq!(told(failed(143), Some(Stop::User))["data"]["exit_code"], 143);
        let frame = told(failed(3), None);
        assert_eq!(frame["data"]["failure_reason"], "setup_command");
        assert_eq!((&frame["data"]["message"], &frame["data"]["exit_code"]), (&json!("why"), &json!(3)));
    }
}
