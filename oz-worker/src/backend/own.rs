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
use oz_core::{ExecutionId, RunId, config::AgentConfig, worker::FailureReason};
use std::{collections::BTreeMap, fmt, panic::AssertUnwindSafe, path::PathBuf, sync::Arc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "own";

/// A way to run agents that a program brings itself; see [`BackendConfig::Own`](crate::BackendConfig::Own).
#[async_trait]
pub trait OwnBackend: Send + Sync {
    /// Runs the agent of a task until it ends or `stop` is cancelled. The agent reports to the control plane itself, with
    /// the token in its environment; what is answered here only tells the control plane that it is gone.
    async fn execute(&self, task: OwnTask, stop: CancellationToken) -> OwnOutcome;
}

/// A task for a backend of a program's own.
#[derive(Clone)]
pub struct OwnTask {
    /// The run.
    pub run_id: RunId,
    /// This execution of it.
    pub execution_id: Option<ExecutionId>,
    /// Its title.
    pub title: String,
    /// What to do.
    pub prompt: String,
    /// How.
    pub config: AgentConfig,
    /// Address of the control plane.
    pub server_url: String,
    /// The arguments of `oz` for an agent that is to be a process.
    pub arguments: Vec<String>,
    /// The environment of the agent, with the token of the run. Of this machine's own, only what concerns models and what
    /// the operator lists.
    pub environment: BTreeMap<String, String>,
    /// The image that the run asks for, if any.
    pub image: Option<String>,
}

impl fmt::Debug for OwnTask {
    /// Leaves out the environment, which holds keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnTask")
            .field("run_id", &self.run_id)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// How an agent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnOutcome {
    /// By itself; how its run ended, it has told the control plane.
    Finished,
    /// Because it was asked to.
    Stopped,
    /// It goes on without this worker, and reports by itself.
    Dispatched,
    /// Badly, or it never began. The run ends with this message unless the agent has ended it.
    Failed {
        /// What happened, for people.
        message: String,
        /// The exit code, where the agent was a process.
        exit_code: Option<i32>,
    },
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

    fn task(&self, job: &Job) -> OwnTask {
        let place =
            Place { backend: NAME, workspace: PathBuf::new(), environment_file: None, git_config: None };
        let common = environment::common(job, &self.environment, &place);
        let of_agent = environment::of_container(&self.host, job, &common);
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let assignment = &job.assignment;
        OwnTask {
            run_id: assignment.task_id,
            execution_id: assignment.execution_id,
            title: assignment.task.title.clone(),
            prompt: assignment.task.task_definition.prompt.clone(),
            config: assignment.task.agent_config_snapshot.clone().unwrap_or_default(),
            server_url: self.server_root.clone(),
            arguments: job.arguments.clone(),
            environment: of_agent.iter().map(|(name, value)| (text(name), text(value))).collect(),
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
            Ok(OwnOutcome::Finished) => Outcome::Finished,
            Ok(OwnOutcome::Stopped) => Outcome::Cancelled,
            Ok(OwnOutcome::Dispatched) => Outcome::Dispatched,
            Ok(OwnOutcome::Failed { message, exit_code }) => failed(message, exit_code),
            Err(_) => failed("the backend panicked; see the log of the worker".to_owned(), None),
        };
        let _ = report.send(outcome);
    }
}
