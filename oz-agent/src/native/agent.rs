//! The loop: ask the model, do what it calls for, until it is done, a limit is reached or somebody stops it.

use super::{
    ask::Answer,
    context::Gauge,
    guard::{Guard, Worth},
    inbox::Inbox,
    journal::Journal,
    notes::Notes,
    steps::Steps,
};
use crate::{
    budget::Budget,
    gate::Gate,
    human::Human,
    memory::Memory,
    model::{Chain, Prices},
    rule::RuleBook,
    tool::{Desk, Toolbox},
};
use oz_core::{
    ErrorCode,
    harness::{AgentState, HarnessEvent},
    model::{ChatMessage, ModelRequest, StopReason},
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CUT: &str = "Your answer was cut because it was too long. Go on where it broke off, in smaller steps.";
const EMPTY: &str = "Your answer was empty. Go on with the task, or call finish.";
const INTERRUPTED: &str = "[The user interrupted you here.]";

/// What an agent shares with its helpers.
pub(super) struct Common {
    pub(super) gate: Gate,
    pub(super) memory: Memory,
    pub(super) prices: Prices,
    pub(super) budget: Budget,
    pub(super) human: Human,
    pub(super) cancel: CancellationToken,
    /// How many tokens a conversation may have, where that is configured.
    pub(super) window: Option<u64>,
}

/// An agent at work.
pub(super) struct Agent {
    pub(super) system: String,
    /// The conversation to begin with; its last message is the user's.
    pub(super) opening: Vec<ChatMessage>,
    pub(super) reasoning_level: Option<String>,
    pub(super) models: Chain,
    /// The place in the chain of the model for which the conversation is shaped.
    pub(super) spoke: usize,
    pub(super) gauge: Gauge,
    pub(super) tools: Toolbox,
    pub(super) desk: Desk,
    pub(super) rules: RuleBook,
    pub(super) common: Arc<Common>,
    pub(super) notes: Arc<Notes>,
    pub(super) journal: Arc<Journal>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) steps: Arc<Steps>,
    /// See [`HarnessTask::talks`](oz_core::harness::HarnessTask::talks).
    pub(super) talks: bool,
    pub(super) events: mpsc::Sender<HarnessEvent>,
}

/// How the work ended.
pub(super) enum End {
    /// The task is done.
    Done(String),
    /// The agent says that it can't be done.
    GaveUp(String),
    /// Something else ended it.
    Failed(ErrorCode, String),
    /// Somebody wanted it to end.
    Cancelled,
}

impl Agent {
    /// Works from the prompt to the end and reports everything on the way.
    pub(super) async fn work(mut self) {
        self.say(HarnessEvent::State { state: AgentState::Started, message: None, code: None }).await;
        let end = self.turns().await.unwrap_or_else(|end| end);
        self.end(end).await;
    }

    /// Leaves nothing behind and tells how it ended.
    pub(super) async fn end(self, end: End) {
        self.inbox.shut();
        if matches!(end, End::Cancelled)
            && let Some(tasks) = self.notes.cancel_tasks()
        {
            self.say(HarnessEvent::Tasks { tasks }).await;
        }
        let Self { desk, events, .. } = self;
        // What commands left in the background ends before the end is told.
        drop(desk);
        let (state, message, code) = match end {
            End::Done(summary) => (AgentState::Succeeded, some(summary), None),
            End::GaveUp(summary) => (AgentState::Failed, some(summary), None),
            End::Failed(code, message) => (AgentState::Failed, Some(message), Some(code)),
            End::Cancelled => (AgentState::Cancelled, None, None),
        };
        let _ = events.send(HarnessEvent::State { state, message, code }).await;
    }

    async fn turns(&mut self) -> Result<End, End> {
        // The model that is asked fills in its name and how much it may say.
        let mut request = ModelRequest {
            model: String::new(),
            system: std::mem::take(&mut self.system),
            messages: std::mem::take(&mut self.opening),
            tools: self.tools.specs(),
            max_output_tokens: 0,
            reasoning_level: self.reasoning_level.take(),
        };
        let mut summary = String::new();
        let mut guard = Guard::default();
        loop {
            if let Some(reason) = self.common.budget.exceeded() {
                return Err(End::Failed(ErrorCode::BudgetExceeded, reason));
            }
            // Whoever interrupted it has the word first.
            let inbox = Arc::clone(&self.inbox);
            if !self.bounded(inbox.released()).await? {
                return Err(End::Cancelled);
            }
            self.common.budget.begin_turn();
            // Who sends something and then interrupts is read first.
            self.steps.begin();
            self.read_inbox(&mut request.messages).await;
            self.keep(&request.messages);
            if self.tools.follow() {
                request.tools = self.tools.specs();
            }
            self.make_room(&mut request).await?;
            let answer = self.ask(&mut request).await?;
            if !answer.text.trim().is_empty() {
                summary.clone_from(&answer.text);
            }
            let end = self.follow(answer, &summary, &mut request.messages, &mut guard).await?;
            self.keep(&request.messages);
            // Whoever still has something to say keeps the agent at work.
            if let Some(end) = end
                && !self.rested(&end).await?
                && self.inbox.close()
            {
                return Ok(end);
            }
        }
    }

