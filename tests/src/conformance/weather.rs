//! Bad weather: workers whose frames are lost, doubled, late and out of turn, and whose connections break, by a seed that
//! makes it come again the same. Each worker keeps to what the protocol promises: what it works on it names in its status,
//! and how a run ended it says until the control plane has read it.

use super::{
    Check, ensure,
    fake_worker::{Assigned, FakeWorker, Profile, status},
};
use fastrand::Rng;
use oz_client::Client;
use oz_core::{
    RunId, RunState,
    api::{CreateRun, GetRun},
    config::AgentConfig,
};
use serde_json::Value;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::Message;

/// How much weather, and over what.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Address of the control plane.
    pub url: String,
    /// The key of an admin or an agent.
    pub key: String,
    /// The id that all workers share.
    pub host: String,
    /// How many workers there are.
    pub workers: usize,
    /// How many runs they do together.
    pub runs: usize,
    /// Makes the same weather again.
    pub seed: u64,
}

impl Weather {
    /// Does all runs. Returns them.
    ///
    /// # Errors
    /// When a run is lost, or tried twice.
    pub async fn pass(&self) -> Result<Vec<RunId>, String> {
        let told = |e: String| format!("{e} (seed {})", self.seed);
        self.try_pass().await.map_err(told)
    }

    async fn try_pass(&self) -> Result<Vec<RunId>, String> {
        let client = Client::new(&self.url, Some(self.key.clone())).map_err(|e| e.to_string())?;
        let mut workers = tokio::task::JoinSet::new();
        for n in 0..self.workers {
            let seed = self.seed.wrapping_mul(31).wrapping_add(n as u64);
            workers.spawn(Sufferer::new(self.clone(), n, Rng::with_seed(seed)).live());
        }
        let mut runs = Vec::new();
        for _ in 0..self.runs {
            let config = AgentConfig { worker_host: Some(self.host.clone()), ..AgentConfig::default() };
            let prompt = Some("in bad weather".to_owned());
            let request = CreateRun { prompt, config: Some(config), ..CreateRun::default() };
            runs.push(client.send(&request).await.map_err(|e| e.to_string())?.run_id);
        }
        let done = finished(&client, &runs);
        tokio::select! {
            done = done => done?,
            Some(ended) = workers.join_next() => {
                return Err(format!("a worker ended: {ended:?}"));
            }
        }
        workers.shutdown().await;
        Ok(runs)
    }
}

