//! What the tests need around a worker: a control plane of one socket, a script for `oz`, a place for notes.

use crate::{
    Config,
    config::tests::{direct, example},
    guard,
    process::Table,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Tell a copy of the test binary to be a worker.
pub(super) const WORKER_DIRECTORY: &str = "OZ_TEST_WORKER_DIRECTORY";
pub(super) const WORKER_SERVER: &str = "OZ_TEST_WORKER_SERVER";

const LONG: Duration = Duration::from_secs(20);

/// The settings of a worker with its files in `directory`.
pub(super) fn config(directory: &Path, server: &str) -> Config {
    let mut config = Config { worker_id: "w1".to_owned(), server_url: server.to_owned(), ..example() };
    config.oz_path = directory.join("oz");
    direct(&mut config).workspace_root = directory.join("root");
    config
}

/// Writes the script for `oz`: the guard is a copy of this test binary, the agent is what `$SCRIPT` says.
fn make_oz(directory: &Path) {
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = guard ]; then shift; {}=1 exec '{}' {} \"$@\"; fi\n\
         export ARGUMENTS=\"$*\"\nexec sh -c \"$SCRIPT\"\n",
        guard::tests::AS_GUARD,
        std::env::current_exe().unwrap().display(),
        guard::tests::ARGUMENTS.join(" "),
    );
    let draft = directory.join("draft");
    fs::write(&draft, script).unwrap();
    // A file that this process has written can't be started while a child of another test still has it open.
    let made =
        Command::new("install").args(["-m", "755"]).arg(&draft).arg(directory.join("oz")).status().unwrap();
    assert!(made.success());
}

/// A worker and its surroundings.
pub(super) struct Scene {
    pub(super) config: Config,
    pub(super) shutdown: CancellationToken,
    directory: TempDir,
    worker: Option<JoinHandle<Result<(), crate::Error>>>,
}

impl Scene {
    pub(super) async fn new() -> (Self, Plane) {
        let plane = Plane { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() };
        let directory = tempfile::tempdir().unwrap();
        make_oz(directory.path());
        fs::create_dir(directory.path().join("notes")).unwrap();
        fs::create_dir(directory.path().join("root")).unwrap();
        let config = config(directory.path(), &format!("http://{}", plane.listener.local_addr().unwrap()));
        (Self { config, shutdown: CancellationToken::new(), directory, worker: None }, plane)
    }

    pub(super) fn start(&mut self) {
        self.worker = Some(tokio::spawn(crate::run(self.config.clone(), self.shutdown.clone())));
    }

    /// Starts the worker as a process of its own, by a test that does nothing else.
    pub(super) fn start_process(&self, test: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(WORKER_DIRECTORY, self.directory.path())
            .env(WORKER_SERVER, &self.config.server_url)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Shuts the worker down while the control plane still listens.
    pub(super) async fn stop(&mut self, mut line: Connection) {
        self.shutdown.cancel();
        let listen = async { while let Some(Ok(_)) = line.stream.next().await {} };
        let (worker, ()) =
            timeout(LONG, async { tokio::join!(self.worker.take().unwrap(), listen) }).await.unwrap();
        worker.unwrap().unwrap();
    }

    pub(super) async fn vanish(&mut self) {
        let worker = self.worker.take().unwrap();
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled());
    }

    pub(super) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub(super) fn notes(&self) -> String {
        self.directory.path().join("notes").to_str().unwrap().to_owned()
    }

    pub(super) fn note(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join("notes").join(name)).unwrap()
    }

    pub(super) fn has_note(&self, name: &str) -> bool {
        self.directory.path().join("notes").join(name).exists()
    }

    pub(super) fn write_note(&self, name: &str) {
        fs::write(self.directory.path().join("notes").join(name), "").unwrap();
    }

    pub(super) async fn wait_for(&self, name: &str) {
        wait_until(LONG, name, || self.has_note(name)).await;
    }
}

