//! One call of a model, tried again while that makes sense. What a broken try has said is thrown away; what it has used
//! is not.

use super::retry;
use crate::model::Patience;
use futures_util::StreamExt as _;
use oz_core::{
    harness::HarnessEvent,
    model::{Model, ModelError, ModelRequest, StopReason, StreamEvent, ToolCall},
    usage::Usage,
};
use serde_json::Value;
use tokio::sync::mpsc;

/// A whole answer, or what there was of it when somebody interrupted.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) thoughts: String,
    pub(super) reasoning: Vec<Value>,
    pub(super) calls: Vec<ToolCall>,
    pub(super) stop: StopReason,
    pub(super) interrupted: bool,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            text: String::new(),
            thoughts: String::new(),
            reasoning: Vec::new(),
            calls: Vec::new(),
            stop: StopReason::EndTurn,
            interrupted: false,
        }
    }
}

/// What was heard of a model so far; it stays when the call is given up in the middle.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    /// What each try used.
    pub(super) used: Vec<Usage>,
    /// What the present try used so far.
    counting: Option<Usage>,
}

impl Heard {
    /// The answer as far as it came, without what only makes sense in a whole one.
    pub(super) fn interrupt(&mut self) {
        self.used.extend(self.counting.take());
        let Answer { text, thoughts, .. } = std::mem::take(&mut self.answer);
        self.answer = Answer { text, thoughts, interrupted: true, ..Answer::default() };
    }
}

/// Asks until there is an answer, or there will be none. Text goes to `watching` while it is written; what a broken try
/// wrote stays there, until the whole text follows.
pub(super) async fn ask(
    model: &dyn Model,
    patience: Patience,
    request: &ModelRequest,
    heard: &mut Heard,
    watching: Option<&mpsc::Sender<HarnessEvent>>,
) -> Result<(), ModelError> {
    let mut attempt = 1;
    loop {
        heard.answer = Answer::default();
        let result = once(model, request, heard, watching).await;
        heard.used.extend(heard.counting.take());
        let Err(error) = result else { return Ok(()) };
        let Some(wait) = retry::delay(&error, patience, attempt, oz_client::retry::jitter()) else {
            return Err(error);
        };
        tracing::warn!(%error, attempt, wait_ms = wait.as_millis(), "the model call failed; trying again");
        heard.answer = Answer::default();
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

async fn once(
    model: &dyn Model,
    request: &ModelRequest,
    heard: &mut Heard,
    watching: Option<&mpsc::Sender<HarnessEvent>>,
) -> Result<(), ModelError> {
    let mut stream = model.stream(request).await?;
    let mut result = Ok(());
    while let Some(event) = stream.next().await {
        let answer = &mut heard.answer;
        match event {
            Ok(StreamEvent::Text(text)) => {
                answer.text.push_str(&text);
                if let Some(watching) = watching.filter(|_| !text.is_empty()) {
                    let _ = watching.send(HarnessEvent::Delta { text }).await;
                }
            }
            Ok(StreamEvent::Reasoning(text)) => answer.thoughts.push_str(&text),
            Ok(StreamEvent::ReasoningBlock(block)) => answer.reasoning.push(block),
            Ok(StreamEvent::ToolCall(call)) => answer.calls.push(call),
            Ok(StreamEvent::Usage(so_far)) => heard.counting = Some(so_far),
            Ok(StreamEvent::Stop(stop)) => answer.stop = stop,
            Err(error) => result = Err(error),
        }
    }
    result
}
