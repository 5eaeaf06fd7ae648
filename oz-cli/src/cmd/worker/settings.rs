//! The worker's settings: flags, then its file, then defaults.

use super::{Backend, Defaults, WorkerArgs};
use crate::{
    cli::{Global, unique},
    connection,
    error::CliError,
    settings,
};
use oz_core::env;
use oz_worker::{
    BackendConfig, CommandConfig, Config, ConfigFile, DirectConfig, DockerConfig, KubernetesConfig, Variable,
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

const DRAIN: Duration = Duration::from_secs(20);
const DISPATCH: Duration = Duration::from_secs(60);
/// Long enough for a machine that has to be made first.
const START: Duration = Duration::from_secs(600);

/// The settings that arguments and the file which they name come to.
pub(super) fn config(args: WorkerArgs, global: &Global, defaults: Defaults) -> Result<Config, CliError> {
    let file = match &args.config_file {
        Some(path) => ConfigFile::read(path).map_err(CliError::new)?,
        None => ConfigFile::default(),
    };
    merge(args, file, global, defaults)
}

fn merge(
    args: WorkerArgs,
    mut file: ConfigFile,
    global: &Global,
    defaults: Defaults,
) -> Result<Config, CliError> {
    let kind = chosen(args.backend, &file, defaults.backend)?;
    check_flags(&args, kind)?;
    let connection = connection::of(&with_address(global, file.server_root_url.take()));
    let Some(worker_id) = args.worker_id.or(file.worker_id) else {
        return Err(CliError::new("--worker-id: it is missing")
            .hint("name the worker: --worker-id build-1, or worker_id in the file of --config-file"));
    };
    let file_environment = match kind {
        Backend::Docker => file.backend.docker.as_mut().map(|docker| std::mem::take(&mut docker.environment)),
        Backend::Direct => file.backend.direct.as_mut().map(|direct| std::mem::take(&mut direct.environment)),
        Backend::Command => {
            file.backend.command.as_mut().map(|command| std::mem::take(&mut command.environment))
        }
        Backend::Kubernetes => None,
    };
    let environment = environment(file_environment.unwrap_or_default(), args.env);
    let mut labels = file.labels;
    labels.extend(unique("--label", args.labels)?);
    let mut oz_path = defaults.oz;
    let backend = match kind {
        Backend::Direct => {
            let direct = file.backend.direct.unwrap_or_default();
            oz_path = direct.oz_path.unwrap_or(oz_path);
            let named = args.workspace_root.or(direct.workspace_root);
            let workspace_root = match named.or_else(|| defaults.workspace_root.map(PathBuf::from)) {
                Some(dir) => dir,
                None => settings::default_data_dir()?.join("workspaces"),
            };
            BackendConfig::Direct(DirectConfig {
                git_cache: args.git_cache.directory(&workspace_root),
                workspace_root,
                target_dir: args.target_dir.or(direct.target_dir),
                setup_command: args.setup_command.or(direct.setup_command),
                teardown_command: args.teardown_command.or(direct.teardown_command),
            })
        }
        Backend::Docker => {
            let mut docker = file.backend.docker.unwrap_or_default();
            docker.volumes.extend(args.volumes);
            oz_path = docker.oz_path.unwrap_or(oz_path);
            BackendConfig::Docker(DockerConfig {
                volumes: docker.volumes,
                default_image: docker.default_image,
                network: docker.network,
                warm_tasks: docker.warm_tasks,
            })
        }
        Backend::Kubernetes => {
            let kubernetes = *file.backend.kubernetes.unwrap_or_default();
            BackendConfig::Kubernetes(Box::new(KubernetesConfig {
                setup_command: args.setup_command.or(kubernetes.setup_command),
                teardown_command: args.teardown_command.or(kubernetes.teardown_command),
                ..kubernetes
            }))
        }
        Backend::Command => {
            let command = file.backend.command.unwrap_or_default();
            let Some(dispatch_command) = command.dispatch_command else {
                return Err(CliError::new("backend.command.dispatch_command: it is missing")
                    .hint("name a shell command that takes a run as JSON, in the file of --config-file"));
            };
            BackendConfig::Command(CommandConfig {
                dispatch_command,
                cancel_command: command.cancel_command,
                dispatch_timeout: command.dispatch_timeout.unwrap_or(DISPATCH),
                start_timeout: command.start_timeout.unwrap_or(START),
                state_dir: settings::default_data_dir()?.join("dispatched").join(directory_of(&worker_id)),
            })
        }
    };
    Ok(Config {
        worker_id,
        server_url: connection.server_url,
        api_key: connection.api_key.ok_or_else(CliError::not_logged_in)?,
        max_concurrent_tasks: args.max_concurrent_tasks.or(file.max_concurrent_tasks).unwrap_or(0),
        idle_on_complete: args.idle_on_complete.or(file.idle_on_complete),
        cleanup: !args.no_cleanup && file.cleanup.unwrap_or(true),
        lease: args.lease,
        embedded: false,
        labels,
        drain: args.drain_timeout.or(file.drain_timeout).unwrap_or(DRAIN),
        environment,
        oz_path,
        socket_url: args.web_socket_url,
        session_sharing_url: args.session_sharing_server_url,
        backend,
    })
}

/// The worker's name as one path component.
fn directory_of(worker_id: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    worker_id.chars().map(plain).collect()
}

/// The backend that the flag names, or else the file.
fn chosen(flag: Option<Backend>, file: &ConfigFile, default: Backend) -> Result<Backend, CliError> {
    let named = file.backend.names();
    let in_file = [Backend::Direct, Backend::Kubernetes, Backend::Command, Backend::Docker]
        .into_iter()
        .find(|backend| named.contains(&backend.name()));
    match (flag, in_file) {
        (Some(flag), Some(other)) if flag != other => Err(CliError::new(format!(
            "--backend {}: the file sets up backend.{}; a worker has one backend",
            flag.name(),
            other.name()
        ))),
        (Some(backend), _) | (None, Some(backend)) => Ok(backend),
        (None, None) => Ok(default),
    }
}

/// Refuses flags that the backend does not have.
fn check_flags(args: &WorkerArgs, backend: Backend) -> Result<(), CliError> {
    use Backend::{Direct, Docker, Kubernetes};
    let flags: [(bool, &str, &[Backend]); 7] = [
        (!args.volumes.is_empty(), "--volumes", &[Docker]),
        (args.workspace_root.is_some(), "--workspace-root", &[Direct]),
        (args.target_dir.is_some(), "--target-dir", &[Direct]),
        (args.git_cache.directory.is_some(), "--git-cache", &[Direct]),
        (args.git_cache.no_git_cache, "--no-git-cache", &[Direct]),
        (args.setup_command.is_some(), "--setup-command", &[Direct, Kubernetes]),
        (args.teardown_command.is_some(), "--teardown-command", &[Direct, Kubernetes]),
    ];
    match flags.iter().find(|(given, _, of)| *given && !of.contains(&backend)) {
        Some((_, flag, of)) => {
            let of: Vec<&str> = of.iter().map(|backend| backend.name()).collect();
            let (backend, of) = (backend.name(), of.join(" or "));
            Err(CliError::new(format!("{flag}: it is for the backend {of}, and this worker's is {backend}")))
        }
        None => Ok(()),
    }
}

/// The address of the file stands behind flag and environment, and before the login.
fn with_address(global: &Global, of_file: Option<String>) -> Global {
    let in_environment = [env::SERVER_URL, env::WARP_SERVER_ROOT_URL]
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|url| !url.is_empty()));
    let mut global = global.clone();
    global.server_root_url = global.server_root_url.or(of_file.filter(|_| !in_environment));
    global
}

/// The agents' further environment. What is to be taken from here and is not there is empty, as in the published worker.
fn environment(file: Vec<Variable>, flags: Vec<(String, Option<String>)>) -> BTreeMap<String, String> {
    let file = file.into_iter().map(|variable| (variable.name, variable.value));
    let mut all: BTreeMap<String, Option<String>> = BTreeMap::new();
    all.extend(file.chain(flags));
    let value = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| {
            tracing::warn!(
                "the variable {name} is to be taken from here, but is not set; agents find it empty"
            );
            String::new()
        })
    };
    all.into_iter()
        .map(|(name, given)| {
            let value = given.unwrap_or_else(|| value(&name));
            (name, value)
        })
        .collect()
}

#[cfg(test)]
mod tests;
