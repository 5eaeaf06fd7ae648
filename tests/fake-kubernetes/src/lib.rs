//! A fake Kubernetes: an API server with watches and resource versions that refuses what a real one would refuse, the
//! controllers that a Job needs, and a kubelet that does what a test says or runs containers as processes of this
//! machine. It fails the test in which it was sent what the published schemas don't allow.
#![expect(clippy::expect_used, clippy::panic, reason = "a test's own tool may fail it")]

mod control;
mod faults;
mod kubelet;
mod lists;
mod processes;
mod requests;
mod schema;
mod semantics;
mod state;
mod watches;

pub use faults::Interruption;
pub use kubelet::Kubelet;

use faults::Fault;
use serde_json::{Value, json};
use state::{Kind, Shared, State};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// A cluster that is up as long as this lives.
pub struct FakeKubernetes {
    shared: Arc<Shared>,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FakeKubernetes {
    /// Starts a cluster whose pods do this.
    #[must_use]
    pub fn start(kubelet: Kubelet) -> Self {
        let shared = Arc::new(Shared::new(kubelet));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("non-blocking");
        let port = listener.local_addr().expect("own address").port();
        let (stop, stopped) = oneshot::channel();
        let served = shared.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.expect("runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
                let service = requests::router(served.clone());
                tokio::select! {
                    _ = axum::serve(listener, service) => {}
                    () = control::reconcile_forever(served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { shared, port, stop: Some(stop), thread: Some(thread) }
    }

    /// Writes a kubeconfig for this cluster into a directory.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn kubeconfig(&self, directory: &Path) -> PathBuf {
        let path = directory.join("kubeconfig.yaml");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{ "name": "fake", "cluster": { "server": format!("http://127.0.0.1:{}", self.port) } }],
            "users": [{ "name": "fake", "user": { "token": "fake" } }],
            "contexts": [{ "name": "fake", "context": { "cluster": "fake", "user": "fake" } }],
        });
        fs::write(&path, config.to_string()).expect("kubeconfig");
        path
    }

    /// All objects of a plural, such as `jobs`.
    #[must_use]
    pub fn objects(&self, plural: &str) -> Vec<Value> {
        self.shared.read(|state| state.all(kind(plural)).cloned().collect())
    }

    /// The only object of a plural whose name begins like this, once there is one.
    ///
    /// # Panics
    /// When there is none within half a minute.
    pub async fn object(&self, plural: &str, prefix: &str) -> Value {
        let wanted = |state: &State| {
            let named =
                |o: &&Value| o["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(prefix));
            state.all(kind(plural)).find(named).cloned()
        };
        self.until(&format!("one of {plural}"), wanted).await
    }

    /// Waits until a container runs in a pod whose name begins like this.
    pub async fn runs(&self, prefix: &str) {
        let is_up = |state: &State| {
            state.processes.values().any(|process| process.pod.starts_with(prefix)).then_some(())
        };
        self.until("a container", is_up).await;
    }

    /// Waits until there is no object of a plural.
    pub async fn none(&self, plural: &str) {
        self.until(&format!("no {plural}"), |state| state.all(kind(plural)).next().is_none().then_some(()))
            .await;
    }

    /// Waits until a method was called on a resource so often, such as `GET jobs`.
    pub async fn asked(&self, what: &str, times: usize) {
        self.until(what, |state| (state.asked.iter().filter(|a| *a == what).count() >= times).then_some(()))
            .await;
    }

    /// How often a method was called on a resource.
    #[must_use]
    pub fn count(&self, what: &str) -> usize {
        self.shared.read(|state| state.asked.iter().filter(|asked| *asked == what).count())
    }

    async fn until<T>(&self, what: &str, wanted: impl Fn(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(found) = self.shared.read(&wanted) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "still waiting for {what}; {:?}",
                self.shared.read(|s| s.asked.clone())
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Merges this into the status of every pod of Jobs whose names begin with `oz-task-`.
    pub fn set_pod_status(&self, status: &Value) {
        self.shared.change(|state| state.set_pod_status(status));
    }

    /// Merges this into every Job's status, as a controller would.
    pub fn set_job_status(&self, status: &Value) {
        self.shared.change(|state| state.set_status(Kind::Jobs, "", status));
    }

    /// Says something of all objects of a plural.
    pub fn add_event(&self, plural: &str, reason: &str, message: &str) {
        self.shared.change(|state| state.add_events(kind(plural), reason, message));
    }

    /// Deletes all pods at once, as when their node is lost.
    pub fn lose_pods(&self) {
        self.shared.change(State::lose_pods);
    }

    /// Deletes all Jobs, as somebody with `kubectl` would.
    pub fn delete_jobs(&self) {
        self.shared.change(|state| {
            for job in state.names(Kind::Jobs) {
                state.delete(Kind::Jobs, &job, false);
            }
        });
    }

    /// What containers of this name print when nothing runs.
    pub fn set_log(&self, container: &str, text: &str) {
        self.shared.change(|state| state.logs.insert(container.to_owned(), text.to_owned()));
    }

    /// From now on pods are not made, and this is why.
    pub fn refuse_pods(&self, why: &str) {
        self.shared.change(|state| state.no_pods = Some(why.to_owned()));
    }

    /// Takes the right to do this from everybody, such as `create secrets` or `get pods/log`.
    pub fn deny(&self, right: &str) {
        self.shared.change(|state| state.denied.insert(right.to_owned()));
    }

    /// Gives all rights back.
    pub fn allow_all(&self) {
        self.shared.change(|state| state.denied.clear());
    }

    /// Answers the next calls of a method on a resource with a status, such as `POST jobs` with 429.
    pub fn fail(&self, what: &str, times: u32, status: u16) {
        let fault = Fault { what: what.to_owned(), times, status };
        self.shared.change(|state| state.faults.push(fault));
    }

    /// Does something to all watches that are open.
    pub fn interrupt(&self, how: Interruption) {
        self.shared.interruption.send_modify(|(count, what)| (*count, *what) = (*count + 1, how));
    }

    /// How many watches have been opened.
    #[must_use]
    pub fn watches(&self) -> usize {
        self.count("WATCH jobs") + self.count("WATCH pods")
    }

    /// What it was sent that the schemas or the server's own rules don't allow; they are forgotten.
    #[must_use]
    pub fn take_complaints(&self) -> Vec<String> {
        self.shared.change(|state| std::mem::take(&mut state.complaints))
    }
}

impl Drop for FakeKubernetes {
    fn drop(&mut self) {
        self.shared.change(State::kill_all);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if !thread::panicking() {
            let complaints = self.take_complaints();
            assert!(
                complaints.is_empty(),
                "the API server was sent what it refuses:\n{}",
                complaints.join("\n")
            );
        }
    }
}

fn kind(plural: &str) -> Kind {
    Kind::of(plural).unwrap_or_else(|| panic!("this cluster has no {plural}"))
}
