//! Runs agents as processes of this machine, each below a guard and in a workspace of its own. It isolates nothing:
//! agents have this user's rights.

mod dotenv;
mod guarded;
mod workspace;

use super::Backend;
use crate::{
    Config, DirectConfig, Error, cgroup,
    control::Control,
    environment::{self, Environment},
    guard,
    job::{Job, Outcome},
    output::Tail,
};
use async_trait::async_trait;
use guarded::{Ended, Guarded};
use oz_core::{env, worker::FailureReason};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use workspace::{Root, Workspace};

/// How long `teardown_command` may take.
const TEARDOWN_LIMIT: Duration = Duration::from_secs(30);

/// How long a run waits for room on a full disk: what another run leaves there is deleted when that has ended.
const ROOM_LIMIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The backend.
pub(crate) struct Direct {
    config: DirectConfig,
    environment: BTreeMap<String, String>,
    oz: PathBuf,
    host: Environment,
    root: Root,
    cleanup: bool,
}

impl Direct {
    /// Makes the directory of the workspaces and ends what a dead worker left there.
    pub(crate) async fn open(config: &Config, direct: &DirectConfig) -> Result<Self, Error> {
        let mut environment = config.environment.clone();
        if let Some(cache) = &direct.git_cache {
            let cache = absolute("git_cache", cache)?.to_string_lossy().into_owned();
            environment.entry(env::GIT_CACHE_DIR.to_owned()).or_insert(cache);
        }
        // A bare name is looked up in PATH; everything else must not depend on the workspace an agent starts in.
        let bare = config.oz_path.components().count() == 1 && !config.oz_path.is_absolute();
        let oz = if bare { config.oz_path.clone() } else { absolute("oz_path", &config.oz_path)? };
        let host = Environment::of_this_process();
        let home = host.get("HOME").map(PathBuf::from);
        cgroup::sweep();
        let root = match &direct.target_dir {
            Some(directory) => Root::shared(directory, home)?,
            None => Root::own(&direct.workspace_root, home, config.cleanup).await?,
        };
        Ok(Self { config: direct.clone(), environment, oz, host, root, cleanup: config.cleanup })
    }

    /// Makes a workspace, when there is room for it.
    async fn claim(&self, job: &Job, cancel: &CancellationToken) -> io::Result<Workspace> {
        let deadline = Instant::now() + ROOM_LIMIT;
        loop {
            match self.root.claim(job.id()).await {
                Err(error)
                    if error.kind() == io::ErrorKind::StorageFull
                        && Instant::now() < deadline
                        && !cancel.is_cancelled() =>
                {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                result => return result,
            }
        }
    }

    /// Prepares, runs the agent, and answers how it ended when it is gone.
    async fn work(&self, job: &Job, workspace: &Workspace, control: &Control) -> Outcome {
        let cancel = &control.stop;
        let common = environment::common(job, &self.environment, &workspace.place());
        if let Some(command) = self.config.setup_command() {
            let environment = environment::of_command(&self.host, job, &common);
            let tail = Tail::new(environment.secrets());
            match self.shell(command, environment, job, workspace).run(&tail, cancel.cancelled()).await {
                Ok(Ended::Exited(0)) => {}
                Ok(Ended::Exited(code)) => {
                    let message = tail.explain(&format!("setup_command exited with code {code}"));
                    return failed(FailureReason::SetupCommand, message, Some(code));
                }
                Ok(Ended::Stopped) => return Outcome::Cancelled,
                Err(error) => {
                    let message = format!("setup_command could not be started: {error}");
                    return failed(FailureReason::SetupCommand, message, None);
                }
            }
        }
        let environment = environment::of_agent(&self.host, job, &common, workspace.read_environment());
        let tail = Tail::new(environment.secrets());
        let mut words = vec![self.oz.clone().into_os_string()];
        words.extend(job.arguments.iter().map(OsString::from));
        control.trace.event("backend.started");
        control.trace.stage("oz_worker.run");
        match self.guarded(words, environment, job, workspace).run(&tail, cancel.cancelled()).await {
            Ok(Ended::Exited(0)) => Outcome::Finished,
            Ok(Ended::Exited(code)) if code == i32::from(guard::OUT_OF_MEMORY) => {
                failed(FailureReason::ContainerOom, tail.explain("the agent was stopped"), Some(code))
            }
            Ok(Ended::Exited(code)) if code == i32::from(guard::NOT_LIMITED) => {
                failed(FailureReason::WorkspaceSetup, tail.explain("the agent was not started"), Some(code))
            }
            Ok(Ended::Exited(code)) => {
                let message = tail.explain(&format!("the agent exited with code {code}{}", signal(code)));
                failed(FailureReason::AgentInvocation, message, Some(code))
            }
            Ok(Ended::Stopped) => Outcome::Cancelled,
            Err(error) => {
                let message = format!("the agent could not be started as '{}': {error}", self.oz.display());
                failed(FailureReason::AgentInvocation, message, None)
            }
        }
    }

    async fn tear_down(&self, job: &Job, workspace: &Workspace) {
        let Some(command) = self.config.teardown_command() else { return };
        let common = environment::common(job, &self.environment, &workspace.place());
        let environment = environment::of_command(&self.host, job, &common);
        let tail = Tail::new(environment.secrets());
        let limit = tokio::time::sleep(TEARDOWN_LIMIT);
        match self.shell(command, environment, job, workspace).run(&tail, limit).await {
            Ok(Ended::Exited(0)) => {}
            Ok(Ended::Exited(code)) => {
                tracing::warn!("{}", tail.explain(&format!("teardown_command exited with code {code}")));
            }
            Ok(Ended::Stopped) => {
                tracing::warn!("teardown_command was stopped after {} s", TEARDOWN_LIMIT.as_secs());
            }
            Err(error) => tracing::warn!(%error, "teardown_command could not be started"),
        }
    }

    fn shell(
        &self,
        command: &str,
        environment: Environment,
        job: &Job,
        workspace: &Workspace,
    ) -> Guarded<'_> {
        let words = ["/bin/sh", "-c", command].map(OsString::from);
        self.guarded(words.into(), environment, job, workspace)
    }

