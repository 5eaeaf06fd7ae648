//! A control plane to measure: a release build of `oz serve` with its own data directory, and workers that only talk.

use futures_util::{SinkExt as _, StreamExt as _};
use oz_core::worker::{FromWorker, SOCKET_PATH, ToWorker};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

pub(crate) const KEY: &str = "wk-1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts a control plane without a worker of its own, on the disk that `OZ_BENCH_DIR` or the target directory is on,
    /// or on an empty PostgreSQL database at `OZ_BENCH_DATABASE_URL`.
    pub(crate) fn start() -> Self {
        let dir = bench_dir();
        let mut command = Command::new(crate::oz());
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--no-worker",
                "--bootstrap-api-key",
                KEY,
                "--rate-limit",
                "0",
                "--data-dir",
            ])
            .arg(dir.path().join("data"))
            .env_clear()
            .env("HOME", dir.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(url) = std::env::var_os("OZ_BENCH_DATABASE_URL") {
            command.arg("--database-url").arg(url);
        }
        let mut child = command.spawn().expect("oz serve");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("oz serve ended").unwrap();
            if let Some((_, port)) = line.rsplit_once("http://127.0.0.1:") {
                break port.trim().trim_end_matches('/').parse().unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port, _dir: dir }
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A temporary directory on a real disk: `/tmp` is often memory, on which a durable write costs nothing.
pub(crate) fn bench_dir() -> tempfile::TempDir {
    let beside = std::env::current_exe().unwrap();
    let base =
        std::env::var_os("OZ_BENCH_DIR").map_or_else(|| beside.parent().unwrap().to_owned(), Into::into);
    tempfile::Builder::new().prefix("oz-bench-").tempdir_in::<&Path>(base.as_ref()).unwrap()
}

/// The socket of a worker that only talks.
pub(crate) struct Worker(pub(crate) WebSocketStream<TcpStream>);

impl Worker {
    pub(crate) async fn connect(port: u16, id: &str, slots: u32) -> Self {
        let mut request =
            format!("ws://127.0.0.1:{port}{SOCKET_PATH}?worker_id={id}").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {KEY}").parse().unwrap());
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.unwrap();
        let mut worker = Self(socket);
        let status = FromWorker::WorkerStatus {
            instance_id: id.into(),
            slots: Some(slots),
            backend: None,
            version: None,
            labels: std::collections::BTreeMap::new(),
            draining: false,
            active: Vec::new(),
        };
        worker.send(&status).await;
        worker
    }

    pub(crate) async fn send(&mut self, frame: &FromWorker) {
        self.0.send(Message::Text(serde_json::to_string(frame).unwrap().into())).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> ToWorker {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}
