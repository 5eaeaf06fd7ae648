//! Asking a human and waiting for the answer, which takes no turn of the model. A question whose step ends before is
//! withdrawn, and that is told, too.

use oz_core::{
    Error,
    harness::HarnessEvent,
    request::{Answer, Decision, Request},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// What waits for an answer.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<Uuid, oneshot::Sender<Answer>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, oneshot::Sender<Answer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the answer to who waits for it.
    pub(crate) fn answer(&self, request_id: Uuid, answer: Answer) -> Result<(), Error> {
        let gone = || Error::conflict(format!("no request '{request_id}' waits for an answer"));
        self.lock().remove(&request_id).ok_or_else(gone)?.send(answer).map_err(|_| gone())
    }
}

/// The way to a human.
#[derive(Debug)]
pub(crate) struct Human {
    waiting: Arc<Waiting>,
    events: mpsc::Sender<HarnessEvent>,
    withdrawn: Mutex<Vec<Uuid>>,
}

impl Human {
    pub(crate) fn new(waiting: Arc<Waiting>, events: mpsc::Sender<HarnessEvent>) -> Self {
        Self { waiting, events, withdrawn: Mutex::default() }
    }

    /// Asks and waits, for as long as the future lives.
    pub(crate) async fn request(&self, request: Request) -> Answer {
        let request_id = request.request_id;
        let (put, answered) = oneshot::channel();
        self.waiting.lock().insert(request_id, put);
        let mut question = Question { human: self, request_id, settled: false };
        let _ = self.events.send(HarnessEvent::Request { request }).await;
        let answer = answered.await.unwrap_or_else(|_| deny("nobody answers any more"));
        question.settled = true;
        let _ = self.events.send(HarnessEvent::Answered { request_id, answer: answer.clone() }).await;
        answer
    }

    /// Tells of the questions whose answers nobody needs any more.
    pub(crate) async fn withdraw(&self) {
        let ids = std::mem::take(&mut *self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner));
        for request_id in ids {
            let answer = deny("the step that asked was ended before somebody answered");
            let _ = self.events.send(HarnessEvent::Answered { request_id, answer }).await;
        }
    }
}

/// A question that is open.
struct Question<'a> {
    human: &'a Human,
    request_id: Uuid,
    settled: bool,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.human.waiting.lock().remove(&self.request_id);
            self.human.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).push(self.request_id);
        }
    }
}

/// A denial that says why.
pub(crate) fn deny(text: &str) -> Answer {
    Answer { decision: Decision::Deny, text: Some(text.to_owned()) }
}
