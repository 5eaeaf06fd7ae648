//! Hands runs to a command of the operator, which has them run wherever it likes. What it accepts goes on without the
//! worker and reports by itself; the worker can only ask another command to end it.

mod payload;
mod script;

use super::Backend;
use crate::{
    CommandConfig, Config,
    control::Control,
    environment::{self, Environment, Place},
    job::{Identity, Job, Outcome},
    output::Tail,
};
use async_trait::async_trait;
use oz_core::{env, worker::FailureReason};
use payload::Payload;
use script::{Ended, Script};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio::sync::oneshot;

const NAME: &str = "command";
/// How long `cancel_command` may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(10);
/// The image of runs that name none.
const DEFAULT_IMAGE: &str = "ubuntu:22.04";

/// The backend.
pub(crate) struct Command {
    config: CommandConfig,
    worker_id: String,
    server_root: String,
    environment: BTreeMap<String, String>,
    host: Environment,
}

impl Command {
    pub(crate) fn open(config: &Config, command: &CommandConfig) -> Self {
        Self {
            config: command.clone(),
            worker_id: config.worker_id.clone(),
            server_root: config.server_root().to_owned(),
            environment: config.environment.clone(),
            host: Environment::of_this_process(),
        }
    }

    async fn dispatch(&self, job: &Job, control: &Control) -> Outcome {
        let place =
            Place { backend: NAME, workspace: PathBuf::new(), environment_file: None, git_config: None };
        let common = environment::common(job, &self.environment, &place);
        let of_agent = environment::of_container(&self.host, job, &common);
        let image = job.assignment.docker_image.as_deref().unwrap_or(DEFAULT_IMAGE);
        let payload = Payload::new(job, &self.worker_id, &self.server_root, image, &of_agent);
        let input = match serde_json::to_vec(&payload) {
            Ok(input) => input,
            Err(error) => {
                let message = format!("the run could not be written as JSON: {error}");
                return failed(FailureReason::DispatchCommand, message, None);
            }
        };
        let mut identity = self.identity(Identity::of(&job.assignment));
        identity.push(("OZ_SERVER_ROOT_URL", self.server_root.clone()));
        identity.push(("OZ_DOCKER_IMAGE", image.to_owned()));
        let script = Script {
            command: &self.config.dispatch_command,
            environment: environment::of_script(&self.host, &self.environment, &identity),
            input: Some(input),
            mark: environment::mark(job),
        };
        let tail = Tail::new(of_agent.secrets());
        let limit = self.config.dispatch_timeout;
        control.trace.event("backend.started");
        match script.run(&tail, limit, control.stop.cancelled()).await {
            Ok(Ended::Exited(0)) => Outcome::Dispatched,
            Ok(Ended::Exited(code)) => {
                let message = tail.explain(&format!("dispatch_command exited with code {code}"));
                failed(FailureReason::DispatchCommand, message, Some(code))
            }
            Ok(Ended::TimedOut) => {
                let message = format!("dispatch_command was stopped after {limit:?}");
                failed(FailureReason::DispatchTimeout, tail.explain(&message), None)
            }
            Ok(Ended::Stopped) => {
                // Whoever was asked to run it may have heard already.
                if !self.cancel(Identity::of(&job.assignment)).await {
                    control.trace.event("cancel.failed");
                }
                Outcome::Cancelled
            }
            Err(error) => {
                let message = format!("dispatch_command could not be started: {error}");
                failed(FailureReason::DispatchCommand, message, None)
            }
        }
    }

    fn identity(&self, Identity { task_id, execution_id }: Identity) -> Vec<(&'static str, String)> {
        let execution = execution_id.map(|id| id.to_string()).unwrap_or_default();
        vec![
            (env::RUN_ID, task_id.to_string()),
            (env::EXECUTION_ID, execution),
            (env::WORKER_BACKEND, NAME.to_owned()),
        ]
    }

    /// Asks for the end of a run. Answers whether that worked, also when there is nobody to ask.
    async fn cancel(&self, run: Identity) -> bool {
        let set = self.config.cancel_command.as_deref().filter(|command| !command.trim().is_empty());
        let Some(command) = set else { return true };
        let script = Script {
            command,
            environment: environment::of_script(&self.host, &self.environment, &self.identity(run)),
            input: None,
            // Not that of the run: what runs here under that name is not this command's.
            mark: format!("OZ_CANCELLATION_ID={}", uuid::Uuid::new_v4()),
        };
        let tail = Tail::new(script.environment.secrets());
        let run = run.task_id;
        match script.run(&tail, CANCEL_LIMIT, std::future::pending()).await {
            Ok(Ended::Exited(0)) => {
                tracing::info!(%run, "cancel_command was run");
                return true;
            }
            Ok(Ended::Exited(code)) => {
                let what = format!("cancel_command exited with code {code}");
                tracing::warn!(%run, "{}", tail.explain(&what));
            }
            Ok(Ended::TimedOut | Ended::Stopped) => {
                let what = format!("cancel_command was stopped after {} s", CANCEL_LIMIT.as_secs());
                tracing::warn!(%run, "{}", tail.explain(&what));
            }
            Err(error) => tracing::warn!(%run, %error, "cancel_command could not be started"),
        }
        false
    }
}

#[async_trait]
impl Backend for Command {
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>) {
        let outcome = self.dispatch(job, control).await;
        let _ = report.send(outcome);
    }

    async fn recall(&self, run: Identity) {
        self.cancel(run).await;
    }
}

fn failed(reason: FailureReason, message: String, exit_code: Option<i32>) -> Outcome {
    Outcome::Failed { reason, message, exit_code }
}

#[cfg(test)]
mod tests;
