//! What the operator has set, checked before the first run.

use super::{merge::TASK, quantity};
use crate::{Config, Error, KubernetesConfig};
use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, time::Duration};

const NAMESPACE: &str = "default";
const IMAGE: &str = "ubuntu:22.04";
const PREFLIGHT_IMAGE: &str = "busybox:1.36";
const UNSCHEDULABLE: Duration = Duration::from_secs(30);
const PULL_POLICIES: &[&str] = &["Always", "Never", "IfNotPresent"];
/// The worker's own volumes.
const RESERVED: &[&str] = &["workspace", "sidecar-"];

/// The settings with their defaults.
pub(super) struct Settings {
    pub(super) config: KubernetesConfig,
    pub(super) worker_id: String,
    pub(super) cleanup: bool,
    /// Further environment of agents.
    pub(super) environment: BTreeMap<String, String>,
    pub(super) namespace: String,
    pub(super) default_image: String,
    pub(super) preflight_image: String,
    pub(super) pull_policy: String,
    /// The PodSpec that Jobs start from.
    pub(super) template: Map<String, Value>,
    /// How long a Pod may fit on no node; absent means any time.
    pub(super) unschedulable: Option<Duration>,
}

impl Settings {
    pub(super) fn of(config: &Config, kubernetes: &KubernetesConfig) -> Result<Self, Error> {
        let mut own = kubernetes.clone();
        if own.warm_tasks > 0 {
            let expected = "0: pods that wait for a run are not available with Kubernetes";
            return Err(Error::setting("warm_tasks", &own.warm_tasks.to_string(), expected));
        }
        let set = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
        let pull_policy = set(&own.image_pull_policy, "IfNotPresent");
        if !PULL_POLICIES.contains(&pull_policy.as_str()) {
            return Err(Error::setting("image_pull_policy", &pull_policy, "Always, Never or IfNotPresent"));
        }
        for (field, image) in [
            ("default_image", &own.default_image),
            ("preflight_image", &own.preflight_image),
            ("sidecar_image", &own.sidecar_image),
            ("agent_image", &own.agent_image),
        ] {
            if let Some(image) = image
                && (image.is_empty() || image.contains(char::is_whitespace))
            {
                return Err(Error::setting(field, image, "the name of an image, without spaces"));
            }
        }
        if let Some(size) = own.workspace_size_limit.as_ref().filter(|size| !quantity::is_valid(size)) {
            return Err(Error::setting("workspace_size_limit", size, "a quantity such as 10Gi"));
        }
        if let Some(seconds) = own.active_deadline_seconds.filter(|seconds| *seconds <= 0) {
            return Err(Error::setting("active_deadline_seconds", &seconds.to_string(), "more than 0"));
        }
        if let Some(seconds) = own.ttl_seconds_after_finished.filter(|seconds| *seconds < 0) {
            return Err(Error::setting("ttl_seconds_after_finished", &seconds.to_string(), "0 or more"));
        }
        if let Some(resources) = &mut own.preflight_resources {
            amounts(resources, "preflight_resources")?;
            typed::<ResourceRequirements>(resources, "preflight_resources")?;
        }
        Ok(Self {
            worker_id: config.worker_id.clone(),
            cleanup: config.cleanup,
            environment: config.environment.clone(),
            namespace: set(&own.namespace, NAMESPACE),
            default_image: set(&own.default_image, IMAGE),
            preflight_image: set(&own.preflight_image, PREFLIGHT_IMAGE),
            pull_policy,
            template: template(own.pod_template.take())?,
            unschedulable: Some(own.unschedulable_timeout.unwrap_or(UNSCHEDULABLE)).filter(|t| !t.is_zero()),
            config: own,
        })
    }

    /// Names of the variables that the template gives to the agent.
    pub(super) fn template_variables(&self) -> impl Iterator<Item = &str> {
        let containers = self.template.get("containers").and_then(Value::as_array).into_iter().flatten();
        let task = containers.filter(|container| container["name"] == TASK);
        let variables = task.flat_map(|container| container["env"].as_array().into_iter().flatten());
        variables.filter_map(|variable| variable["name"].as_str())
    }

    /// The shell command before the agent.
    pub(super) fn setup_command(&self) -> Option<&str> {
        self.config.setup_command.as_deref().filter(|command| !command.trim().is_empty())
    }

    /// The shell command when the agent's container is stopped.
    pub(super) fn teardown_command(&self) -> Option<&str> {
        self.config.teardown_command.as_deref().filter(|command| !command.trim().is_empty())
    }
}