async fn wait_until(limit: Duration, what: &str, check: impl Fn() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < limit, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The control plane.
pub(super) struct Plane {
    listener: TcpListener,
}

impl Plane {
    #[expect(clippy::result_large_err, reason = "the handshake's signature")]
    pub(super) async fn accept(&mut self) -> Connection {
        let (stream, _) = timeout(LONG, self.listener.accept()).await.unwrap().unwrap();
        let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            assert_eq!(request.uri().path(), oz_core::worker::SOCKET_PATH);
            assert_eq!(request.uri().query(), Some("worker_id=w1"));
            assert_eq!(request.headers()["authorization"], "Bearer key-of-the-worker");
            Ok(response)
        };
        Connection { stream: tokio_tungstenite::accept_hdr_async(stream, check).await.unwrap() }
    }

    pub(super) async fn refuse(&mut self) {
        let (mut stream, _) = timeout(LONG, self.listener.accept()).await.unwrap().unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    }
}

/// A run that was assigned.
pub(super) struct Run {
    pub(super) task: String,
    pub(super) execution: String,
    pub(super) frame: Value,
}

impl Run {
    pub(super) fn mark(&self) -> String {
        format!("OZ_EXECUTION_ID={}", self.execution)
    }

    /// How many processes of the agent live; those of the worker's own commands don't count.
    pub(super) fn processes(&self) -> usize {
        Table::read().marked(&format!("AGENT_OF={}", self.execution)).count()
    }

    pub(super) async fn wait_until_gone(&self, limit: Duration) {
        wait_until(limit, "the end of all processes", || self.processes() == 0).await;
    }
}

/// The worker's connection, seen from the control plane.
pub(super) struct Connection {
    stream: WebSocketStream<TcpStream>,
}

impl Connection {
    pub(super) async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(super) async fn assign(&mut self, scene: &Scene, script: &str) -> Run {
        self.assign_task(scene, Uuid::new_v4().to_string(), script).await
    }

    pub(super) async fn assign_again(&mut self, scene: &Scene, run: &Run, script: &str) -> Run {
        self.assign_task(scene, run.task.clone(), script).await
    }

    async fn assign_task(&mut self, scene: &Scene, task: String, script: &str) -> Run {
        let execution = Uuid::new_v4().to_string();
        let frame = json!({ "type": "task_assignment", "data": {
            "task_id": task, "execution_id": execution,
            "task": { "id": task, "title": "a test", "task_definition": { "prompt": "p" },
                "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" },
            "env_vars": { "WARP_API_KEY": "wk-1.of-the-run", "AGENT_OF": execution,
                "SCRIPT": script, "NOTES": scene.notes() } } });
        self.send(frame.clone()).await;
        Run { task, execution, frame }
    }

    async fn next(&mut self) -> Option<Message> {
        timeout(LONG, self.stream.next()).await.unwrap().map(Result::unwrap)
    }

    /// The next frame.
    pub(super) async fn frame(&mut self) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The next frame that is not a status.
    pub(super) async fn message(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] != "worker_status" {
                return frame;
            }
        }
    }

    /// Answers the ping that comes next.
    pub(super) async fn pong(&mut self) {
        while !matches!(self.next().await, Some(Message::Ping(_))) {}
        self.stream.flush().await.unwrap();
        // The worker's answer to this one shows that it has seen the pong.
        self.stream.send(Message::Ping("seen".into())).await.unwrap();
        while !matches!(self.next().await, Some(Message::Pong(_))) {}
    }

    /// Checks that the worker says nothing but how it is.
    pub(super) async fn silence(&mut self) {
        let spoken = timeout(Duration::from_millis(300), self.message()).await;
        assert!(spoken.is_err(), "it said {spoken:?}");
    }

    pub(super) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.next().await? {
                return frame.map(|frame| frame.code.into());
            }
        }
    }
}
