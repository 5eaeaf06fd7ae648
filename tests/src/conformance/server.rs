//! What a control plane must do for workers. Each case has a host of its own, so that they can go on side by side and on a
//! control plane that does other work.

mod cases;
mod extended;
mod lines;

use super::{
    Check, SOON, Verdict,
    fake_worker::{Assigned, FakeWorker, Profile, status},
};
use futures_util::{StreamExt as _, stream};
use oz_client::Client;
use oz_core::{
    Run, RunId, RunState,
    api::{CreateRun, GetRun},
    config::AgentConfig,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many cases go on side by side.
const AT_A_TIME: usize = 8;

/// A control plane to be held against the protocol.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its address, over HTTP.
    pub url: String,
    /// The key of an admin or an agent.
    pub key: String,
    /// How long after the last sign of life a run is given to another worker.
    pub lease: Duration,
}

/// A host of one case.
#[derive(Clone)]
struct Host<'a> {
    subject: &'a Subject,
    id: String,
    profile: Profile,
}

impl Subject {
    /// Runs every case; answers in their order.
    ///
    /// # Errors
    /// When there is no client for the address.
    pub async fn run(&self) -> Result<Vec<Verdict>, String> {
        self.client()?;
        let both = [(Profile::Published, cases::all()), (Profile::Extended, cases::all())];
        let all = both.into_iter().chain([(Profile::Extended, extended::all())]);
        let all = all.flat_map(|(profile, cases)| cases.into_iter().map(move |case| (profile, case)));
        let verdicts = stream::iter(all).map(|(profile, (case, check))| async move {
            let host = self.host(profile);
            let check = check(&host).await.map_err(|e| format!("{profile:?}, {}: {e}", host.id));
            Verdict { case, check }
        });
        Ok(verdicts.buffered(AT_A_TIME).collect().await)
    }

    fn host(&self, profile: Profile) -> Host<'_> {
        Host { subject: self, id: format!("conformance-{}", Uuid::new_v4().simple()), profile }
    }

    fn client(&self) -> Result<Client, String> {
        Client::new(&self.url, Some(self.key.clone())).map_err(|e| e.to_string())
    }
}

impl Host<'_> {
    /// A worker of this host that is connected.
    async fn worker(&self) -> Result<FakeWorker, String> {
        self.worker_as(&Uuid::new_v4().to_string(), None, &[]).await
    }

    /// The same, as a process that says of itself what the extended profile says.
    async fn worker_as(
        &self,
        instance: &str,
        slots: Option<u32>,
        active: &[String],
    ) -> Result<FakeWorker, String> {
        let key = Some(self.subject.key.as_str());
        let dialled = FakeWorker::dial(&self.subject.url, &self.id, key, self.profile).await;
        let mut worker = dialled.map_err(|e| format!("it refuses a worker: {} {}", e.status, e.body))?;
        if self.profile == Profile::Extended {
            worker.send(&status(instance, slots, active)).await?;
        }
        Ok(worker)
    }

    /// Makes a run for this host.
    async fn create(&self) -> Result<RunId, String> {
        self.create_with(AgentConfig::default()).await
    }

    async fn create_with(&self, config: AgentConfig) -> Result<RunId, String> {
        let config = AgentConfig { worker_host: Some(self.id.clone()), ..config };
        let request = CreateRun {
            prompt: Some("a case of the conformance suite".to_owned()),
            config: Some(config),
            ..CreateRun::default()
        };
        Ok(self.subject.client()?.send(&request).await.map_err(|e| format!("no run: {e}"))?.run_id)
    }

    /// A run for this host that a worker of it has claimed.
    async fn claimed(&self, worker: &mut FakeWorker) -> Result<(RunId, Assigned), String> {
        let run_id = self.create().await?;
        let assigned = worker.assignment().await?;
        if assigned.task_id != run_id.to_string() {
            return Err(format!("it assigns {} in place of {run_id}", assigned.task_id));
        }
        worker.claim(&assigned).await?;
        self.until(run_id, |run| run.state == RunState::Claimed).await?;
        Ok((run_id, assigned))
    }

    async fn run(&self, run_id: RunId) -> Result<Run, String> {
        self.subject.client()?.send(&GetRun { run_id }).await.map_err(|e| e.to_string())
    }

    async fn cancel(&self, run_id: RunId) -> Check {
        self.subject
            .client()?
            .runs()
            .cancel(run_id)
            .await
            .map(|_| ())
            .map_err(|e| format!("no cancellation: {e}"))
    }

    /// Waits until a run is as `wanted`.
    async fn until(&self, run_id: RunId, wanted: impl Fn(&Run) -> bool) -> Result<Run, String> {
        let deadline = Instant::now() + SOON;
        loop {
            let run = self.run(run_id).await?;
            if wanted(&run) {
                return Ok(run);
            }
            if Instant::now() > deadline {
                return Err(format!("the run stays {}: {:?}", run.state, run.status_message));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a run is in a state, and checks that it stays there.
    async fn settles(&self, run_id: RunId, state: RunState) -> Result<Run, String> {
        self.until(run_id, |run| run.state == state).await?;
        tokio::time::sleep(super::QUIET).await;
        self.until(run_id, |run| run.state == state).await
    }
}
