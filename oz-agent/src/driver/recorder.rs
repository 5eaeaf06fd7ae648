//! Sends a run's transcript to the control plane while the agent works: in batches, in order, each entry at least once
//! and numbered so that twice is the same as once. It waits out an outage for as long as the agent works, in bounded
//! memory, and learns from the answers when the agent must stop.

use super::{
    admission::within,
    verdict::{self, Verdict},
};
use oz_client::Client;
use oz_core::{
    Open, Timestamp,
    api::{AppendTranscript, CreateArtifact, Endpoint, NewEntry, ReportArtifact},
    artifact::{Artifact, ArtifactType},
    harness::HarnessEvent,
};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// How many events wait while the control plane is away; then the agent waits too.
const BUFFER: usize = 1024;
/// How many entries go into one call.
const BATCH: usize = 64;
/// How long an entry waits for others to go with it.
const GATHER: Duration = Duration::from_millis(50);

/// The tool whose results are plans.
const WRITE_PLAN: &str = "write_plan";

/// The way to a run's transcript.
pub(super) struct Recorder {
    events: mpsc::Sender<(Timestamp, HarnessEvent)>,
    sending: JoinHandle<()>,
    superseded: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Recorder {
    /// Starts to send. When the control plane wants the agent to stop, `stop` is cancelled.
    pub(super) fn start(client: Client, heartbeat: Duration, stop: CancellationToken) -> Self {
        let (events, received) = mpsc::channel(BUFFER);
        let superseded = Arc::new(AtomicBool::new(false));
        let sender = Sender { client, heartbeat, received, number: 0, last_word: Instant::now(), plan: None };
        let sending = tokio::spawn({
            let (superseded, stop) = (Arc::clone(&superseded), stop.clone());
            async move {
                if sender.run().await.is_err() {
                    superseded.store(true, Ordering::Release);
                    stop.cancel();
                }
            }
        });
        Self { events, sending, superseded, stop }
    }

    /// Records an event. Waits while the buffer is full, unless the agent is to stop: then it may be left out.
    pub(super) async fn record(&self, event: HarnessEvent) {
        let entry = (Timestamp::now(), event);
        if self.stop.is_cancelled() {
            let _ = self.events.try_send(entry);
        } else {
            self.stop.run_until_cancelled(self.events.send(entry)).await;
        }
    }

    /// Whether the control plane has told the agent to stop.
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    /// Sends what is left, for as long as `within` allows. Answers whether the agent still has a say in the run.
    pub(super) async fn close(self, within: Duration) -> bool {
        let Self { events, mut sending, superseded, .. } = self;
        drop(events);
        if tokio::time::timeout(within, &mut sending).await.is_err() {
            tracing::warn!("the end of the transcript could not be sent");
            sending.abort();
        }
        !superseded.load(Ordering::Acquire)
    }
}

/// The agent must stop.
struct Superseded;

struct Sender {
    client: Client,
    heartbeat: Duration,
    received: mpsc::Receiver<(Timestamp, HarnessEvent)>,
    number: i64,
    last_word: Instant,
    /// What the plan says whose artifact is told of next.
    plan: Option<String>,
}

impl Sender {
    /// Sends until there is nothing left to come.
    async fn run(mut self) -> Result<(), Superseded> {
        let mut batch = Vec::new();
        let mut gathered = Instant::now();
        loop {
            let due = if batch.is_empty() { self.last_word + self.heartbeat } else { gathered };
            let (artifact, over) = tokio::select! {
                event = self.received.recv() => match event {
                    Some((occurred_at, event)) => {
                        if batch.is_empty() {
                            gathered = Instant::now() + GATHER;
                        }
                        let artifact = match &event {
                            HarnessEvent::Artifact { artifact } => Some(artifact.clone()),
                            HarnessEvent::ActionResult { name, output, .. } if name == WRITE_PLAN => {
                                self.plan = output.get("text").and_then(Value::as_str).map(str::to_owned);
                                None
                            }
                            _ => None,
                        };
                        self.number += 1;
                        batch.push(NewEntry { number: self.number, occurred_at, event: Open::Known(event) });
                        if artifact.is_none() && batch.len() < BATCH {
                            continue;
                        }
                        (artifact, false)
                    }
                    None => (None, true),
                },
                () = sleep_until(due) => (None, false),
            };
            if !over || !batch.is_empty() {
                self.append(std::mem::take(&mut batch)).await?;
            }
            if let Some(artifact) = artifact {
                self.report(artifact).await?;
            }
            if over {
                return Ok(());
            }
        }
    }

    /// Appends entries; none at all just tell that the agent lives.
    async fn append(&mut self, entries: Vec<NewEntry>) -> Result<(), Superseded> {
        match self.deliver(&AppendTranscript { entries, received_followups: Vec::new() }).await? {
            Some(status) if status.state.is_terminal() => Err(Superseded),
            _ => Ok(()),
        }
    }

    /// Reports an artifact. A plan is one with its text; every version of it stays.
    async fn report(&mut self, artifact: Open<Artifact>) -> Result<(), Superseded> {
        if let Open::Known(Artifact::Plan { title, .. }) = artifact {
            let made = CreateArtifact {
                artifact_type: ArtifactType::Plan,
                title,
                content: self.plan.take(),
                run_id: None,
                conversation_id: None,
                filepath: None,
                description: None,
                mime_type: None,
            };
            return self.deliver(&made).await.map(|_| ());
        }
        self.deliver(&ReportArtifact { artifact }).await.map(|_| ())
    }

    /// Calls until the call is made, is refused for good, or the agent must stop.
    async fn deliver<E: Endpoint>(&mut self, request: &E) -> Result<Option<E::Response>, Superseded> {
        let mut attempt = 1;
        loop {
            let answer = within(&self.client, request).await;
            self.last_word = Instant::now();
            let error = match answer {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            match verdict::judge(&error) {
                Verdict::Stop => {
                    tracing::info!(%error, "the control plane wants this agent to stop");
                    return Err(Superseded);
                }
                Verdict::Drop => {
                    tracing::error!(%error, call = E::INFO.id, "the control plane refuses a report");
                    return Ok(None);
                }
                Verdict::Again => {
                    tracing::info!(%error, attempt, "the control plane is away; trying again");
                    tokio::time::sleep(verdict::wait(attempt, oz_client::retry::jitter())).await;
                }
            }
            attempt += 1;
        }
    }
}
