//! What becomes of pods.

mod container;

use crate::{
    lists::list,
    state::{Kind, Shared, State, now},
};
use container::{Container, End};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a cluster does with its pods.
#[derive(Debug, Clone)]
pub enum Kubelet {
    /// Nothing; the test says what their status is.
    Idle,
    /// Runs their containers as processes. Directories stand for images that bring files, by name; all other images
    /// have what this machine has.
    Run(BTreeMap<String, PathBuf>),
}

/// Starts the pods that are new.
pub(crate) fn start_new_pods(shared: &Arc<Shared>) {
    let started = shared.change(|state| {
        let Kubelet::Run(images) = state.kubelet.clone() else { return Vec::new() };
        let is_new = |pod: &&Value| {
            pod["status"]["startTime"].is_null() && pod["metadata"]["deletionTimestamp"].is_null()
        };
        let new: Vec<Value> = state.all(Kind::Pods).filter(is_new).cloned().collect();
        for pod in &new {
            state.update(Kind::Pods, name(pod), &json!({ "status": { "startTime": now() } }));
        }
        new.into_iter().map(|pod| (pod, images.clone())).collect()
    });
    for (pod, images) in started {
        let shared = shared.clone();
        tokio::spawn(async move { run(&shared, &pod, &images).await });
    }
}

async fn run(shared: &Shared, pod: &Value, images: &BTreeMap<String, PathBuf>) {
    let root = tempfile::Builder::new().prefix("oz-pod-").tempdir().expect("directory of a pod");
    let mut init: Vec<Value> = Vec::new();
    for container in list(&pod["spec"]["initContainers"]) {
        let status = one(shared, pod, container, images, root.path()).await;
        let good = status["state"]["terminated"]["exitCode"] == 0;
        init.push(status);
        shared.change(|state| tell(state, pod, &json!({ "initContainerStatuses": init })));
        if !good {
            let waits = !init.last().expect("a status")["state"]["waiting"].is_null();
            let phase = if waits { "Pending" } else { "Failed" };
            shared.change(|state| tell(state, pod, &json!({ "phase": phase })));
            return;
        }
    }
    shared.change(|state| tell(state, pod, &json!({ "phase": "Running" })));
    let containers = list(&pod["spec"]["containers"]).map(|c| one(shared, pod, c, images, root.path()));
    let ends = futures_util::future::join_all(containers).await;
    let good = ends.iter().all(|status| status["state"]["terminated"]["exitCode"] == 0);
    let waits = ends.iter().any(|status| !status["state"]["waiting"].is_null());
    let phase = if waits {
        "Pending"
    } else if good {
        "Succeeded"
    } else {
        "Failed"
    };
    shared.change(|state| tell(state, pod, &json!({ "phase": phase, "containerStatuses": ends })));
}

/// Runs a container to its end. Answers its status.
async fn one(
    shared: &Shared,
    pod: &Value,
    spec: &Value,
    images: &BTreeMap<String, PathBuf>,
    root: &Path,
) -> Value {
    let secrets = shared.read(|state| state.all(Kind::Secrets).cloned().collect::<Vec<_>>());
    let end = match Container::of(pod, spec, images, root, &secrets) {
        Ok(container) => container.run(shared, name(pod)).await,
        Err(why) => End::Waiting(why),
    };
    let state = match end {
        End::Exited(code) => {
            json!({ "terminated": { "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" } } })
        }
        End::Waiting(why) => json!({ "waiting": { "reason": "CreateContainerConfigError", "message": why } }),
    };
    json!({ "name": spec["name"], "image": spec["image"], "imageID": "", "ready": false, "restartCount": 0, "state": state })
}

fn tell(state: &mut State, pod: &Value, status: &Value) {
    state.update(Kind::Pods, name(pod), &json!({ "status": status }));
}

fn name(pod: &Value) -> &str {
    pod["metadata"]["name"].as_str().unwrap_or_default()
}
