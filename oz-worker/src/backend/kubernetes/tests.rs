//! The backend against a fake cluster that checks every object it is sent.

mod adopting;
mod ends;
mod objects;
mod starting;
mod steering;

use super::*;
use crate::{config::tests::example, job::Job};
use fake_kubernetes::{FakeKubernetes, Kubelet};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const RUN: &str = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";

/// Fast where tests wait; what is heard only by polling is heard soon.
fn pace() -> Pace {
    let millis = Duration::from_millis;
    Pace {
        poll: millis(100),
        first_pause: millis(20),
        longest_pause: millis(100),
        begin_limit: Duration::from_secs(20),
        remove_limit: Duration::from_secs(20),
        remove_poll: millis(50),
        preflight_limit: Duration::from_secs(5),
        preflight_every: millis(20),
    }
}

/// Settings with which everything works.
fn settings() -> KubernetesConfig {
    KubernetesConfig {
        agent_image: Some("oz:test".to_owned()),
        unschedulable_timeout: Some(Duration::from_millis(200)),
        ..KubernetesConfig::default()
    }
}

/// A cluster and a worker's settings.
struct Bench {
    fake: FakeKubernetes,
    dir: TempDir,
    config: Config,
    settings: KubernetesConfig,
    pace: Pace,
}

impl Bench {
    fn new(kubelet: Kubelet) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            fake: FakeKubernetes::start(kubelet),
            dir,
            config: example(),
            settings: settings(),
            pace: pace(),
        }
    }

    fn idle() -> Self {
        Self::new(Kubelet::Idle)
    }

    async fn try_open(&self) -> Result<Arc<Kubernetes>, Error> {
        let kubeconfig = Some(self.fake.kubeconfig(self.dir.path()));
        let settings = KubernetesConfig { kubeconfig, ..self.settings.clone() };
        Kubernetes::at(&self.config, &settings, Environment::default(), self.pace).await.map(Arc::new)
    }

    async fn open(&self) -> Arc<Kubernetes> {
        let backend = self.try_open().await.unwrap();
        self.fake.none("jobs").await;
        self.fake.none("pods").await;
        backend
    }

    async fn complaint(&self) -> String {
        match self.try_open().await {
            Ok(_) => panic!("the worker starts"),
            Err(error) => error.to_string(),
        }
    }

    fn job(&self, change: &Value) -> Job {
        job(&self.config, change)
    }
}

fn job(config: &Config, change: &Value) -> Job {
    let task = json!({ "id": RUN, "title": "t", "task_definition": { "prompt": "p" },
        "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" });
    let mut whole = json!({ "task_id": RUN, "execution_id": uuid::Uuid::new_v4(), "task": task,
        "env_vars": { "WARP_API_KEY": "wk-1.top-secret", "NOTE": "costs $(HOME) $$ $5" } });
    for (name, value) in change.as_object().unwrap() {
        match (&mut whole[name], value) {
            (Value::Object(object), Value::Object(more)) => object.extend(more.clone()),
            (place, value) => *place = value.clone(),
        }
    }
    Job::new(serde_json::from_value(whole).unwrap(), config)
}

/// A run under way.
struct Going {
    control: Control,
    identity: Identity,
    report: oneshot::Receiver<Outcome>,
    task: JoinHandle<()>,
}

fn begin(backend: &Arc<Kubernetes>, job: Job) -> Going {
    let (send, report) = oneshot::channel();
    let (control, identity) = (Control::default(), Identity::of(&job.assignment));
    let (backend, steered) = (backend.clone(), control.clone());
    let task = tokio::spawn(async move { backend.execute(&job, &steered, send).await });
    Going { control, identity, report, task }
}

fn resume(backend: &Arc<Kubernetes>, identity: Identity) -> Going {
    let (send, report) = oneshot::channel();
    let control = Control::default();
    let (backend, steered) = (backend.clone(), control.clone());
    let task = tokio::spawn(async move { backend.resume(identity, &steered, send).await });
    Going { control, identity, report, task }
}

impl Going {
    /// How it ended, when everything is cleaned up.
    async fn end(self) -> Outcome {
        let limit = Duration::from_secs(60);
        let outcome = tokio::time::timeout(limit, self.report).await.expect("the run never ends").unwrap();
        tokio::time::timeout(limit, self.task).await.expect("cleaning up never ends").unwrap();
        outcome
    }

    async fn failure(self) -> (FailureReason, String, Option<i32>) {
        match self.end().await {
            Outcome::Failed { reason, message, exit_code } => (reason, message, exit_code),
            other => panic!("the run did not fail: {other:?}"),
        }
    }
}

fn exited(code: i32) -> Value {
    let state = json!({ "terminated": { "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" } } });
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    json!({ "phase": phase, "containerStatuses": [{ "name": "task", "image": "i", "state": state }] })
}
