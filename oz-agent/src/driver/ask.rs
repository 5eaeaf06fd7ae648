//! What an agent needs of a human: raised at the control plane, which is asked for the answer until it is there.

use super::admission::{persistently, within};
use oz_client::Client;
use oz_core::{
    api::{GetOwnRequest, RaiseRequest},
    request::{Answer, Decision, Request},
};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

/// How often the control plane is asked for an answer. Each time is a sign of life, too.
const OFTEN: Duration = Duration::from_secs(1);

/// What came of a request.
pub(super) enum Reply {
    /// A human answered.
    Answered(Answer),
    /// Nobody answered for as long as the agent waits.
    Silence,
}

/// The open requests of an agent.
pub(super) struct Questions {
    replies: mpsc::UnboundedReceiver<(Uuid, Reply)>,
    reply: mpsc::UnboundedSender<(Uuid, Reply)>,
    asking: JoinSet<()>,
    open: Vec<Request>,
}

impl Questions {
    pub(super) fn new() -> Self {
        let (reply, replies) = mpsc::unbounded_channel();
        Self { replies, reply, asking: JoinSet::new(), open: Vec::new() }
    }

    /// Asks by way of the control plane; waits at most `idle`.
    pub(super) fn ask(&mut self, client: &Client, request: &Request, patience: Duration, idle: Duration) {
        let (client, request, reply) = (client.clone(), request.clone(), self.reply.clone());
        self.open.push(request.clone());
        self.asking.spawn(async move {
            let request_id = request.request_id;
            let said = ask(&client, request, patience, idle).await;
            let _ = reply.send((request_id, said));
        });
    }

    /// Waits for the person at this machine, who was shown the request.
    pub(super) fn show(&mut self, request: &Request) {
        if !self.open.contains(request) {
            self.open.push(request.clone());
        }
    }

    /// Answers at once.
    pub(super) fn refuse(&mut self, request: &Request, why: &str) {
        self.open.push(request.clone());
        let answer = Answer { decision: Decision::Deny, text: Some(why.to_owned()) };
        let _ = self.reply.send((request.request_id, Reply::Answered(answer)));
    }

    /// The next reply to a request that is open.
    pub(super) async fn next(&mut self) -> (Request, Reply) {
        loop {
            match self.replies.recv().await {
                Some((id, reply)) => {
                    if let Some(request) = self.take(id) {
                        return (request, reply);
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Takes out a request that is answered.
    pub(super) fn take(&mut self, request_id: Uuid) -> Option<Request> {
        let at = self.open.iter().position(|request| request.request_id == request_id)?;
        Some(self.open.remove(at))
    }

    /// Whether the agent waits for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

async fn ask(client: &Client, request: Request, patience: Duration, idle: Duration) -> Reply {
    let request_id = request.request_id;
    if let Err(error) = persistently(client, &RaiseRequest { request }, patience).await {
        let text = format!("nobody could be asked: {error}");
        return Reply::Answered(Answer { decision: Decision::Deny, text: Some(text) });
    }
    let until = Instant::now() + idle;
    while Instant::now() < until {
        match within(client, &GetOwnRequest { request_id }).await {
            Ok(found) => {
                if let Some(answer) = found.answer {
                    return Reply::Answered(answer);
                }
            }
            // Whether the agent must stop is the recorder's to learn; an outage only makes it wait.
            Err(error) => tracing::info!(%error, "no answer could be asked for"),
        }
        sleep(OFTEN.min(until.saturating_duration_since(Instant::now()))).await;
    }
    Reply::Silence
}
