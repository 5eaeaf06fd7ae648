//! The worker's settings and what makes them valid. It reads no file and no environment; the caller does.

mod file;

pub use file::{ConfigFile, Variable, parse_duration};

use crate::{
    Error,
    backend::own::{self, OwnBackend},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// Ids with this prefix belong to the control plane's own workers.
const RESERVED_PREFIX: &str = "warp";
/// The id of the control plane's own worker.
const EMBEDDED_ID: &str = "warp";
const LONGEST_WORKER_ID: usize = 200;

/// How a worker works.
#[derive(Clone)]
pub struct Config {
    /// Its name; runs whose `worker_host` equals it come here.
    pub worker_id: String,
    /// Address of the control plane, such as `http://127.0.0.1:7700`.
    pub server_url: String,
    /// The key it presents.
    pub api_key: String,
    /// How many runs it takes at once; 0 means no limit.
    pub max_concurrent_tasks: u32,
    /// How long agents stay after their work, such as `10m`; absent leaves it to the agent.
    pub idle_on_complete: Option<String>,
    /// Whether the workspace of a run is deleted after it.
    pub cleanup: bool,
    /// The lease of the control plane; the worker tells that it lives every third of it.
    pub lease: Duration,
    /// Whether it is the control plane's own worker, which alone may have a reserved id.
    pub embedded: bool,
    /// What it offers to runs that ask for it, such as `gpu=a100`.
    pub labels: BTreeMap<String, String>,
    /// How long runs may go on after the worker was asked to end; those of backends whose agents outlive it just go on.
    pub drain: Duration,
    /// Further environment of the agents.
    pub environment: BTreeMap<String, String>,
    /// The `oz` program, which agents on this machine are and which is brought into containers.
    pub oz_path: PathBuf,
    /// Address of the worker socket, when it is not the usual one below `server_url`.
    pub socket_url: Option<String>,
    /// Passed on to agents, for control planes whose live sessions are another server's.
    pub session_sharing_url: Option<String>,
    /// Where and how agents run.
    pub backend: BackendConfig,
}

/// Where and how agents run.
#[derive(Clone)]
pub enum BackendConfig {
    /// As processes of this machine.
    Direct(DirectConfig),
    /// In containers of a Docker engine.
    Docker(DockerConfig),
    /// In Jobs of a Kubernetes cluster.
    Kubernetes(Box<KubernetesConfig>),
    /// Wherever a command of the operator starts them.
    Command(CommandConfig),
    /// Wherever code of the program that this worker is part of has them.
    Own(Arc<dyn OwnBackend>),
}

/// How agents run directly on this machine.
#[derive(Clone)]
pub struct DirectConfig {
    /// Directory of the workspaces, one for each run.
    pub workspace_root: PathBuf,
    /// One directory for all runs instead; it is never deleted.
    pub target_dir: Option<PathBuf>,
    /// Directory where runs keep mirrors of repositories, so that each clones faster; absent for none.
    pub git_cache: Option<PathBuf>,
    /// Shell command to run in the workspace before the agent. What it leaves running ends with it.
    pub setup_command: Option<String>,
    /// Shell command to run in the workspace after the agent, also after a cancellation.
    pub teardown_command: Option<String>,
}

/// How agents run in containers. The engine is found as the `docker` command finds it.
#[derive(Clone, Default)]
pub struct DockerConfig {
    /// `HOST:CONTAINER` or `HOST:CONTAINER:MODE`.
    pub volumes: Vec<String>,
    /// Image of runs whose environment has none; `ubuntu:22.04` when absent.
    pub default_image: Option<String>,
    /// Network of the containers, as `docker run --network` takes it. When absent, the engine's default, or the host's
    /// when the control plane listens on a loopback address only.
    pub network: Option<String>,
    /// How many prepared containers wait for a run.
    pub warm_tasks: u32,
}

/// How agents run in a Kubernetes cluster.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KubernetesConfig {
    /// Namespace of the Jobs; `default` when absent.
    pub namespace: Option<String>,
    /// A kubeconfig file; when absent, the cluster that this process runs in, or else the usual places.
    pub kubeconfig: Option<PathBuf>,
    /// Image of runs whose environment has none; `ubuntu:22.04` when absent.
    pub default_image: Option<String>,
    /// `Always`, `Never` or `IfNotPresent`, which is meant when absent.
    pub image_pull_policy: Option<String>,
    /// Whether sidecar images are mounted as image volumes instead of being copied by an init container.
    pub use_image_volumes: bool,
    /// Image of the Job that tries the cluster out; `busybox:1.36` when absent.
    pub preflight_image: Option<String>,
    /// Resources of that Job.
    #[serde(deserialize_with = "file::quantity::raw")]
    pub preflight_resources: Option<serde_json::Value>,
    /// Image that brings the agent, instead of the one that the control plane names.
    pub sidecar_image: Option<String>,
    /// Image with the static program `/oz`, such as the worker's own, for when no sidecar image brings the agent.
    pub agent_image: Option<String>,
    /// Where the environment of the agent stands.
    pub credentials: Credentials,
    /// Images that bring the programs of other harnesses, by harness.
    pub coding_cli_sidecars: BTreeMap<String, String>,
    /// Shell command of an init container before the agent.
    pub setup_command: Option<String>,
    /// Shell command at the end of the agent's container.
    pub teardown_command: Option<String>,
    /// Further labels of Jobs and Pods.
    pub extra_labels: BTreeMap<String, String>,
    /// Further annotations of Jobs and Pods.
    pub extra_annotations: BTreeMap<String, String>,
    /// The most seconds that a Job may take.
    pub active_deadline_seconds: Option<i64>,
    /// Seconds after which the cluster deletes a finished Job; a day when absent.
    pub ttl_seconds_after_finished: Option<i32>,
    /// Size of the workspace, such as `10Gi`.
    pub workspace_size_limit: Option<String>,
    /// How long a Pod may fit on no node; 30 s when absent, zero for any time.
    #[serde(deserialize_with = "file::duration::option")]
    pub unschedulable_timeout: Option<Duration>,
    /// The PodSpec that Jobs start from.
    #[serde(deserialize_with = "file::quantity::raw")]
    pub pod_template: Option<serde_json::Value>,
    /// How many prepared Pods wait for a run.
    pub warm_tasks: u32,
}

