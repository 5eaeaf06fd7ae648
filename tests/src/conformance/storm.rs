//! A storm: very many workers that lose their connection at once and come back at once, with runs in flight.

use super::{
    Check, SOON, ensure,
    fake_worker::{Assigned, FakeWorker, Profile, status},
};
use backon::{ExponentialBuilder, Retryable as _};
use futures_util::{StreamExt as _, stream};
use oz_client::Client;
use oz_core::{
    RunId, RunState,
    api::{CreateRun, GetRun},
    config::AgentConfig,
};
use std::time::Duration;

/// How many connections are made at a time, so that the queue of the listening socket does not overflow.
const AT_A_TIME: usize = 256;

/// How much of a storm.
#[derive(Debug, Clone)]
pub struct Storm {
    /// Address of the control plane.
    pub url: String,
    /// The key of an admin or an agent.
    pub key: String,
    /// What the ids of the hosts begin with.
    pub host: String,
    /// How many hosts there are, each with as many workers.
    pub hosts: usize,
    /// How many workers there are in all.
    pub workers: usize,
    /// How many runs are in flight.
    pub runs: usize,
    /// How often all lose their connection.
    pub times: usize,
}

/// A worker that has at most one run.
struct Tossed {
    host: String,
    instance: String,
    line: Option<FakeWorker>,
    run: Option<Assigned>,
}

impl Storm {
    /// Goes through it. Returns the runs, all of which have succeeded, each at its first attempt.
    ///
    /// # Errors
    /// When a run is lost or tried twice.
    pub async fn pass(&self) -> Result<Vec<RunId>, String> {
        let client = Client::new(&self.url, Some(self.key.clone())).map_err(|e| e.to_string())?;
        let mut workers: Vec<Tossed> = (0..self.workers)
            .map(|n| Tossed {
                host: format!("{}-{}", self.host, n % self.hosts),
                instance: format!("{}-{n}", self.host),
                line: None,
                run: None,
            })
            .collect();
        workers = self.connect(workers).await?;
        let mut runs = Vec::new();
        for n in 0..self.runs {
            let host = format!("{}-{}", self.host, n % self.hosts);
            let config = AgentConfig { worker_host: Some(host), ..AgentConfig::default() };
            let prompt = Some("in a storm".to_owned());
            let request = CreateRun { prompt, config: Some(config), ..CreateRun::default() };
            runs.push(client.send(&request).await.map_err(|e| e.to_string())?.run_id);
        }
        workers = self.claim(workers).await?;
        for _ in 0..self.times {
            for worker in &mut workers {
                worker.line = None;
            }
            workers = self.connect(workers).await?;
        }
        for worker in &mut workers {
            if let (Some(line), Some(run)) = (&mut worker.line, &worker.run) {
                line.complete(run).await?;
            }
        }
        for run_id in &runs {
            self.succeeds(&client, *run_id).await?;
        }
        Ok(runs)
    }

    /// Dials for all that have no line, many at once.
    async fn connect(&self, workers: Vec<Tossed>) -> Result<Vec<Tossed>, String> {
        let dialled = stream::iter(workers).map(|mut worker| async move {
            // Whoever calls too often is asked to come back later, and workers do.
            let dial = || FakeWorker::dial(&self.url, &worker.host, Some(&self.key), Profile::Extended);
            let later = ExponentialBuilder::default().with_jitter().with_max_times(8);
            let dialled = dial.retry(later).when(|refused| refused.status == 429).await;
            let mut line = dialled.map_err(|e| format!("refused: {} {}", e.status, e.body))?;
            let active = worker.run.as_ref().map(Assigned::executions).unwrap_or_default();
            line.send(&status(&worker.instance, Some(1), &active)).await?;
            worker.line = Some(line);
            Ok::<_, String>(worker)
        });
        dialled.buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await.into_iter().collect()
    }

    /// Lets each run be claimed by whoever gets it.
    async fn claim(&self, workers: Vec<Tossed>) -> Result<Vec<Tossed>, String> {
        let count = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let wanted = u32::try_from(self.runs).map_err(|e| e.to_string())?;
        let (raise, all) = tokio::sync::watch::channel(false);
        let claims = workers.into_iter().map(|mut worker| {
            let (count, mut all) = (count.clone(), all.clone());
            async move {
                if let Some(line) = &mut worker.line {
                    tokio::select! {
                        assigned = assignment(line) => {
                            let run = assigned?;
                            line.claim(&run).await?;
                            worker.run = Some(run);
                            count.add_permits(1);
                        }
                        _ = all.wait_for(|all| *all) => {}
                    }
                }
                Ok::<_, String>(worker)
            }
        });
        let claims = futures_util::future::join_all(claims);
        let watch = async {
            let claimed = tokio::time::timeout(SOON * 3, count.acquire_many(wanted)).await;
            let _ = raise.send(true);
            claimed
                .map(drop)
                .map_err(|_| format!("only {} of {wanted} are claimed", count.available_permits()))
        };
        let (workers, watched) = tokio::join!(claims, watch);
        watched?;
        workers.into_iter().collect()
    }

    async fn succeeds(&self, client: &Client, run_id: RunId) -> Check {
        for _ in 0..600 {
            let run = client.send(&GetRun { run_id }).await.map_err(|e| e.to_string())?;
            if run.state == RunState::Succeeded {
                let attempt = run.execution.map(|execution| execution.attempt);
                ensure!(attempt == Some(1), "{run_id}: attempt {attempt:?}");
                return Ok(());
            }
            ensure!(!run.state.is_terminal(), "{run_id} ended as {}: {:?}", run.state, run.status_message);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{run_id} does not end"))
    }
}

/// Waits for an assignment however long it takes.
async fn assignment(line: &mut FakeWorker) -> Result<Assigned, String> {
    loop {
        match line.assignment().await {
            Err(e) if e == "nothing came" => {}
            other => return other,
        }
    }
}
