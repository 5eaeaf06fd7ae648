//! One answer for the loop, from the first model of the chain that is available. Each is asked with its own patience, and
//! none twice, so that tries don't multiply.

use super::{
    agent::{Agent, End},
    ask::{Answer, Heard, ask},
    handover, prompt, room,
};
use crate::{
    model::{Link, Patience},
    picture,
};
use oz_core::{
    harness::HarnessEvent,
    model::{ModelError, ModelErrorKind, ModelRequest},
    usage::Usage,
};
use tokio::time::Instant;

/// The step under which the transcript says that another model goes on, or that the first is back.
const STAGE: &str = "model_fallback";
/// The step under which it says that the model takes no pictures.
const PICTURES: &str = "pictures";
/// What to do about a conversation that can't be shortened further.
const TOO_LONG: &str = "nothing more can be left out of the conversation: ask for less at once, or choose a model that \
                        can read more";

impl Agent {
    /// Asks for an answer and reports what it said and used.
    pub(super) async fn ask(&mut self, request: &mut ModelRequest) -> Result<Answer, End> {
        let order = self.models.order(Instant::now());
        let mut before: Vec<String> = Vec::new();
        for (n, at) in order.iter().copied().enumerate() {
            let next = order.get(n + 1).copied();
            let patience = self.models.patience(at, next.is_some());
            let error = match self.ask_one(at, patience, request).await? {
                Ok(answer) => {
                    if let Some(detail) = self.models.answered(at) {
                        self.tell(STAGE, true, detail).await;
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match next.filter(|_| error.is_retryable()) {
                Some(next) => {
                    tracing::warn!(%error, model = self.models.link(at).name(), "the model is not available");
                    if let Some(detail) = self.models.failed(at, &error, next, Instant::now()) {
                        self.tell(STAGE, false, detail).await;
                    }
                    before.push(self.models.link(at).in_words(&error));
                }
                None => {
                    before.push(self.models.link(at).in_words(&error));
                    if error.kind == ModelErrorKind::ContextTooLong {
                        before.push(TOO_LONG.to_owned());
                    }
                    return Err(End::Failed(error.code(), before.join("; ")));
                }
            }
        }
        Err(End::Failed(oz_core::ErrorCode::InternalError, "there is no model to ask".to_owned()))
    }

    /// Asks one model. A conversation that is too long is shortened as far as it goes.
    async fn ask_one(
        &mut self,
        at: usize,
        patience: Patience,
        request: &mut ModelRequest,
    ) -> Result<Result<Answer, ModelError>, End> {
        let link = self.models.link(at).clone();
        if at != self.spoke {
            self.spoke = at;
            handover::reshape(&mut request.messages);
        }
        link.id().clone_into(&mut request.model);
        request.max_output_tokens = prompt::max_output_tokens(link.id());
        let step = self.steps.current();
        let mut heard = Heard::default();
        let asked = loop {
            let asking = ask(link.model(), patience, request, &mut heard, Some(&self.events));
            let asked = tokio::select! {
                biased;
                asked = self.bounded(asking) => asked,
                () = step.cancelled() => {
                    heard.interrupt();
                    break Ok(Ok(()));
                }
            };
            let Ok(Err(error)) = &asked else { break asked };
            if error.kind == ModelErrorKind::ContextTooLong && room::make(&mut request.messages) {
                tracing::info!(
                    "the conversation is too long for the model; older results of tools are left out"
                );
            } else if picture::are_refused(error) && picture::leave_out(&mut request.messages) {
                self.tell(PICTURES, false, format!("{error}; the agent goes on without pictures")).await;
            } else {
                break asked;
            }
            self.gauge.forget();
        };
        let Heard { answer, used, .. } = heard;
        if let Ok(Ok(())) = &asked {
            let (thoughts, text) = (answer.thoughts.clone(), answer.text.clone());
            if !thoughts.trim().is_empty() {
                self.say(HarnessEvent::Reasoning { text: thoughts }).await;
            }
            if !text.trim().is_empty() {
                self.say(HarnessEvent::Text { text }).await;
            }
            if let Some(usage) = used.last().filter(|_| !answer.interrupted) {
                self.gauge.measured(usage, request.messages.len());
            }
        }
        self.spend(&link, used).await;
        asked.map(|asked| asked.map(|()| answer))
    }

    /// Counts and reports what calls of a model used.
    pub(super) async fn spend(&self, link: &Link, used: Vec<Usage>) {
        for usage in used {
            let usage = Usage { cost_usd: link.cost(&self.common.prices, &usage), ..usage };
            self.common.budget.count(&usage);
            self.say(HarnessEvent::Usage { model: link.name().to_owned(), usage }).await;
        }
    }

    async fn tell(&self, stage: &str, ok: bool, detail: String) {
        let detail = Some(detail);
        self.say(HarnessEvent::Stage { name: stage.to_owned(), ok, duration_ms: 0, detail }).await;
    }
}