/// Where the environment of an agent stands that may carry secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credentials {
    /// In a Secret that belongs to the Job and goes with it.
    #[default]
    Secret,
    /// In the Job itself, readable to all who may read Jobs or Pods.
    Inline,
}

/// How a command of the operator starts agents elsewhere.
#[derive(Clone)]
pub struct CommandConfig {
    /// Shell command that takes a run as JSON on its standard input and answers 0 when it will run.
    pub dispatch_command: String,
    /// Shell command that ends a run.
    pub cancel_command: Option<String>,
    /// How long `dispatch_command` may take.
    pub dispatch_timeout: Duration,
    /// How long a dispatched agent may take to report for the first time, before its run is tried again.
    pub start_timeout: Duration,
    /// Where the worker writes down what it has dispatched, so that it can still be cancelled after a restart.
    pub state_dir: PathBuf,
}

impl BackendConfig {
    /// Its name in files, flags, metrics and environments.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::Docker(_) => "docker",
            Self::Kubernetes(_) => "kubernetes",
            Self::Command(_) => "command",
            Self::Own(_) => own::NAME,
        }
    }
}

impl Config {
    /// The usual settings of a worker of this name, with this key of the control plane at `server_url`.
    #[must_use]
    pub fn new(worker_id: &str, server_url: &str, api_key: &str, backend: BackendConfig) -> Self {
        Self {
            worker_id: worker_id.to_owned(),
            server_url: server_url.to_owned(),
            api_key: api_key.to_owned(),
            max_concurrent_tasks: 4,
            idle_on_complete: None,
            cleanup: true,
            lease: Duration::from_secs(30),
            embedded: false,
            labels: BTreeMap::new(),
            drain: Duration::ZERO,
            environment: BTreeMap::new(),
            oz_path: "oz".into(),
            socket_url: None,
            session_sharing_url: None,
            backend,
        }
    }