    /// Does what follows from an answer, and adds both to the conversation. Answers how the work ended, if it did.
    async fn follow(
        &mut self,
        answer: Answer,
        summary: &str,
        messages: &mut Vec<ChatMessage>,
        guard: &mut Guard,
    ) -> Result<Option<End>, End> {
        let Answer { text, reasoning, calls, stop, interrupted, .. } = answer;
        let silent = text.trim().is_empty();
        if interrupted {
            if !silent {
                messages.push(ChatMessage::Assistant { text, reasoning, calls });
            }
            messages.push(ChatMessage::user(INTERRUPTED));
            return Ok(None);
        }
        // Nothing of what led to a refusal is done.
        if let StopReason::Refusal(explanation) = stop {
            let said = [explanation.unwrap_or_default(), text];
            return Err(End::Failed(ErrorCode::ContentPolicyViolation, refusal(&said)));
        }
        let cut = stop == StopReason::MaxTokens;
        if !calls.is_empty() {
            messages.push(ChatMessage::Assistant { text, reasoning, calls: calls.clone() });
            self.keep(messages);
            let (results, end) = self.act_all(&calls, cut, guard).await?;
            let in_vain = cut && results.iter().all(|result| result.is_error);
            messages.push(ChatMessage::Tool { results });
            leads(guard, if in_vain { Worth::Cut } else { Worth::Something })?;
            return Ok(end);
        }
        if cut || silent {
            leads(guard, if cut { Worth::Cut } else { Worth::Nothing })?;
            // Thoughts that led to nothing can't be handed back.
            let reasoning = if silent { Vec::new() } else { reasoning };
            messages.push(ChatMessage::Assistant { text, reasoning, calls });
            messages.push(ChatMessage::user(if cut { CUT } else { EMPTY }));
            return Ok(None);
        }
        messages.push(ChatMessage::Assistant { text, reasoning, calls });
        Ok(Some(End::Done(summary.to_owned())))
    }

    /// Rests until there is more to do, where somebody goes on talking. Answers whether there is more.
    async fn rested(&self, end: &End) -> Result<bool, End> {
        let (End::Done(summary) | End::GaveUp(summary)) = end else { return Ok(false) };
        // What was sent meanwhile is read at once.
        if !self.talks || self.inbox.hold().is_err() {
            return Ok(false);
        }
        let message = some(summary.clone());
        self.say(HarnessEvent::State { state: AgentState::Resting, message, code: None }).await;
        self.bounded(self.inbox.released()).await
    }

    async fn read_inbox(&self, messages: &mut Vec<ChatMessage>) {
        for text in self.inbox.take() {
            self.say(HarnessEvent::Prompt { text: text.clone() }).await;
            messages.push(ChatMessage::user(text));
        }
    }

    /// Keeps the conversation for later.
    pub(super) fn keep(&self, messages: &[ChatMessage]) {
        self.journal.keep(self.models.link(self.spoke).name(), messages);
    }

    /// Does something unless the work is to end before.
    pub(super) async fn bounded<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        let Common { cancel, budget, .. } = &*self.common;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(End::Cancelled),
            () = budget.time_up() => Err(End::Failed(ErrorCode::BudgetExceeded, budget.out_of_time())),
            done = work => Ok(done),
        }
    }

    /// Reports an event. When nobody listens any more, the agent is about to be dropped.
    pub(super) async fn say(&self, event: HarnessEvent) {
        let _ = self.events.send(event).await;
    }
}

/// Ends the work when answers lead nowhere.
fn leads(guard: &mut Guard, worth: Worth) -> Result<(), End> {
    guard.answered(worth).map_or(Ok(()), |reason| Err(End::Failed(ErrorCode::InternalError, reason)))
}

/// What a user is told of a refusal: what the service says of it and what the model said.
fn refusal(said: &[String]) -> String {
    let said: Vec<&str> = said.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    format!(
        "the model refused to answer{colon}{}\nSay it in other words, or choose another model.",
        said.join("\n")
    )
}

fn some(summary: String) -> Option<String> {
    Some(summary).filter(|text| !text.trim().is_empty())
}
