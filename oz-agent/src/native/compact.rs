//! Shortens a conversation before it becomes too long: the model writes a summary of it, which takes the place of all but
//! the prompt and the last few turns.

use super::{
    agent::{Agent, End},
    ask::{Heard, ask},
    context, prompt, room,
};
use crate::model::Patience;
use oz_core::{
    harness::HarnessEvent,
    model::{ChatMessage, ModelRequest},
};
use std::time::Instant;

/// The step under which the transcript says that the conversation was shortened.
const STAGE: &str = "context_compaction";

const SUMMARIZE: &str = "\
This conversation is about to become too long and will be shortened to a summary that you write now. Answer with the \
summary alone and call no tool. Whoever goes on has nothing but it, the first message and the last few turns, so write \
down: what the user wants, with everything that was asked for later; what was found out, with paths, names and commands; \
what was decided and why; what was changed and how it was checked; what failed; and what remains to be done next.";

impl Agent {
    /// Shortens the conversation when it nears what the model can read.
    pub(super) async fn make_room(&mut self, request: &mut ModelRequest) -> Result<(), End> {
        let id = self.models.link(self.spoke).id();
        let window = self.common.window.unwrap_or_else(|| context::window(id));
        let limit = context::limit(window, prompt::max_output_tokens(id));
        let before = self.gauge.estimate(request);
        if before <= limit {
            return Ok(());
        }
        let started = Instant::now();
        let summarized = match context::last_turns(&request.messages, limit / 4) {
            Some(from) => self.summarize(request).await?.map(|summary| (from, summary)),
            None => None,
        };
        let how = match summarized {
            Some((from, summary)) => {
                self.replace(&mut request.messages, from, &summary);
                "a summary stands for the older part"
            }
            // Without a summary there is nothing but to forget what tools returned.
            None if room::make(&mut request.messages) => "older results of tools are left out",
            None => return Ok(()),
        };
        self.gauge.forget();
        let after = self.gauge.estimate(request);
        self.keep(&request.messages);
        let detail =
            format!("about {before} tokens became {after} of the {window} that the model reads; {how}");
        let duration_ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        self.say(HarnessEvent::Stage { name: STAGE.to_owned(), ok: true, duration_ms, detail: Some(detail) })
            .await;
        Ok(())
    }

    /// Asks for a summary; `None` when there is none to be had.
    async fn summarize(&self, request: &ModelRequest) -> Result<Option<String>, End> {
        let link = self.models.link(self.spoke).clone();
        // All else stays as it was, so that the service finds it in its cache.
        let mut request = request.clone();
        request.messages.push(ChatMessage::user(SUMMARIZE));
        link.id().clone_into(&mut request.model);
        request.max_output_tokens = prompt::max_output_tokens(link.id());
        let step = self.steps.current();
        let mut heard = Heard::default();
        let asked = tokio::select! {
            biased;
            asked = self.bounded(ask(link.model(), Patience::Others, &request, &mut heard, None)) => Some(asked?),
            () = step.cancelled() => None,
        };
        let Heard { answer, used, .. } = heard;
        self.spend(&link, used).await;
        match asked {
            Some(Ok(())) => Ok(Some(answer.text).filter(|text| !text.trim().is_empty())),
            Some(Err(error)) => {
                tracing::warn!(%error, "there is no summary of the conversation");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Puts a summary in the place of what is between the prompt and `from`.
    fn replace(&self, messages: &mut Vec<ChatMessage>, from: usize, summary: &str) {
        let kept = self.notes.kept().in_words();
        let text = format!(
            "[The conversation was shortened here. This is your summary of it until now.]\n\n{}{kept}\n\n[The last \
             turns follow as they were.]",
            summary.trim()
        );
        messages.splice(1..from, [ChatMessage::user(text)]);
    }
}