    /// The usual settings of the control plane's own worker, whose agents are processes of this machine.
    #[must_use]
    pub fn embedded(server_url: &str, api_key: &str, oz_path: PathBuf, direct: DirectConfig) -> Self {
        let backend = BackendConfig::Direct(direct);
        Self { embedded: true, oz_path, ..Self::new(EMBEDDED_ID, server_url, api_key, backend) }
    }

    /// Checks what the types can't.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the setting, its value and what would be right.
    pub fn validate(&self) -> Result<(), Error> {
        let id = self.worker_id.as_str();
        if id.trim().is_empty()
            || id.trim() != id
            || id.chars().any(char::is_control)
            || id.len() > LONGEST_WORKER_ID
        {
            let expected = "1 to 200 bytes without control characters and without spaces at its ends";
            return Err(Error::setting("worker_id", id, expected));
        }
        if id.starts_with(RESERVED_PREFIX) && !self.embedded {
            let expected = "an id that does not start with 'warp', which is reserved for the control plane";
            return Err(Error::setting("worker_id", id, expected));
        }
        self.socket_url()?;
        if self.api_key.is_empty() || !self.api_key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::setting("api_key", "", "a key of visible ASCII characters"));
        }
        if self.lease < Duration::from_millis(30) {
            let value = format!("{:?}", self.lease);
            return Err(Error::setting("lease", &value, "a duration such as 30 s"));
        }
        if let Some(idle) = &self.idle_on_complete
            && (idle.trim().is_empty() || idle.starts_with('-'))
        {
            return Err(Error::setting("idle_on_complete", idle, "a duration such as 10m"));
        }
        for name in self.environment.keys() {
            if name.is_empty() || name.contains(|c: char| c == '=' || c == '\0' || c.is_whitespace()) {
                return Err(Error::setting("environment", name, "a name without '=', spaces and NUL"));
            }
        }
        if let BackendConfig::Direct(DirectConfig { target_dir: Some(directory), .. }) = &self.backend
            && !directory.is_dir()
        {
            return Err(Error::setting(
                "target_dir",
                &directory.to_string_lossy(),
                "a directory that exists",
            ));
        }
        Ok(())
    }

    /// The control plane's address without a slash at its end.
    pub(crate) fn server_root(&self) -> &str {
        self.server_url.trim_end_matches('/')
    }

    /// Address of the worker socket.
    pub(crate) fn socket_url(&self) -> Result<Url, Error> {
        let wrong =
            || Error::setting("server_url", &self.server_url, "an address such as http://127.0.0.1:7700");
        if let Some(address) = &self.socket_url {
            let wrong = || {
                Error::setting(
                    "web_socket_url",
                    address,
                    "an address such as wss://oz.example.com/api/v1/selfhosted/worker/ws",
                )
            };
            let mut url = Url::parse(address).map_err(|_| wrong())?;
            if !matches!(url.scheme(), "ws" | "wss") {
                return Err(wrong());
            }
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(name, _)| name != "worker_id").collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("worker_id", &self.worker_id);
            return Ok(url);
        }
        let mut url = Url::parse(self.server_root()).map_err(|_| wrong())?;
        let scheme = match url.scheme() {
            "http" | "ws" => "ws",
            "https" | "wss" => "wss",
            _ => return Err(wrong()),
        };
        url.set_scheme(scheme).map_err(|()| wrong())?;
        let path = format!("{}{}", url.path().trim_end_matches('/'), oz_core::worker::SOCKET_PATH);
        url.set_path(&path);
        url.query_pairs_mut().clear().append_pair("worker_id", &self.worker_id);
        Ok(url)
    }
}

/// Leaves out the key and the environment, which may carry secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("worker_id", &self.worker_id)
            .field("server_url", &self.server_url)
            .field("max_concurrent_tasks", &self.max_concurrent_tasks)
            .field("backend", &self.backend.name())
            .field("oz_path", &self.oz_path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
