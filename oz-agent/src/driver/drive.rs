//! An agent at work: its events go out, what others tell it comes in, and it is stopped when it must.

use super::{
    ask::{Questions, Reply},
    end::End,
    resume,
    session::Session,
    steer::{Followups, Steer},
    talk::Talk,
};
use futures_util::{StreamExt as _, stream::BoxStream};
use oz_core::{
    Error, ErrorCode,
    api::{Followup, UpdateRun},
    harness::{AgentState, Harness, HarnessEvent, HarnessTask, Outcome},
    request::{Answer, Decision, Request},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

/// How long a cancelled agent may take to end by itself.
const GRACE: Duration = Duration::from_millis(200);
/// How often the conversation is saved while the agent works.
const SAVE: Duration = Duration::from_secs(60);
/// The step under which the transcript tells of refused connections.
const EGRESS: &str = "egress";
/// What an agent is told that asks where nobody is.
const NOBODY: &str = "nobody can be asked here; go on without it, or end and say what you need";

/// How long an agent waits, for whom.
pub(super) struct Manners {
    /// For a control plane that is away.
    pub(super) patience: Duration,
    /// For an answer.
    pub(super) idle: Duration,
    /// What the person at this machine says; absent where nobody is.
    pub(super) steer: Option<mpsc::UnboundedReceiver<Steer>>,
    /// What its processes were refused; absent where they may reach everything.
    pub(super) refusals: Option<mpsc::UnboundedReceiver<String>>,
}

/// Makes harnesses of the kind that a run has.
pub(super) type Make<'a> = &'a (dyn Fn() -> Arc<dyn Harness> + Send + Sync);

/// What happened next.
enum Next {
    Event(Option<HarnessEvent>),
    Stop,
    TooLate,
    Followup(Followup),
    Replied(Request, Reply),
    Said(Steer),
    Refused(String),
    Save,
}

/// An agent that works.
struct Work<'w> {
    harness: &'w Arc<dyn Harness>,
    events: BoxStream<'static, HarnessEvent>,
    followups: Followups,
    questions: Questions,
    manners: &'w mut Manners,
    saving: Option<JoinHandle<()>>,
    talk: &'w mut Talk,
}

