//! Hands runs to code of the program that this worker is part of.

use super::Backend;
use crate::{
    Config,
    control::Control,
    environment::{self, Environment, Place},
    job::{Job, Outcome},
};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use oz_core::worker::{FailureReason, WorkOutcome, WorkTask};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, path::PathBuf, sync::Arc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "own";

/// A way to run agents that a program brings itself; see [`BackendConfig::Own`](crate::BackendConfig::Own).
#[async_trait]
pub trait OwnBackend: Send + Sync {
    /// Runs the agent of a task until it ends or `stop` is cancelled. The agent reports to the control plane itself, with
    /// the token in its environment; what is answered here only tells the control plane that it is gone.
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> WorkOutcome;
}

/// The backend.
pub(crate) struct Own {
    backend: Arc<dyn OwnBackend>,
    server_root: String,
    environment: BTreeMap<String, String>,
    host: Environment,
}

impl Own {
    pub(crate) fn open(config: &Config, backend: &Arc<dyn OwnBackend>) -> Self {
        Self {
            backend: Arc::clone(backend),
            server_root: config.server_root().to_owned(),
            environment: config.environment.clone(),
            host: Environment::of_this_process(),
        }
    }

    fn task(&self, job: &Job) -> WorkTask {
        let place =
            Place { backend: NAME, workspace: PathBuf::new(), environment_file: None, git_config: None };
        let common = environment::common(job, &self.environment, &place);
        let of_agent = environment::of_container(&self.host, job, &common);
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let assignment = &job.assignment;
        WorkTask {
            run_id: assignment.task_id,
            execution_id: assignment.execution_id,
            title: assignment.task.title.clone(),
            prompt: assignment.task.task_definition.prompt.clone(),
            config: assignment.task.agent_config_snapshot.clone().unwrap_or_default(),
            server_url: self.server_root.clone(),
            arguments: job.arguments.clone(),
            env: of_agent.iter().map(|(name, value)| (text(name), text(value))).collect(),
            image: assignment.docker_image.clone(),
        }
    }
}

#[async_trait]
impl Backend for Own {
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>) {
        control.trace.event("backend.started");
        let work = self.backend.execute(self.task(job), control.stop.clone());
        let failed = |message, exit_code| {
            let reason = FailureReason::AgentInvocation;
            Outcome::Failed { reason, message, exit_code }
        };
        let outcome = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(WorkOutcome::Finished) => Outcome::Finished,
            Ok(WorkOutcome::Stopped) => Outcome::Cancelled,
            Ok(WorkOutcome::Dispatched) => Outcome::Dispatched,
            Ok(WorkOutcome::Failed { message, exit_code }) => failed(message, exit_code),
            Err(_) => failed("the backend panicked; see the log of the worker".to_owned(), None),
        };
        let _ = report.send(outcome);
    }
}
