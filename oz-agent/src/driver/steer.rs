//! What others tell an agent while it works: follow-ups from the control plane, and what the person says who started it.

use super::{
    admission::{persistently, within},
    verdict::{self, Verdict},
};
use oz_client::Client;
use oz_core::{
    api::{AppendTranscript, Followup, GetRunStatus},
    request::Answer,
};
use std::{collections::BTreeSet, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// How long the control plane may take to have news, in seconds.
const WAIT: i64 = 10;
/// The same when it said nothing worth waiting for.
const PAUSE: Duration = Duration::from_secs(1);

/// What the person at this machine says to the agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Steer {
    /// More to do; `interrupt` ends the step that the agent is at.
    Message {
        /// What.
        text: String,
        /// Whether at once.
        interrupt: bool,
    },
    /// The answer to a request.
    Answer {
        /// Which.
        request_id: Uuid,
        /// The answer.
        answer: Answer,
    },
    /// The agent is to leave what it is at, and to do nothing until it is told more.
    Pause,
    /// There is nothing more to say: an agent that has done what it was asked ends.
    End,
}

/// The follow-ups of a run.
pub(super) struct Followups {
    received: mpsc::UnboundedReceiver<Followup>,
    /// Given to the agent, which has not read them yet.
    given: Vec<Followup>,
    /// What the control plane is told of those that were read.
    telling: JoinSet<()>,
    to: Option<(Client, Duration)>,
    _listening: Option<AbortOnDropHandle<()>>,
}

impl Followups {
    /// Listens to the control plane, where there is one.
    pub(super) fn new(to: Option<(Client, Duration)>) -> Self {
        let (news, received) = mpsc::unbounded_channel();
        let listening =
            to.as_ref().map(|(client, _)| AbortOnDropHandle::new(tokio::spawn(listen(client.clone(), news))));
        Self { received, given: Vec::new(), telling: JoinSet::new(), to, _listening: listening }
    }

    /// The next one; waits for ever where nobody can say anything.
    pub(super) async fn next(&mut self) -> Followup {
        match self.received.recv().await {
            Some(followup) => followup,
            None => std::future::pending().await,
        }
    }

    /// The harness took it.
    pub(super) fn given(&mut self, followup: Followup) {
        self.given.push(followup);
    }

    /// The agent has read `text`. What it was given with these words is acknowledged then, and not before: an agent that
    /// ends without having read it leaves it for the next.
    pub(super) fn read(&mut self, text: &str) {
        let Some(at) = self.given.iter().position(|followup| followup.message == text) else { return };
        let received_followups = vec![self.given.remove(at).followup_id];
        let Some((client, patience)) = self.to.clone() else { return };
        self.telling.spawn(async move {
            let told = AppendTranscript { entries: Vec::new(), received_followups };
            if let Err(error) = persistently(&client, &told, patience).await {
                tracing::warn!(%error, "a follow-up could not be acknowledged; it may be given again");
            }
        });
    }

    /// Waits until the control plane knows what was read.
    pub(super) async fn settle(&mut self, within: Duration) {
        let all = async { while self.telling.join_next().await.is_some() {} };
        let _ = timeout(within, all).await;
    }
}

/// Asks for news until nobody wants them any more. Whether the agent must stop is the recorder's to learn.
async fn listen(client: Client, news: mpsc::UnboundedSender<Followup>) {
    let mut known = BTreeSet::new();
    let mut attempt = 1;
    while !news.is_closed() {
        let list: Vec<&str> = known.iter().map(String::as_str).collect();
        let question = GetRunStatus { wait_seconds: Some(WAIT), known: Some(list.join(",")) };
        let asked = tokio::time::Instant::now();
        match within(&client, &question).await {
            Ok(status) => {
                attempt = 1;
                let before = known.len();
                for followup in status.followups {
                    if known.insert(followup.followup_id.clone()) && news.send(followup).is_err() {
                        return;
                    }
                }
                if known.len() == before && asked.elapsed() < PAUSE {
                    sleep(PAUSE).await;
                }
            }
            Err(error) if verdict::judge(&error) == Verdict::Again => {
                sleep(verdict::wait(attempt, oz_client::retry::jitter())).await;
                attempt += 1;
            }
            // An older control plane has no such question.
            Err(_) => return,
        }
    }
}
