//! Tries the cluster out before the first run, so that a missing right or a policy shows when the worker starts.

use super::{
    Kubernetes,
    cluster::{Cluster, Propagation, Trouble, read},
    merge::{self, Needs, TASK},
    names, path, pod,
    rules::{self, CREATE_JOBS, Rule},
    settings::Settings,
    sidecar::Sidecars,
    size::Size,
    variables::Variables,
};
use crate::{Credentials, Error, job::Identity};
use futures_util::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Event, Pod},
};
use oz_core::RunId;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const MOUNT: &str = "/preflight-image";
const VOLUME: &str = "preflight-image";

impl Kubernetes {
    /// # Errors
    /// What has to be changed, in the cluster or in the settings.
    pub(super) async fn preflight(&self) -> Result<(), Error> {
        let (cluster, settings) = (&self.cluster, &self.settings);
        rights(cluster, settings).await?;
        let trial = trial(settings);
        match cluster.create(CREATE_JOBS, &trial, true).await {
            Ok(_) => {}
            Err(Trouble::Refused(text)) if text.contains("does not support dry run") => {}
            Err(trouble) => {
                let text = path::in_settings(&trouble.to_string(), settings, &trial);
                return Err(Error::Kubernetes(format!("the cluster would take no Job of a run: {text}")));
            }
        }
        let name = names::preflight(&settings.worker_id, Timestamp::now().as_nanosecond());
        let job = job(&name, settings);
        let made = cluster.create(CREATE_JOBS, &job, false).await.map_err(|trouble| {
            let text = path::in_settings(&trouble.to_string(), settings, &job);
            Error::Kubernetes(format!("the preflight Job could not be made: {text}"))
        })?;
        let result = self.watch_trial(&name, &made).await;
        if let Err(trouble) = cluster.delete_job(&name, Propagation::Background).await {
            tracing::warn!("the preflight Job {name} could not be deleted: {trouble}");
        }
        result
    }

    /// Waits until the trial has shown what it is for.
    async fn watch_trial(&self, name: &str, made: &Value) -> Result<(), Error> {
        let deadline = Instant::now() + self.pace.preflight_limit;
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
        loop {
            let late = Instant::now() > deadline;
            match self.look_at_trial(name, uid, late).await {
                Ok(Some(verdict)) => {
                    return verdict.map_err(|why| {
                        Error::Kubernetes(format!(
                            "the preflight Job {name} in namespace {} does not work: {why}",
                            self.settings.namespace
                        ))
                    });
                }
                Ok(None) => {}
                Err(Trouble::Unavailable(_)) if !late => {}
                Err(trouble) => {
                    return Err(Error::Kubernetes(format!(
                        "the preflight Job {name} can't be watched: {trouble}"
                    )));
                }
            }
            sleep(self.pace.preflight_every).await;
        }
    }

    async fn look_at_trial(
        &self,
        name: &str,
        uid: &str,
        late: bool,
    ) -> Result<Option<Result<(), String>>, Trouble> {
        let pods = self.cluster.pods(&format!("job-name={name}")).await?;
        let events = self.cluster.events(uid).await?;
        let job = self.cluster.job(name).await?;
        let verdict = verdict(self.settings.config.use_image_volumes, job.as_ref(), &pods, &events);
        let limit = self.pace.preflight_limit.as_secs();
        Ok(verdict.or_else(|| {
            late.then(|| {
                let why = waiting(&pods)
                    .unwrap_or_else(|| "see `kubectl describe` of it and the namespace's quotas".to_owned());
                Err(format!("it came to nothing within {limit} s: {why}"))
            })
        }))
    }
}

/// What the trial has shown, once it has. That a Pod exists shows that policies allow it; whether image volumes work shows
/// only when it runs.
fn verdict(
    image_volumes: bool,
    job: Option<&Job>,
    pods: &[Pod],
    events: &[Event],
) -> Option<Result<(), String>> {
    let refused = events
        .iter()
        .find(|e| e.reason.as_deref() == Some("FailedCreate") && e.type_.as_deref() == Some("Warning"));
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    if !image_volumes && !pods.is_empty() {
        return Some(Ok(()));
    }
    let conditions = job.and_then(|job| job.status.as_ref()?.conditions.as_ref()).into_iter().flatten();
    let has = |kind: &str| conditions.clone().find(|c| c.type_ == kind && c.status == "True");
    if has("Complete").is_some() || pods.iter().any(|pod| phase(pod) == "Succeeded") {
        return Some(Ok(()));
    }
    if let Some(event) = refused {
        return Some(Err(format!("no pod is made: {}", event.message.as_deref().unwrap_or_default())));
    }
    let failed = has("Failed").map(|c| c.message.clone().unwrap_or_default());
    if failed.is_some() || pods.iter().any(|pod| phase(pod) == "Failed") {
        let why = waiting(pods).or(failed).unwrap_or_default();
        return Some(Err(format!("its pod failed; are image volumes enabled in this cluster? {why}")));
    }
    None
}