fn template(value: Option<Value>) -> Result<Map<String, Value>, Error> {
    let mut value = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(value) => value,
    };
    for group in ["containers", "initContainers"] {
        let containers = value.get_mut(group).and_then(Value::as_array_mut);
        for (at, container) in containers.into_iter().flatten().enumerate() {
            if let Some(resources) = container.get_mut("resources") {
                amounts(resources, &format!("pod_template.{group}[{at}].resources"))?;
            }
        }
    }
    let spec = typed::<PodSpec>(&value, "pod_template")?;
    for (at, volume) in spec.volumes.iter().flatten().enumerate() {
        if RESERVED.iter().any(|own| volume.name.starts_with(own)) {
            let message = format!(
                "pod_template.volumes[{at}].name: '{}' is a name of the worker's own volumes",
                volume.name
            );
            return Err(Error::Kubernetes(message));
        }
    }
    match value {
        Value::Object(template) => Ok(template),
        _ => Err(Error::Kubernetes("pod_template: expected a PodSpec".to_owned())),
    }
}

fn amounts(resources: &mut Value, path: &str) -> Result<(), Error> {
    quantity::check(resources, path).map_err(|(path, value)| {
        Error::Kubernetes(format!("{path}: '{value}' is not a quantity; expected one such as 500m or 2Gi"))
    })
}

/// Reads a value as the cluster would, to tell what is wrong before there is a run.
fn typed<T: serde::de::DeserializeOwned>(value: &Value, field: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { field.to_owned() } else { format!("{field}.{path}") };
        Error::Kubernetes(format!("{path}: {}", error.inner()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::example;
    use serde_json::json;

    fn complaint(change: impl FnOnce(&mut KubernetesConfig)) -> String {
        let mut config = KubernetesConfig::default();
        change(&mut config);
        match Settings::of(&example(), &config) {
            Ok(_) => panic!("the settings are taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn wrong_settings_are_named_with_their_values() {
        for (text, start) in [
            (complaint(|c| c.warm_tasks = 2), "warm_tasks: '2'"),
            (complaint(|c| c.image_pull_policy = Some("always".into())), "image_pull_policy: 'always'"),
            (complaint(|c| c.agent_image = Some("a b".into())), "agent_image: 'a b'"),
            (complaint(|c| c.workspace_size_limit = Some("10GB".into())), "workspace_size_limit: '10GB'"),
            (complaint(|c| c.active_deadline_seconds = Some(0)), "active_deadline_seconds: '0'"),
            (complaint(|c| c.ttl_seconds_after_finished = Some(-1)), "ttl_seconds_after_finished: '-1'"),
            (
                complaint(|c| c.preflight_resources = Some(json!({ "limits": { "cpu": "much" } }))),
                "preflight_resources.limits.cpu: 'much'",
            ),
            (complaint(|c| c.pod_template = Some(json!([]))), "pod_template: "),
            (
                complaint(|c| {
                    let ports = json!([{ "containerPort": "http" }]);
                    c.pod_template = Some(json!({ "containers": [{ "name": "task", "ports": ports }] }));
                }),
                "pod_template.containers[0].ports[0].containerPort: ",
            ),
            (
                complaint(|c| {
                    let resources = json!({ "requests": { "memory": "lots" } });
                    c.pod_template =
                        Some(json!({ "containers": [{ "name": "task", "resources": resources }] }));
                }),
                "pod_template.containers[0].resources.requests.memory: 'lots'",
            ),
            (
                complaint(|c| c.pod_template = Some(json!({ "volumes": [{ "name": "workspace" }] }))),
                "pod_template.volumes[0].name: 'workspace'",
            ),
        ] {
            assert!(text.starts_with(start), "{text}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_protocol() {
        let settings = Settings::of(&example(), &KubernetesConfig::default()).ok().unwrap();
        let texts =
            [&settings.namespace, &settings.default_image, &settings.preflight_image, &settings.pull_policy];
        assert_eq!(texts, ["default", "ubuntu:22.04", "busybox:1.36", "IfNotPresent"]);
        assert_eq!(settings.unschedulable, Some(Duration::from_secs(30)));
        let config =
            KubernetesConfig { unschedulable_timeout: Some(Duration::ZERO), ..KubernetesConfig::default() };
        assert_eq!(Settings::of(&example(), &config).ok().unwrap().unschedulable, None);
    }
}
