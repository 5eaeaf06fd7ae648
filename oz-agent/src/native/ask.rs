//! One call of a model, tried again while that makes sense. What a broken try has said is thrown away; what it has used
//! is not.

use super::retry;
use crate::model::Patience;
use futures_util::StreamExt as _;
use oz_core::{
    model::{Model, ModelError, ModelRequest, StopReason, StreamEvent, ToolCall},
    usage::Usage,
};
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) thoughts: String,
    pub(super) reasoning: Vec<Value>,
    pub(super) calls: Vec<ToolCall>,
    pub(super) stop: StopReason,
}

/// Asks until there is an answer, or there will be none. Adds to `used` what each try used.
pub(super) async fn ask(
    model: &dyn Model,
    patience: Patience,
    request: &ModelRequest,
    used: &mut Vec<Usage>,
) -> Result<Answer, ModelError> {
    let mut attempt = 1;
    loop {
        let error = match once(model, request, used).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(wait) = retry::delay(&error, patience, attempt, oz_client::retry::jitter()) else {
            return Err(error);
        };
        tracing::warn!(%error, attempt, wait_ms = wait.as_millis(), "the model call failed; trying again");
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

async fn once(
    model: &dyn Model,
    request: &ModelRequest,
    used: &mut Vec<Usage>,
) -> Result<Answer, ModelError> {
    let mut stream = model.stream(request).await?;
    let mut answer = Answer {
        text: String::new(),
        thoughts: String::new(),
        reasoning: Vec::new(),
        calls: Vec::new(),
        stop: StopReason::EndTurn,
    };
    let mut usage = None;
    let mut result = Ok(());
    while let Some(event) = stream.next().await {
        match event {
            Ok(StreamEvent::Text(text)) => answer.text.push_str(&text),
            Ok(StreamEvent::Reasoning(text)) => answer.thoughts.push_str(&text),
            Ok(StreamEvent::ReasoningBlock(block)) => answer.reasoning.push(block),
            Ok(StreamEvent::ToolCall(call)) => answer.calls.push(call),
            Ok(StreamEvent::Usage(so_far)) => usage = Some(so_far),
            Ok(StreamEvent::Stop(stop)) => answer.stop = stop,
            Err(error) => result = Err(error),
        }
    }
    used.extend(usage);
    result.map(|()| answer)
}
