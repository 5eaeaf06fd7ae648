//! The Job of a run, as a function of values.

use super::{
    merge::{self, Needs, TASK},
    names::Names,
    settings::Settings,
    sidecar::{Sidecars, WORKSPACE},
    size::Size,
    variables::{Variables, literal},
};
use crate::Credentials;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TTL_SECONDS: i32 = 86_400;
/// Runs the agent in place of the shell. What the setup command has written is for the agent's commands, too; and images
/// may have a user without a home of its own.
const WRAPPER: &str = r#"if [ -f "$OZ_ENVIRONMENT_FILE" ]; then
  set -a; . "$OZ_ENVIRONMENT_FILE"; set +a
  for name in $(sed -n 's/^\(export \)\{0,1\}\([A-Za-z_][A-Za-z0-9_]*\)=.*/\2/p' "$OZ_ENVIRONMENT_FILE"); do
    OZ_AGENT_ENV_PASS="$OZ_AGENT_ENV_PASS,$name"
  done
fi
if [ ! -w "${HOME:-/nonexistent}" ]; then HOME=/workspace/.home; mkdir -p "$HOME"; export HOME; fi
exec "#;

/// What makes one run differ from another.
pub(super) struct Run<'a> {
    pub(super) names: &'a Names,
    pub(super) image: &'a str,
    /// Arguments of the agent.
    pub(super) arguments: &'a [String],
    pub(super) variables: &'a Variables,
    pub(super) sidecars: &'a Sidecars,
    pub(super) size: Size,
}

/// The Job, which waits until it is told to begin when there is a Secret to make first.
pub(super) fn job(run: &Run, settings: &Settings) -> Value {
    let config = &settings.config;
    let labels = joined(&config.extra_labels, &run.names.labels);
    let annotations = joined(&config.extra_annotations, &run.names.annotations);
    let spec = merge::pod_spec(&settings.template, needs(run, settings));
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": run.names.job, "namespace": settings.namespace, "labels": labels, "annotations": annotations },
        "spec": {
            "backoffLimit": 0,
            "template": { "metadata": { "labels": labels, "annotations": annotations }, "spec": spec },
        },
    });
    if config.credentials == Credentials::Secret {
        job["spec"]["suspend"] = json!(true);
    }
    if let Some(seconds) = config.active_deadline_seconds {
        job["spec"]["activeDeadlineSeconds"] = json!(seconds);
    }
    if settings.cleanup {
        job["spec"]["ttlSecondsAfterFinished"] =
            json!(config.ttl_seconds_after_finished.unwrap_or(TTL_SECONDS));
    }
    job
}

/// The Secret of a run; it goes when the Job with this uid goes.
pub(super) fn secret(names: &Names, variables: &Variables, job_uid: &str, settings: &Settings) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names.job, "namespace": settings.namespace, "labels": names.labels,
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": names.job, "uid": job_uid }],
        },
        "type": "Opaque",
        "immutable": true,
        "stringData": variables.secret,
    })
}

fn joined(extra: &BTreeMap<String, String>, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    extra.iter().chain(own).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn needs(run: &Run, settings: &Settings) -> Needs {
    let environment = run.variables.entries(&run.names.job);
    let mut mounts = vec![json!({ "name": "workspace", "mountPath": WORKSPACE })];
    mounts.extend(run.sidecars.mounts(settings));
    let mut workspace = json!({ "name": "workspace", "emptyDir": {} });
    if let Some(limit) = &settings.config.workspace_size_limit {
        workspace["emptyDir"]["sizeLimit"] = json!(limit);
    }
    let mut volumes = vec![workspace];
    volumes.extend(run.sidecars.volumes(settings));
    let mut init_containers = run.sidecars.init_containers(settings);
    if let Some(command) = settings.setup_command() {
        init_containers.push(json!({
            "name": "setup", "image": run.image, "imagePullPolicy": settings.pull_policy,
            "command": ["/bin/sh", "-c", literal(command)], "workingDir": WORKSPACE,
            "env": environment, "volumeMounts": mounts,
        }));
    }
    let wrapper = format!("{WRAPPER}{} \"$@\"", run.sidecars.agent());
    let arguments: Vec<String> = run.arguments.iter().map(|word| literal(word)).collect();
    let mut task = json!({
        "name": TASK, "image": run.image, "imagePullPolicy": settings.pull_policy,
        "command": ["/bin/sh", "-c", literal(&wrapper), "oz-task"], "args": arguments, "workingDir": WORKSPACE,
        "env": environment, "volumeMounts": mounts,
    });
    if let Some(command) = settings.teardown_command() {
        task["lifecycle"] = json!({ "preStop": { "exec": { "command": ["/bin/sh", "-c", command] } } });
    }
    if let Some(resources) = run.size.resources() {
        task["resources"] = resources;
    }
    let task = match task {
        Value::Object(task) => task,
        _ => serde_json::Map::new(),
    };
    Needs { init_containers, volumes, task }
}
