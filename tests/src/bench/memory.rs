//! Resident memory of the control plane: at rest, per idle worker connection, per watcher.

use crate::{
    Figure,
    http::Http,
    server::{KEY, Server, Worker},
};
use std::time::Duration;

const CONNECTIONS: u32 = 5000;

pub(crate) async fn run() -> Vec<Figure> {
    let server = Server::start();
    settle().await;
    let rest = server.resident_kib();
    let mut workers = Vec::new();
    for i in 0..CONNECTIONS {
        workers.push(Worker::connect(server.port, &format!("idle-{i}"), 1).await);
    }
    settle().await;
    let with_workers = server.resident_kib();
    let per_worker = per(with_workers - rest);
    drop(server);
    drop(workers);

    let server = Server::start();
    let mut http = Http::connect(server.port).await;
    let body = r#"{"prompt":"wait","config":{"worker_host":"nobody"}}"#;
    let created: serde_json::Value =
        serde_json::from_str(&http.post("/api/v1/agent/runs", KEY, body).await).unwrap();
    let path = format!("/api/v1/agent/runs/{}/stream", created["run_id"].as_str().unwrap());
    settle().await;
    let before = server.resident_kib();
    let mut watchers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut watcher = Http::connect(server.port).await;
        watcher.watch(&path, KEY).await;
        watchers.push(watcher);
    }
    settle().await;
    let per_watcher = per(server.resident_kib() - before);
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    let rest_mib = rest as f64 / 1024.0;
    vec![
        Figure::new(
            "control plane at rest, resident",
            format!("{rest_mib:.1} MiB"),
            "<= 40 MiB",
            rest_mib <= 40.0,
        ),
        Figure::new(
            format!("resident per idle worker, over {CONNECTIONS}"),
            format!("{per_worker:.1} KiB"),
            "<= 12 KiB",
            per_worker <= 12.0,
        ),
        Figure::new(
            format!("resident per watcher, over {CONNECTIONS}"),
            format!("{per_watcher:.1} KiB"),
            "<= 24 KiB",
            per_watcher <= 24.0,
        ),
    ]
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

#[expect(clippy::cast_precision_loss, reason = "a figure to show")]
fn per(kib: u64) -> f64 {
    kib as f64 / f64::from(CONNECTIONS)
}