/// Waits until all runs have succeeded.
async fn finished(client: &Client, runs: &[RunId]) -> Check {
    let deadline = Instant::now() + Duration::from_secs(120);
    for run_id in runs {
        loop {
            let run = client.send(&GetRun { run_id: *run_id }).await.map_err(|e| e.to_string())?;
            if run.state == RunState::Succeeded {
                // A claim that was lost together with its line does not count: the run was given back.
                let attempt = run.execution.map(|execution| execution.attempt);
                ensure!(attempt == Some(1), "{run_id} was tried again: attempt {attempt:?}");
                break;
            }
            ensure!(!run.state.is_terminal(), "{run_id} ended as {}: {:?}", run.state, run.status_message);
            ensure!(Instant::now() < deadline, "{run_id} stays {}: {:?}", run.state, run.status_message);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// A worker in bad weather.
struct Sufferer {
    weather: Weather,
    instance: String,
    rng: Rng,
    /// What it works on, and how many steps that takes yet.
    works: Vec<(Assigned, u32)>,
    /// What it has ended and will tell until that was read.
    ended: Vec<Assigned>,
    /// What it was assigned before: it runs nothing twice.
    known: Vec<Option<String>>,
    /// Frames that are late.
    late: VecDeque<Value>,
}

impl Sufferer {
    fn new(weather: Weather, n: usize, rng: Rng) -> Self {
        let instance = format!("{}-{n}", weather.host);
        let (works, ended, known, late) = (Vec::new(), Vec::new(), Vec::new(), VecDeque::new());
        Self { weather, instance, rng, works, ended, known, late }
    }

    async fn live(mut self) -> Check {
        loop {
            let (url, host, key) = (&self.weather.url, &self.weather.host, self.weather.key.as_str());
            let dialled = FakeWorker::dial(url, host, Some(key), Profile::Extended).await;
            let worker = dialled.map_err(|e| format!("refused: {} {}", e.status, e.body))?;
            // A line that breaks is the weather, and no failure.
            let _ = self.connected(worker).await;
        }
    }

    /// One connection, until the weather breaks it.
    async fn connected(&mut self, mut line: FakeWorker) -> Check {
        // What was late on another line is lost.
        self.late.clear();
        line.send(&self.status()).await?;
        for run in self.ended.clone() {
            line.complete(&run).await?;
        }
        loop {
            match line.frame(Duration::from_millis(5)).await {
                Ok(frame) if frame["type"] == "task_assignment" => self.assigned(&mut line, &frame).await?,
                Ok(_) => {}
                Err(e) if e == "nothing came" => {}
                Err(e) => return Err(e),
            }
            self.step(&mut line).await?;
            if self.rng.u32(..40) == 0 {
                return Ok(());
            }
        }
    }

    fn status(&self) -> Value {
        let all = self.works.iter().map(|(run, _)| run).chain(&self.ended);
        let active: Vec<String> = all.filter_map(|run| run.execution_id.clone()).collect();
        status(&self.instance, Some(4), &active)
    }

    async fn assigned(&mut self, line: &mut FakeWorker, frame: &Value) -> Check {
        let run = Assigned::read(&frame["data"])?;
        if self.known.contains(&run.execution_id) {
            return Ok(());
        }
        if self.works.len() >= 2 {
            return line.reject(&run).await;
        }
        self.known.push(run.execution_id.clone());
        let claim = line.about("task_claimed", &run, &serde_json::json!({ "worker_id": self.weather.host }));
        self.works.push((run, self.rng.u32(1..20)));
        self.tell(line, claim).await
    }

    /// Works a little, and says what is due.
    async fn step(&mut self, line: &mut FakeWorker) -> Check {
        if self.rng.u32(..4) == 0
            && let Some(late) = self.late.pop_front()
        {
            line.send(&late).await?;
        }
        for (_, left) in &mut self.works {
            *left = left.saturating_sub(1);
        }
        while let Some(at) = self.works.iter().position(|(_, left)| *left == 0) {
            let (run, _) = self.works.swap_remove(at);
            let end = line.about("task_completed", &run, &serde_json::json!({ "message": "done" }));
            self.ended.push(run);
            self.tell(line, end).await?;
        }
        if self.rng.u32(..10) == 0 {
            line.send(&self.status()).await?;
        }
        if self.rng.u32(..10) == 0 && !self.ended.is_empty() {
            // Its answer proves that what was sent before was read; what was lost on the way was not.
            for run in self.ended.clone() {
                line.complete(&run).await?;
            }
            line.send_raw(Message::Ping("read".into())).await?;
            let mut read = false;
            while !read {
                match line.message(super::SOON).await? {
                    Message::Pong(_) => read = true,
                    Message::Text(text) => {
                        let frame: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                        if frame["type"] == "task_assignment" {
                            Box::pin(self.assigned(line, &frame)).await?;
                        }
                    }
                    _ => {}
                }
            }
            self.ended.clear();
        }
        Ok(())
    }

    /// Says something, as the weather has it: now, twice, later or never.
    async fn tell(&mut self, line: &mut FakeWorker, frame: Value) -> Check {
        match self.rng.u32(..10) {
            0 | 1 => Ok(()),
            2 | 3 => {
                self.late.push_back(frame);
                Ok(())
            }
            4 => {
                line.send(&frame).await?;
                self.late.push_back(frame.clone());
                line.send(&frame).await
            }
            _ => line.send(&frame).await,
        }
    }
}
