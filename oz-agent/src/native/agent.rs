//! The loop: ask the model, do what it calls for, until it is done, a limit is reached or somebody stops it.

use super::{ask::Answer, budget::Budget, gate::Gate, inbox::Inbox, memory::Memory};
use crate::{
    model::{Chain, Prices},
    tool::{Desk, Effect, Toolbox},
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

/// An agent at work.
pub(super) struct Agent {
    pub(super) system: String,
    pub(super) prompt: String,
    pub(super) reasoning_level: Option<String>,
    pub(super) models: Chain,
    /// The place in the chain of the model for which the conversation is shaped.
    pub(super) spoke: usize,
    pub(super) prices: Prices,
    pub(super) tools: Toolbox,
    pub(super) desk: Desk,
    pub(super) gate: Gate,
    pub(super) memory: Memory,
    pub(super) budget: Budget,
    pub(super) inbox: Arc<Inbox>,
    pub(super) cancel: CancellationToken,
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
        self.inbox.shut();
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
            messages: vec![ChatMessage::user(std::mem::take(&mut self.prompt))],
            tools: self.tools.specs(),
            max_output_tokens: 0,
            reasoning_level: self.reasoning_level.take(),
        };
        let mut summary = String::new();
        loop {
            if let Some(reason) = self.budget.exceeded() {
                return Err(End::Failed(ErrorCode::BudgetExceeded, reason));
            }
            self.budget.begin_turn();
            let Answer { text, reasoning, calls, stop, .. } = self.ask(&mut request).await?;
            if !text.trim().is_empty() {
                summary.clone_from(&text);
            }
            let mut end = None;
            let mut results = Vec::new();
            for call in &calls {
                let (result, effect) = self.act(call).await?;
                results.push(result);
                if let Effect::Finish { success, summary } = effect {
                    end = Some(if success { End::Done(summary) } else { End::GaveUp(summary) });
                    break;
                }
            }
            let asked = &mut request.messages;
            match (calls.is_empty(), stop) {
                (true, StopReason::MaxTokens) => {
                    asked.push(ChatMessage::Assistant { text, reasoning, calls });
                    asked.push(ChatMessage::user(CUT));
                }
                (true, StopReason::Refusal) => {
                    return Err(End::Failed(
                        ErrorCode::ContentPolicyViolation,
                        format!("the model refused: {text}"),
                    ));
                }
                (true, _) => {
                    end = Some(End::Done(summary.clone()));
                    asked.push(ChatMessage::Assistant { text, reasoning, calls });
                }
                (false, _) => {
                    let calls = calls.into_iter().take(results.len()).collect();
                    asked.push(ChatMessage::Assistant { text, reasoning, calls });
                    asked.push(ChatMessage::Tool { results });
                }
            }
            // Whoever still has something to say keeps the agent at work.
            if let Some(end) = end
                && self.inbox.close()
            {
                return Ok(end);
            }
            for text in self.inbox.take() {
                self.say(HarnessEvent::Prompt { text: text.clone() }).await;
                request.messages.push(ChatMessage::user(text));
            }
        }
    }

    /// Does something unless the work is to end before.
    pub(super) async fn bounded<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(End::Cancelled),
            () = self.budget.time_up() => Err(End::Failed(ErrorCode::BudgetExceeded, self.budget.out_of_time())),
            done = work => Ok(done),
        }
    }

    /// Reports an event. When nobody listens any more, the agent is about to be dropped.
    pub(super) async fn say(&self, event: HarnessEvent) {
        let _ = self.events.send(event).await;
    }
}

fn some(summary: String) -> Option<String> {
    Some(summary).filter(|text| !text.trim().is_empty())
}