/// What a pod of the trial waits for.
fn waiting(pods: &[Pod]) -> Option<String> {
    pods.iter().find_map(|pod| {
        let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
        let waiting = statuses.iter().find_map(|s| s.state.as_ref()?.waiting.as_ref())?;
        let why = waiting.reason.as_deref()?;
        let text = waiting.message.as_deref().unwrap_or_default();
        (why != "ContainerCreating" && why != "PodInitializing").then(|| format!("{why}: {text}"))
    })
}

/// Tells which rights are missing, all at once.
async fn rights(cluster: &Cluster, settings: &Settings) -> Result<(), Error> {
    let with_secrets = settings.config.credentials == Credentials::Secret;
    let wanted: Vec<Rule> =
        rules::ALWAYS.iter().chain(rules::WITH_SECRETS.iter().filter(|_| with_secrets)).copied().collect();
    let answers = join_all(wanted.iter().map(|rule| cluster.allows(*rule))).await;
    let missing: Vec<Rule> = wanted
        .iter()
        .zip(answers)
        .filter(|(_, allowed)| *allowed == Some(false))
        .map(|(rule, _)| *rule)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.iter().map(|rule| format!("\n- {rule}")).collect::<String>();
    let advice = if missing.iter().all(|rule| rules::WITH_SECRETS.contains(rule)) {
        "\nor set credentials: inline in backend.kubernetes, which puts the keys of runs into their Jobs in plain text"
    } else {
        ""
    };
    Err(Error::Kubernetes(format!(
        "the worker may not do all it has to in namespace '{}'; add to its Role:{list}{advice}",
        settings.namespace
    )))
}

/// A Job as runs have them, for the server to look at.
fn trial(settings: &Settings) -> Value {
    let nobody = Identity { task_id: RunId(Uuid::nil()), execution_id: None };
    let names = names::Names::of(nobody, &settings.worker_id);
    let run = pod::Run {
        names: &names,
        image: &settings.default_image,
        arguments: &[],
        variables: &Variables::default(),
        sidecars: &Sidecars::default(),
        size: Size::default(),
    };
    pod::job(&run, settings)
}

fn job(name: &str, settings: &Settings) -> Value {
    let config = &settings.config;
    let image = &settings.preflight_image;
    let resources = config.preflight_resources.clone().unwrap_or_else(
        || json!({ "requests": { "cpu": "10m", "memory": "16Mi" }, "limits": { "cpu": "100m", "memory": "64Mi" } }),
    );
    let container = |name: &str, command: &[&str]| {
        json!({ "name": name, "image": image, "imagePullPolicy": settings.pull_policy, "command": command,
            "resources": resources })
    };
    let (mut init_containers, mut volumes, mut main) = (Vec::new(), Vec::new(), container("main", &["true"]));
    if config.use_image_volumes {
        main = container("main", &["test", "-d", MOUNT]);
        main["volumeMounts"] = json!([{ "name": VOLUME, "mountPath": MOUNT, "readOnly": true }]);
        volumes.push(
            json!({ "name": VOLUME, "image": { "reference": image, "pullPolicy": settings.pull_policy } }),
        );
    } else if config.agent_image.is_none()
        || config.sidecar_image.is_some()
        || !config.coding_cli_sidecars.is_empty()
    {
        // Files of sidecar images are copied by root; the agent's own image needs none.
        let mut root = container("root-init-preflight", &["true"]);
        root["securityContext"] = json!({ "runAsUser": 0, "runAsGroup": 0 });
        init_containers.push(root);
    }
    let mut template: Map<String, Value> = settings.template.clone();
    // Security settings of the task's container are part of what policies look at.
    let of_task = template
        .get("containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|c| c["name"] == TASK);
    if let Some(context) = of_task.and_then(|task| task.get("securityContext")) {
        main["securityContext"] = context.clone();
    }
    template.remove("containers");
    template.remove("initContainers");
    let task = main.as_object().cloned().unwrap_or_default();
    let spec = merge::pod_spec(&template, Needs { init_containers, volumes, task });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name, "namespace": settings.namespace },
        "spec": { "backoffLimit": 0, "template": { "spec": spec } },
    })
}

/// The uid of what the server has made.
pub(super) fn uid(made: &Value) -> String {
    read::<Job>(made).and_then(|job| job.metadata.uid).unwrap_or_default()
}
