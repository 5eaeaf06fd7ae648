//! The worker's configuration file. It only says what stands there; the caller lets flags win over it.

pub(super) mod duration;
mod mistake;
pub(super) mod quantity;

pub use duration::parse as parse_duration;

use crate::{Error, KubernetesConfig};
use serde::{Deserialize, Deserializer};
use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a configuration file says. What is absent is left to flags and defaults.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// The worker's name.
    pub worker_id: Option<String>,
    /// Whether what a run leaves is deleted.
    pub cleanup: Option<bool>,
    /// How many runs it takes at once.
    pub max_concurrent_tasks: Option<u32>,
    /// How long agents stay after their work.
    #[serde(deserialize_with = "duration::text")]
    pub idle_on_complete: Option<String>,
    /// What it offers to runs that ask for it.
    pub labels: BTreeMap<String, String>,
    /// How long runs may go on after the worker was asked to end.
    #[serde(deserialize_with = "duration::option")]
    pub drain_timeout: Option<Duration>,
    /// Address of the control plane.
    pub server_root_url: Option<String>,
    /// Where agents run.
    pub backend: Backends,
}

/// The backends of a file, of which at most one is there.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backends {
    /// Containers of a Docker engine.
    #[serde(deserialize_with = "present")]
    pub docker: Option<Docker>,
    /// Processes of this machine.
    #[serde(deserialize_with = "present")]
    pub direct: Option<Direct>,
    /// Jobs of a Kubernetes cluster.
    #[serde(deserialize_with = "present")]
    pub kubernetes: Option<Box<KubernetesConfig>>,
    /// A command of the operator.
    #[serde(deserialize_with = "present")]
    pub command: Option<Command>,
}

/// `backend.docker`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Docker {
    /// `HOST:CONTAINER` or `HOST:CONTAINER:MODE`.
    pub volumes: Vec<String>,
    /// Further environment of the agents.
    pub environment: Vec<Variable>,
    /// Image of runs whose environment has none.
    pub default_image: Option<String>,
    /// Network of the containers.
    pub network: Option<String>,
    /// The static `oz` program that is brought into the containers.
    pub oz_path: Option<PathBuf>,
    /// How many prepared containers wait for a run.
    pub warm_tasks: u32,
}

/// `backend.direct`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Direct {
    /// Directory of the workspaces.
    pub workspace_root: Option<PathBuf>,
    /// One directory for all runs instead.
    pub target_dir: Option<PathBuf>,
    /// The `oz` program.
    pub oz_path: Option<PathBuf>,
    /// Shell command before each run.
    pub setup_command: Option<String>,
    /// Shell command after each run.
    pub teardown_command: Option<String>,
    /// Further environment of the agents.
    pub environment: Vec<Variable>,
}

/// `backend.command`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Command {
    /// Shell command that takes a run; required.
    pub dispatch_command: Option<String>,
    /// Shell command that ends a run.
    pub cancel_command: Option<String>,
    /// How long `dispatch_command` may take.
    #[serde(deserialize_with = "duration::option")]
    pub dispatch_timeout: Option<Duration>,
    /// How long a dispatched agent may take to report for the first time.
    #[serde(deserialize_with = "duration::option")]
    pub start_timeout: Option<Duration>,
    /// Further environment of `dispatch_command` and of the agents.
    pub environment: Vec<Variable>,
}

/// A variable. Without a value it has the one of this machine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: Option<String>,
}

/// Leaves out the value, which may be a secret.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Variable").field(&self.name).finish()
    }
}

/// Leaves out what may hold secrets: environments and templates of Pods.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, backends) = (&self.worker_id, self.backend.names());
        f.debug_struct("ConfigFile")
            .field("worker_id", id)
            .field("backend", &backends)
            .finish_non_exhaustive()
    }
}

/// A backend that is named is meant, also with nothing below its name.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(from).map(|found| Some(found.unwrap_or_default()))
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] that names the file, the place, the field, and what would be right.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Error::File { path: path.to_owned(), message };
        let text = fs::read_to_string(path).map_err(|error| wrong(format!("can't be read: {error}")))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let file: Self = mistake::read(text)?;
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        let names = self.backend.names();
        if names.len() > 1 {
            let names = names.join(", ");
            return Err(format!("backend: '{names}' are there; expected one backend, as a worker has one"));
        }
        let Backends { docker, direct, kubernetes, command } = &self.backend;
        let mut plain = Vec::new();
        if let Some(docker) = docker {
            plain.push(("backend.docker.default_image", docker.default_image.as_deref()));
            plain.push(("backend.docker.network", docker.network.as_deref()));
        }
        if let Some(kubernetes) = kubernetes {
            plain.push(("backend.kubernetes.namespace", kubernetes.namespace.as_deref()));
            plain.push(("backend.kubernetes.default_image", kubernetes.default_image.as_deref()));
            plain.push(("backend.kubernetes.preflight_image", kubernetes.preflight_image.as_deref()));
            plain.push(("backend.kubernetes.sidecar_image", kubernetes.sidecar_image.as_deref()));
            plain.push(("backend.kubernetes.agent_image", kubernetes.agent_image.as_deref()));
            let images = kubernetes.coding_cli_sidecars.values();
            plain
                .extend(images.map(|image| ("backend.kubernetes.coding_cli_sidecars", Some(image.as_str()))));
            let policy = kubernetes.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
            if !matches!(policy, "Always" | "Never" | "IfNotPresent") {
                return Err(format!(
                    "backend.kubernetes.image_pull_policy: '{policy}' is not valid; expected Always, Never or IfNotPresent"
                ));
            }
        }
        for (field, value) in plain.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            if value.trim().is_empty() || value.contains([' ', '\t']) {
                let value = value.escape_debug();
                return Err(format!(
                    "{field}: '{value}' is not valid; expected a name without spaces and tabs"
                ));
            }
        }
        if command.as_ref().is_some_and(|c| c.dispatch_command.as_ref().is_none_or(|c| c.trim().is_empty())) {
            let field = "backend.command.dispatch_command";
            return Err(format!("{field}: it is missing; expected a shell command that takes a run as JSON"));
        }
        let of_docker = docker.iter().flat_map(|backend| &backend.environment);
        let of_direct = direct.iter().flat_map(|backend| &backend.environment);
        let of_command = command.iter().flat_map(|backend| &backend.environment);
        match of_docker.chain(of_direct).chain(of_command).find(|variable| !is_name(&variable.name)) {
            Some(Variable { name, .. }) => {
                let name = name.escape_debug();
                Err(format!("environment: '{name}' is not valid; expected a name without '=' and spaces"))
            }
            None => Ok(()),
        }
    }
}

impl Backends {
    /// The names of those that are there.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let there = [
            ("direct", self.direct.is_some()),
            ("kubernetes", self.kubernetes.is_some()),
            ("command", self.command.is_some()),
            ("docker", self.docker.is_some()),
        ];
        there.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '=' || c == '\0' || c.is_whitespace())
}

#[cfg(test)]
mod tests;
