//! `oz worker`: takes runs from a control plane on this machine, or wherever its backend starts them.

mod logging;
mod program;
mod settings;

pub(crate) use logging::Logging;
pub(crate) use program::AgentWorker;

pub(crate) mod list;

use super::Outcome;
use crate::{
    cli::{Global, duration, pair},
    error::CliError,
    signals,
};
use clap::{Args, ValueEnum};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Take runs from a control plane on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz worker --worker-id build-1 --max-concurrent-tasks 2
  oz worker list
  oz worker --worker-id build-1 -e CARGO_HOME=/cache/cargo --setup-command ./prepare.sh
  oz worker --worker-id build-1 --backend docker -v /opt/cache:/cache:ro --label gpu=a100
  oz worker --config-file worker.yaml --log-format json
  oz agent run-cloud --host build-1 -p \"fix the tests\"     dispatches to it")]
pub(crate) struct WorkerArgs {
    /// Its name; runs with `--host NAME` come here. Needed here or in the file
    #[arg(long, value_name = "NAME")]
    worker_id: Option<String>,
    /// Configuration file (YAML); flags win over it
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Where agents run; that of the file when absent, or else direct
    #[arg(long, value_name = "BACKEND")]
    backend: Option<Backend>,
    /// How many runs it takes at once; 0, which is usual, means no limit
    #[arg(long, value_name = "N")]
    max_concurrent_tasks: Option<u32>,
    /// What it offers to runs that ask for it; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Further environment of the agents; KEY alone takes the value from here; repeatable, or with commas
    #[arg(short, long = "env", value_name = "KEY[=VALUE]", value_delimiter = ',', value_parser = variable)]
    env: Vec<(String, Option<String>)>,
    /// A directory of this machine for the containers, with docker: `HOST:CONTAINER[:MODE]`; repeatable, or with commas
    #[arg(short, long, value_name = "VOLUME", value_delimiter = ',')]
    volumes: Vec<String>,
    /// Directory of the workspaces, with direct; in the user's data directory when absent
    #[arg(long, value_name = "DIR")]
    workspace_root: Option<PathBuf>,
    /// One directory for all runs instead, which is never deleted, with direct
    #[arg(long, value_name = "DIR", conflicts_with = "workspace_root")]
    target_dir: Option<PathBuf>,
    #[command(flatten)]
    git_cache: GitCache,
    /// Shell command to run in each workspace before the agent, with direct and kubernetes
    #[arg(long, value_name = "COMMAND")]
    setup_command: Option<String>,
    /// Shell command to run in each workspace after the agent, with direct and kubernetes
    #[arg(long, value_name = "COMMAND")]
    teardown_command: Option<String>,
    /// How long agents stay after their work
    #[arg(long, value_name = "DURATION", value_parser = idle)]
    idle_on_complete: Option<String>,
    /// How long runs may go on when the worker was asked to end, before they are stopped and tried elsewhere; 20s when
    /// absent
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    drain_timeout: Option<Duration>,
    /// Keep what runs leave: workspaces, containers, Jobs
    #[arg(long)]
    no_cleanup: bool,
    #[command(flatten)]
    logging: Logging,
    /// Address of the worker socket
    #[arg(long, value_name = "URL", hide = true)]
    web_socket_url: Option<String>,
    /// Passed on to agents
    #[arg(
        id = "session-sharing-server-url",
        long = "session-sharing-server-url",
        value_name = "URL",
        hide = true
    )]
    session_sharing_server_url: Option<String>,
    /// The control plane's lease
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, hide = true)]
    lease: Duration,
}

/// Where agents run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// As processes of this machine
    Direct,
    /// In containers of a Docker engine
    Docker,
    /// In Jobs of a Kubernetes cluster
    Kubernetes,
    /// Wherever a command of yours starts them
    Command,
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Docker => "docker",
            Self::Kubernetes => "kubernetes",
            Self::Command => "command",
        }
    }
}

/// Where runs keep copies of repositories.
#[derive(Debug, Args)]
pub(crate) struct GitCache {
    /// Directory where runs keep mirrors of repositories, so that each clones faster; beside the workspaces when absent
    #[arg(long = "git-cache", value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Keep no mirrors of repositories
    #[arg(long, conflicts_with = "directory")]
    no_git_cache: bool,
}

impl GitCache {
    /// The directory, if there is to be one.
    pub(crate) fn directory(self, workspace_root: &Path) -> Option<PathBuf> {
        let beside = || workspace_root.with_file_name("git-cache");
        (!self.no_git_cache).then(|| self.directory.unwrap_or_else(beside))
    }
}

impl WorkerArgs {
    /// How much is logged, and how.
    pub(crate) fn logging(&self) -> &Logging {
        &self.logging
    }
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(format!("'{text}' is neither KEY=VALUE nor KEY"));
    }
    Ok((key.to_owned(), value))
}

/// The duration is the agent's to read; here it is only checked.
fn idle(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

/// What differs between the two names under which a worker is started.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    backend: Backend,
    /// Absent means the user's data directory.
    workspace_root: Option<&'static str>,
    /// The agent's program; a bare name is looked up in PATH.
    oz: PathBuf,
}

pub(crate) async fn run(args: WorkerArgs, global: &Global) -> Outcome {
    let defaults = Defaults { backend: Backend::Direct, workspace_root: None, oz: std::env::current_exe()? };
    run_as(args, global, defaults).await
}

async fn run_as(args: WorkerArgs, global: &Global, defaults: Defaults) -> Outcome {
    let config = settings::config(args, global, defaults)?;
    oz_worker::run(config, signals::interrupt()?).await.map_err(CliError::new)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_lie_beside_the_workspaces_unless_told_otherwise() {
        let cache = |directory: Option<&str>, no_git_cache| {
            GitCache { directory: directory.map(PathBuf::from), no_git_cache }
                .directory(Path::new("/d/workspaces"))
        };
        assert_eq!(cache(None, false), Some("/d/git-cache".into()));
        assert_eq!(cache(Some("/c"), false), Some("/c".into()));
        assert_eq!(cache(None, true), None);
    }

    #[test]
    fn variables_are_read() {
        let pair = |key: &str, value: Option<&str>| Ok((key.to_owned(), value.map(str::to_owned)));
        assert_eq!(variable("A=b=c"), pair("A", Some("b=c")));
        assert_eq!(variable("A="), pair("A", Some("")));
        assert_eq!(variable("A"), pair("A", None));
        assert!(variable("=x").is_err() && variable("a b=x").is_err() && variable("").is_err());
    }
}
