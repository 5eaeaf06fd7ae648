//! Runs in a cluster: the fake one checks every object and runs the containers' commands as processes.

use fake_kubernetes::{FakeKubernetes, Kubelet};
use oz_core::{RunId, RunState, config::AgentConfig};
use oz_tests::{
    World, history,
    world::{KEY, Options, oz_binary},
};
use oz_worker::{BackendConfig, Config, KubernetesConfig};
use std::{fs, path::Path, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const WORKER: &str = "cluster 1";
const IMAGE: &str = "oz:test";

/// A world with a cluster, whose worker is part of the test.
struct Cluster {
    world: World,
    // It goes before the world, which looks for processes that are left.
    fake: Option<FakeKubernetes>,
}

struct Worker {
    task: JoinHandle<Result<(), oz_worker::Error>>,
    shutdown: CancellationToken,
}

impl Cluster {
    fn start(script: &str) -> Self {
        let options =
            Options { embedded_worker: false, script: Some(script.to_owned()), ..Options::default() };
        let world = World::start(options);
        let image = world.path().join("image");
        fs::create_dir(&image).unwrap();
        std::os::unix::fs::symlink(oz_binary(), image.join("oz")).unwrap();
        let fake = FakeKubernetes::start(Kubelet::Run([(IMAGE.to_owned(), image)].into()));
        Self { world, fake: Some(fake) }
    }

    fn fake(&self) -> &FakeKubernetes {
        self.fake.as_ref().unwrap()
    }

    fn worker(&self) -> Worker {
        let shutdown = CancellationToken::new();
        let script = self.world.path().join("script.yaml");
        let config = Config {
            worker_id: WORKER.to_owned(),
            server_url: self.world.url(),
            api_key: KEY.to_owned(),
            max_concurrent_tasks: 4,
            idle_on_complete: Some("0s".to_owned()),
            cleanup: true,
            lease: Duration::from_secs(30),
            embedded: false,
            labels: Default::default(),
            drain: Duration::ZERO,
            environment: [("OZ_SCRIPTED_MODEL".to_owned(), script.to_string_lossy().into_owned())].into(),
            oz_path: oz_binary(),
            socket_url: None,
            session_sharing_url: None,
            backend: BackendConfig::Kubernetes(Box::new(KubernetesConfig {
                kubeconfig: Some(self.fake().kubeconfig(self.world.path())),
                agent_image: Some(IMAGE.to_owned()),
                ..KubernetesConfig::default()
            })),
        };
        let task = tokio::spawn(oz_worker::run(config, shutdown.clone()));
        Worker { task, shutdown }
    }

    async fn dispatch(&self, prompt: &str) -> RunId {
        let config = AgentConfig { worker_host: Some(WORKER.to_owned()), ..AgentConfig::default() };
        self.world.dispatch(prompt, config).await
    }

    /// Looks for what is left, in the cluster and in the records.
    async fn end(mut self, worker: Worker) {
        for plural in ["jobs", "pods", "secrets"] {
            self.fake().none(plural).await;
        }
        worker.shutdown.cancel();
        worker.task.await.unwrap().unwrap();
        let wrong = history::check(&self.world.database(), &Default::default());
        assert!(wrong.is_empty(), "{wrong:#?}");
        drop(self.fake.take());
    }
}

fn waits_for(file: &Path, begun: &Path) -> String {
    let command =
        format!("touch {}; while [ ! -e {} ]; do sleep 0.05; done", begun.display(), file.display());
    format!(
        "scripts:\n  - match: wait\n    turns:\n      - tool_calls: [{{ name: run_command, input: {{ command: \"{command}\" }} }}]\n      \
         - tool_calls: [{{ name: finish, input: {{ summary: It went on. }} }}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_works_in_a_pod_and_leaves_nothing_there() {
    let cluster = Cluster::start(
        "scripts:\n  - match: go\n    turns: [{ tool_calls: [{ name: finish, input: { summary: Done in a pod. } }] }]\n",
    );
    let worker = cluster.worker();
    let run_id = cluster.dispatch("go").await;
    let pod = cluster.fake().object("pods", "oz-task-").await;
    assert!(!pod.to_string().contains("wk-"), "keys stand in the Secret only: {pod}");
    let run = cluster.world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    cluster.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_run_ends_its_pod() {
    let dir = tempfile::tempdir().unwrap();
    let begun = dir.path().join("begun");
    let cluster = Cluster::start(&waits_for(&dir.path().join("never"), &begun));
    let worker = cluster.worker();
    let run_id = cluster.dispatch("wait").await;
    cluster.world.until_file(&begun).await;
    let _ = cluster.world.oz(&["run", "cancel", &run_id.to_string()]).success();
    assert_eq!(cluster.world.wait(run_id).await.state, RunState::Cancelled);
    cluster.end(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_outlives_workers_that_die_and_that_shut_down() {
    let dir = tempfile::tempdir().unwrap();
    let (go, begun) = (dir.path().join("go"), dir.path().join("begun"));
    let cluster = Cluster::start(&waits_for(&go, &begun));
    let first = cluster.worker();
    let run_id = cluster.dispatch("wait").await;
    cluster.world.until_file(&begun).await;
    // Dies in the middle of everything.
    first.task.abort();
    assert!(first.task.await.unwrap_err().is_cancelled());
    let second = cluster.worker();
    cluster.fake().asked("LIST jobs", 2).await;
    second.shutdown.cancel();
    second.task.await.unwrap().unwrap();
    let third = cluster.worker();
    fs::write(&go, "").unwrap();
    let run = cluster.world.wait(run_id).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(cluster.fake().count("POST secrets"), 1, "the run was begun once");
    cluster.end(third).await;
}