    fn guarded(
        &self,
        words: Vec<OsString>,
        environment: Environment,
        job: &Job,
        workspace: &Workspace,
    ) -> Guarded<'_> {
        let directory = workspace.directory.clone();
        let snapshot = job.assignment.task.agent_config_snapshot.as_ref();
        let limits = snapshot.and_then(|config| config.sandbox.clone()).unwrap_or_default();
        let group = format!("{}{}", cgroup::PREFIX, uuid::Uuid::new_v4().simple());
        let (oz, mark) = (&self.oz, environment::mark(job));
        Guarded { oz, command: words, environment, directory, mark, group, limits }
    }
}

#[async_trait]
impl Backend for Direct {
    async fn execute(&self, job: &Job, control: &Control, report: oneshot::Sender<Outcome>) {
        let cancel = &control.stop;
        let workspace = match self.claim(job, cancel).await {
            Ok(workspace) => workspace,
            Err(error) => {
                let message = format!("the workspace could not be made: {error}");
                let _ = report.send(failed(FailureReason::WorkspaceSetup, message, None));
                return;
            }
        };
        let outcome = if cancel.is_cancelled() {
            Outcome::Cancelled
        } else {
            self.work(job, &workspace, control).await
        };
        let _ = report.send(outcome);
        if self.cleanup || workspace.shared {
            self.tear_down(job, &workspace).await;
        }
        workspace.leave(self.cleanup).await;
    }
}

impl DirectConfig {
    fn setup_command(&self) -> Option<&str> {
        self.setup_command.as_deref().filter(|command| !command.trim().is_empty())
    }
    fn teardown_command(&self) -> Option<&str> {
        self.teardown_command.as_deref().filter(|command| !command.trim().is_empty())
    }
}

fn absolute(setting: &'static str, path: &std::path::Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|_| Error::setting(setting, &path.to_string_lossy(), "a path"))
}

fn failed(reason: FailureReason, message: String, exit_code: Option<i32>) -> Outcome {
    Outcome::Failed { reason, message, exit_code }
}

fn signal(code: i32) -> String {
    if (129..=192).contains(&code) { format!(" (128 + signal {})", code - 128) } else { String::new() }
}
