//! `oz worker`: takes runs from a control plane on this machine.

use super::Outcome;
use crate::{
    cli::{Global, duration},
    connection,
    error::CliError,
    settings, signals,
};
use clap::{Args, ValueEnum};
use oz_worker::{BackendConfig, Config, DirectConfig, DockerConfig};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// Take runs from a control plane on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz worker --worker-id build-1 --max-concurrent-tasks 2
  oz worker --worker-id build-1 --backend docker -v /srv/cache:/cache:ro
  oz worker --worker-id build-1 -e CARGO_HOME=/cache/cargo --setup-command ./prepare.sh
  oz agent run-cloud --host build-1 -p \"fix the tests\"     dispatches to it")]
pub(crate) struct WorkerArgs {
    /// Its name; runs with `--host NAME` come here
    #[arg(long, value_name = "NAME")]
    worker_id: String,
    /// How many runs it takes at once; 0 means no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_concurrent_tasks: u32,
    /// Where agents run
    #[arg(long, value_enum, value_name = "BACKEND", default_value = "direct")]
    backend: Backend,
    /// Directory of the engine's machine for the containers of the backend docker; repeatable
    #[arg(short, long = "volumes", value_name = "HOST:CONTAINER[:MODE]", value_delimiter = ',')]
    volumes: Vec<String>,
    /// Directory of the workspaces; in the user's data directory when absent
    #[arg(long, value_name = "DIR")]
    workspace_root: Option<PathBuf>,
    #[command(flatten)]
    git_cache: GitCache,
    /// Shell command to run in each workspace before the agent
    #[arg(long, value_name = "COMMAND")]
    setup_command: Option<String>,
    /// Shell command to run in each workspace after the agent
    #[arg(long, value_name = "COMMAND")]
    teardown_command: Option<String>,
    /// Further environment of the agents; KEY alone takes the value from here; repeatable
    #[arg(short, long = "env", value_name = "KEY[=VALUE]", value_parser = variable)]
    env: Vec<(String, String)>,
    /// How long agents stay after their work
    #[arg(long, value_name = "DURATION", value_parser = idle)]
    idle_on_complete: Option<String>,
    /// How long runs may go on when the worker was asked to end, before they are stopped and tried elsewhere
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    drain_timeout: Duration,
    /// Keep the workspaces
    #[arg(long)]
    no_cleanup: bool,
    /// The control plane's lease
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, hide = true)]
    lease: Duration,
}

/// Where agents run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// As processes of this machine
    Direct,
    /// In containers of the Docker engine that the `docker` command uses
    Docker,
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

fn variable(text: &str) -> Result<(String, String), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value.to_owned()),
        None => (text, std::env::var(text).map_err(|_| format!("{text} is not set here"))?),
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(format!("'{text}' is not KEY=VALUE"));
    }
    Ok((key.to_owned(), value))
}

/// The duration is the agent's to read; here it is only checked.
fn idle(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

pub(crate) async fn run(args: WorkerArgs, global: &Global) -> Outcome {
    let connection = connection::of(global);
    let workspace_root = match args.workspace_root {
        Some(dir) => dir,
        None => settings::default_data_dir()?.join("workspaces"),
    };
    let config = Config {
        worker_id: args.worker_id,
        server_url: connection.server_url,
        api_key: connection.api_key.ok_or_else(CliError::not_logged_in)?,
        max_concurrent_tasks: args.max_concurrent_tasks,
        idle_on_complete: args.idle_on_complete,
        cleanup: !args.no_cleanup,
        lease: args.lease,
        embedded: false,
        labels: BTreeMap::new(),
        drain: args.drain_timeout,
        environment: args.env.into_iter().collect(),
        oz_path: std::env::current_exe()?,
        socket_url: None,
        session_sharing_url: None,
        backend: match args.backend {
            Backend::Docker => {
                BackendConfig::Docker(DockerConfig { volumes: args.volumes, ..DockerConfig::default() })
            }
            Backend::Direct => BackendConfig::Direct(DirectConfig {
                git_cache: args.git_cache.directory(&workspace_root),
                workspace_root,
                target_dir: None,
                setup_command: args.setup_command,
                teardown_command: args.teardown_command,
            }),
        },
    };
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
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(variable("A=b=c"), pair("A", "b=c"));
        assert_eq!(variable("A="), pair("A", ""));
        assert_eq!(
            variable("CARGO_PKG_NAME_THAT_NOBODY_SETS").unwrap_err(),
            "CARGO_PKG_NAME_THAT_NOBODY_SETS is not set here"
        );
        assert!(variable("=x").is_err() && variable("a b=x").is_err());
    }
}
