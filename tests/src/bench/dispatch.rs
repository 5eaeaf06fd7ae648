//! From the call that creates a run to the assignment at its worker, one run at a time, with 1,000 idle workers.

use crate::{
    Figure,
    http::Http,
    percentile,
    server::{KEY, Server, Worker},
};
use oz_core::worker::{FromWorker, ToWorker};
use std::time::{Duration, Instant};

const IDLE: usize = 1000;
const RUNS: usize = 1000;

pub(crate) async fn run() -> Vec<Figure> {
    let server = Server::start();
    let mut idle = Vec::new();
    for i in 0..IDLE {
        idle.push(Worker::connect(server.port, &format!("idle-{i}"), 1).await);
    }
    let mut worker = Worker::connect(server.port, "bench", u32::MAX).await;
    let mut http = Http::connect(server.port).await;
    let body = r#"{"prompt":"do something useful","config":{"worker_host":"bench"}}"#;
    let (mut created, mut assigned) = (Vec::new(), Vec::new());
    for i in 0..RUNS + 50 {
        let started = Instant::now();
        let answer = async {
            http.post("/api/v1/agent/runs", KEY, body).await;
            started.elapsed()
        };
        let offer = async {
            loop {
                if let ToWorker::TaskAssignment(a) = worker.next().await {
                    return (started.elapsed(), a);
                }
            }
        };
        let (answered, (at, a)) = tokio::join!(answer, offer);
        let done = FromWorker::TaskClaimed {
            task_id: a.task_id,
            worker_id: "bench".into(),
            execution_id: a.execution_id,
        };
        worker.send(&done).await;
        let done = FromWorker::TaskCompleted {
            task_id: a.task_id,
            message: String::new(),
            task_state: None,
            execution_id: a.execution_id,
        };
        worker.send(&done).await;
        if i >= 50 {
            created.push(answered.as_secs_f64() * 1e3);
            assigned.push(at.as_secs_f64() * 1e3);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (p50, p99) = (percentile(&mut assigned, 0.5), percentile(&mut assigned, 0.99));
    vec![
        Figure::info(
            "create a run: answer, p50 / p99",
            format!("{:.2} / {:.2} ms", percentile(&mut created, 0.5), percentile(&mut created, 0.99)),
        ),
        Figure::new(
            format!("create to assignment with {IDLE} idle workers, p50 / p99"),
            format!("{p50:.2} / {p99:.2} ms"),
            "<= 2 / <= 10 ms",
            p50 <= 2.0 && p99 <= 10.0,
        ),
    ]
}