impl Session<'_> {
    /// Lets a harness work until it ends, or is to end; and another one on the same conversation, as long as the person at
    /// this machine has more to say.
    pub(super) async fn drive(&mut self, make: Make<'_>, mut task: HarnessTask, mut manners: Manners) -> End {
        let mut talk = Talk::new(&task, manners.steer.is_some());
        loop {
            let harness = make();
            let end = self.drive_one(&harness, task.clone(), &mut manners, &mut talk).await;
            match self.more(&end, &mut manners, &mut talk).await {
                Some(text) => {
                    self.event(HarnessEvent::Prompt { text: text.clone() }).await;
                    talk.go_on(&mut task, harness.save().await, text, &self.usage);
                }
                None => return end,
            }
        }
    }

    async fn drive_one(
        &mut self,
        harness: &Arc<dyn Harness>,
        task: HarnessTask,
        manners: &mut Manners,
        talk: &mut Talk,
    ) -> End {
        let events = match Arc::clone(harness).start(task).await {
            Ok(events) => events,
            Err(e) => return End::Failed(e),
        };
        let to = self.record.as_ref().map(|(_, client, _)| (client.clone(), manners.patience));
        let followups = Followups::new(to.filter(|_| self.assigned));
        let questions = Questions::new();
        let mut work = Work { harness, events, followups, questions, manners, saving: None, talk };
        let end = self.work(&mut work).await;
        if !self.stop.is_cancelled() {
            work.followups.settle(work.manners.patience).await;
            // Who has left is saved as it was when it asked.
            if !matches!(end, End::Left(_)) {
                self.save(&mut work).await;
            }
        }
        end
    }

    async fn work(&mut self, work: &mut Work<'_>) -> End {
        let stop = self.stop.clone();
        let mut deadline = None;
        let mut saves = interval_at(Instant::now() + SAVE, SAVE);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                () = stop.cancelled(), if deadline.is_none() => Next::Stop,
                text = heard(&mut work.manners.refusals) => Next::Refused(text),
                event = work.events.next() => Next::Event(event),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Next::TooLate,
                (request, reply) = work.questions.next() => Next::Replied(request, reply),
                followup = work.followups.next() => Next::Followup(followup),
                steer = heard(&mut work.manners.steer) => Next::Said(steer),
                _ = saves.tick() => Next::Save,
            };
            match next {
                Next::Stop => {
                    work.harness.cancel().await;
                    deadline = Some(Instant::now() + GRACE);
                }
                Next::TooLate => return End::Cancelled,
                Next::Event(None) => {
                    let text = "the harness ended without saying how";
                    return End::Failed(Error::new(ErrorCode::InternalError, text));
                }
                Next::Event(Some(event)) => {
                    if let Some(outcome) = self.happened(event, work).await {
                        return End::Agent(outcome);
                    }
                }
                Next::Followup(followup) => self.follow_up(followup, work).await,
                Next::Replied(request, Reply::Answered(answer)) => {
                    self.answered(&request, answer, work).await;
                }
                // Another agent can go on with a run of a worker; nobody could with one of this machine.
                Next::Replied(request, Reply::Silence) if self.assigned => {
                    self.save(work).await;
                    work.harness.cancel().await;
                    return End::Left(request.title);
                }
                Next::Replied(request, Reply::Silence) => {
                    let text = "nobody answered in time; go on without it, or end and say what you need";
                    let answer = Answer { decision: Decision::Deny, text: Some(text.to_owned()) };
                    self.answered(&request, answer, work).await;
                    self.unblock(work).await;
                }
                Next::Refused(text) => self.tell_stage(EGRESS, false, Duration::ZERO, text).await,
                Next::Said(steer) => self.said(steer, work).await,
                Next::Save => self.start_saving(work),
            }
        }
    }

    /// Hands on an event. Answers with how the agent ended, when it has.
    async fn happened(&mut self, event: HarnessEvent, work: &mut Work<'_>) -> Option<Outcome> {
        match &event {
            HarnessEvent::Prompt { text } => {
                work.followups.read(text);
            }
            HarnessEvent::Usage { .. } => work.talk.calls += 1,
            HarnessEvent::State { state: AgentState::Resting, .. } => {
                self.event(event).await;
                self.start_saving(work);
                self.listens();
                return None;
            }
            // What the agent asked is settled, also when it needs no answer any more.
            HarnessEvent::Answered { request_id, .. } if work.questions.take(*request_id).is_some() => {
                self.event(event).await;
                self.unblock(work).await;
                return None;
            }
            HarnessEvent::Request { request } => {
                let request = request.clone();
                self.event(event).await;
                self.ask(request, work);
                return None;
            }
            _ => {}
        }
        let end = match &event {
            HarnessEvent::State { state, message, code } if state.is_final() => {
                Some(Outcome { state: state.clone(), message: message.clone(), code: code.clone() })
            }
            _ => None,
        };
        self.event(event).await;
        end
    }

    fn ask(&mut self, request: Request, work: &mut Work<'_>) {
        let manners = &work.manners;
        match &self.record {
            Some((_, client, _)) => {
                let HarnessEvent::Request { request } =
                    self.redactor.event(HarnessEvent::Request { request })
                else {
                    return;
                };
                // Who sits before it takes the time that it takes.
                let idle = if manners.steer.is_some() { Duration::from_secs(86_400) } else { manners.idle };
                work.questions.ask(client, &request, manners.patience, idle);
                self.start_saving(work);
            }
            None if manners.steer.is_some() => work.questions.show(&request),
            None => work.questions.refuse(&request, NOBODY),
        }
    }

    /// Hands an answer to the agent, which tells when it has got it.
    async fn answered(&self, request: &Request, answer: Answer, work: &Work<'_>) {
        if let Err(error) = work.harness.answer(request.request_id, answer).await {
            tracing::warn!(%error, "the agent did not take an answer");
        }
    }

    /// Tells the control plane that the agent goes on by itself.
    async fn unblock(&mut self, work: &Work<'_>) {
        if let Some((_, client, _)) = &self.record
            && work.questions.is_empty()
        {
            let _ = super::admission::patiently(client, &UpdateRun::started(), Duration::ZERO).await;
        }
    }

    async fn follow_up(&mut self, followup: Followup, work: &mut Work<'_>) {
        match work.harness.send(followup.message.clone()).await {
            Ok(()) => {
                let interrupt = followup.interrupt;
                work.followups.given(followup);
                if interrupt {
                    interrupted(work.harness).await;
                }
            }
            Err(error) => tracing::info!(%error, "a follow-up waits for the next execution"),
        }
    }

    /// What the person at this machine says.
    async fn said(&mut self, steer: Steer, work: &mut Work<'_>) {
        match steer {
            Steer::Answer { request_id, answer } => {
                if let Some(request) = work.questions.take(request_id) {
                    self.answered(&request, answer, work).await;
                    self.unblock(work).await;
                }
            }
            Steer::Message { text, interrupt } => {
                work.talk.paused = false;
                match work.harness.send(text.clone()).await {
                    Ok(()) if interrupt => interrupted(work.harness).await,
                    Ok(()) => {}
                    Err(error) => {
                        tracing::info!(%error, "a message waits for the end of what the agent is at");
                        work.talk.unread.push(text);
                    }
                }
            }
            Steer::Pause => self.pause(work).await,
            Steer::End => {
                work.talk.over = true;
                if work.talk.paused { work.harness.cancel().await } else { work.harness.dismiss().await }
            }
        }
    }

    /// Ends the step that the agent is at. One that can't stop there is ended as a whole, and another takes up its
    /// conversation.
    async fn pause(&mut self, work: &mut Work<'_>) {
        work.talk.paused = true;
        match work.harness.pause().await {
            Ok(()) => self.listens(),
            Err(error) => {
                tracing::info!(%error, "the agent is ended; another goes on");
                work.harness.cancel().await;
            }
        }
    }

    /// Saves the conversation beside the work, unless that is under way.
    fn start_saving(&self, work: &mut Work<'_>) {
        let Some((_, client, _)) = &self.record else { return };
        if work.saving.as_ref().is_none_or(JoinHandle::is_finished) {
            let (client, redactor) = (client.clone(), self.redactor.clone());
            let saving = resume::save(client, Arc::clone(work.harness), redactor, work.manners.patience);
            work.saving = Some(tokio::spawn(saving));
        }
    }

    /// Saves the conversation as it stands now.
    async fn save(&self, work: &mut Work<'_>) {
        let patience = work.manners.patience;
        let all = async {
            if let Some(saving) = work.saving.take() {
                let _ = saving.await;
            }
            self.start_saving(work);
            if let Some(saving) = work.saving.take() {
                let _ = saving.await;
            }
        };
        let _ = self.stop.run_until_cancelled(timeout(patience, all)).await;
    }
}

async fn interrupted(harness: &Arc<dyn Harness>) {
    if let Err(error) = harness.interrupt().await {
        tracing::info!(%error, "the agent finishes its step first");
    }
}

/// What comes next; waits for ever where nobody is to say it.
pub(super) async fn heard<T>(from: &mut Option<mpsc::UnboundedReceiver<T>>) -> T {
    if let Some(receiver) = from {
        if let Some(said) = receiver.recv().await {
            return said;
        }
        *from = None;
    }
    std::future::pending().await
}
