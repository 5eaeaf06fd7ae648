//! Run lifecycles per second over HTTP with durable commits, against a loop that writes the same rows to SQLite one
//! commit at a time.

use crate::{
    Figure,
    http::Http,
    server::{KEY, Server, Worker, bench_dir},
};
use oz_core::worker::{FromWorker, ToWorker};
use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, mpsc};

const CLIENTS: usize = 64;
const SECONDS: u64 = 10;
const ENTRIES: usize = 10;

pub(crate) async fn run() -> Vec<Figure> {
    let floor = tokio::task::spawn_blocking(one_by_one).await.unwrap();
    let ours = over_http().await;
    let after = tokio::task::spawn_blocking(one_by_one).await.unwrap();
    let floor = floor.midpoint(after);
    vec![
        Figure::info("SQLite, one row one commit: lifecycles/s", format!("{floor:.0}")),
        Figure::new(
            format!("run lifecycles/s over HTTP, durable, {CLIENTS} at once"),
            format!("{ours:.0} ({:.1}x)", ours / floor),
            ">= 2x",
            ours >= 2.0 * floor,
        ),
    ]
}

/// The rows of a lifecycle, each in a commit of its own: the run, two changes of state, ten entries, the end.
fn one_by_one() -> f64 {
    let dir = bench_dir();
    let db = rusqlite::Connection::open(dir.path().join("raw.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT NOT NULL, prompt TEXT NOT NULL);
         CREATE TABLE entries (id INTEGER PRIMARY KEY, run BIGINT NOT NULL, payload TEXT NOT NULL);",
    )
    .unwrap();
    let mut create = db.prepare("INSERT INTO runs (state, prompt) VALUES ('QUEUED', ?1)").unwrap();
    let mut change = db.prepare("UPDATE runs SET state = ?2 WHERE id = ?1").unwrap();
    let mut entry = db.prepare("INSERT INTO entries (run, payload) VALUES (?1, ?2)").unwrap();
    let (started, mut done) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(SECONDS / 2) {
        create.execute(["do something useful"]).unwrap();
        let run = db.last_insert_rowid();
        change.execute((run, "CLAIMED")).unwrap();
        change.execute((run, "INPROGRESS")).unwrap();
        for _ in 0..ENTRIES {
            entry.execute((run, TEXT)).unwrap();
        }
        change.execute((run, "SUCCEEDED")).unwrap();
        done += 1;
    }
    f64::from(done) / started.elapsed().as_secs_f64()
}

const TEXT: &str = r#"{"type":"text","text":"a line of what the agent says while it works on the task"}"#;

type Assigned = (oz_core::RunId, String);

async fn over_http() -> f64 {
    let server = Server::start();
    let worker = Worker::connect(server.port, "bench", u32::MAX).await;
    let (assigned, runs) = mpsc::channel::<Assigned>(4096);
    let (done, ended) = mpsc::channel::<FromWorker>(4096);
    let socket = tokio::spawn(talk(worker, assigned, ended));
    let runs = Arc::new(Mutex::new(runs));
    let started = Instant::now();
    let until = started + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for _ in 0..CLIENTS {
        tasks.push(tokio::spawn(client(server.port, runs.clone(), done.clone(), until)));
    }
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    drop(done);
    socket.abort();
    rate
}

/// The worker's side: claims what it is offered and passes it to the agents.
async fn talk(mut worker: Worker, assigned: mpsc::Sender<Assigned>, mut ended: mpsc::Receiver<FromWorker>) {
    loop {
        tokio::select! {
            frame = worker.next() => {
                let ToWorker::TaskAssignment(a) = frame else { continue };
                let claimed = FromWorker::TaskClaimed { task_id: a.task_id, worker_id: "bench".into(), execution_id: a.execution_id };
                worker.send(&claimed).await;
                let token = a.env_vars["WARP_WORKLOAD_TOKEN"].clone();
                if assigned.send((a.task_id, token)).await.is_err() { return }
            }
            frame = ended.recv() => {
                let Some(frame) = frame else { return };
                worker.send(&frame).await;
            }
        }
    }
}

/// Creates a run, then plays the agent of whichever run is assigned next, to its end.
async fn client(
    port: u16,
    runs: Arc<Mutex<mpsc::Receiver<Assigned>>>,
    done: mpsc::Sender<FromWorker>,
    until: Instant,
) -> u32 {
    let mut http = Http::connect(port).await;
    let entries = entries();
    let mut count = 0;
    while Instant::now() < until {
        let body = r#"{"prompt":"do something useful","config":{"worker_host":"bench"}}"#;
        http.post("/api/v1/agent/runs", KEY, body).await;
        let (task_id, token) = runs.lock().await.recv().await.unwrap();
        start(&mut http, &token).await;
        http.post("/api/v1/harness-support/transcript-entries", &token, &entries).await;
        http.post("/api/v1/harness-support/update-run", &token, r#"{"task_state":"SUCCEEDED"}"#).await;
        let completed = FromWorker::TaskCompleted {
            task_id,
            message: String::new(),
            task_state: None,
            execution_id: None,
        };
        done.send(completed).await.unwrap();
        count += 1;
    }
    count
}

/// The claim travels by the socket and may still be on its way.
async fn start(http: &mut Http, token: &str) {
    loop {
        let (status, body) = http
            .send("POST", "/api/v1/harness-support/update-run", token, r#"{"task_state":"INPROGRESS"}"#)
            .await;
        match status {
            200 => return,
            409 => tokio::time::sleep(Duration::from_micros(200)).await,
            _ => panic!("{status}: {body}"),
        }
    }
}

fn entries() -> String {
    let mut body = r#"{"entries":["#.to_owned();
    for number in 1..=ENTRIES {
        let comma = if number > 1 { "," } else { "" };
        let _ = write!(
            body,
            r#"{comma}{{"number":{number},"occurred_at":"2026-01-01T00:00:00Z","event":{TEXT}}}"#
        );
    }
    body + "]}"
}
