//! How a conversation begins: with a prompt and its pictures, or with all that was said before and the next message.

use super::{
    handover, journal,
    journal::{FORMAT, Loaded},
    notes::Notes,
};
use crate::picture;
use oz_core::{
    Error,
    harness::{HarnessEvent, HarnessTask},
    model::ChatMessage,
};
use std::sync::Arc;
use uuid::Uuid;

/// The step under which the transcript says whether an earlier conversation was taken up.
const STAGE: &str = "session_resume";

/// The beginning.
pub(super) struct Opening {
    pub(super) session_id: String,
    pub(super) notes: Arc<Notes>,
    pub(super) messages: Vec<ChatMessage>,
    /// What there is to tell before anything happens.
    pub(super) news: Vec<HarnessEvent>,
}

impl Opening {
    /// The beginning of a task with this model.
    ///
    /// # Errors
    /// When a picture can't be used.
    pub(super) fn of(task: &HarnessTask, model: &str) -> Result<Self, Error> {
        let images = task.images.iter().map(|path| picture::read(path)).collect::<Result<_, _>>()?;
        let (mut prompt, mut more) = (task.prompt.clone(), task.more.clone());
        let stage = |ok: bool, detail: String| HarnessEvent::Stage {
            name: STAGE.to_owned(),
            ok,
            duration_ms: 0,
            detail: Some(detail),
        };
        let mut opening = Self {
            session_id: Uuid::new_v4().to_string(),
            notes: Arc::default(),
            messages: Vec::new(),
            news: Vec::new(),
        };
        match task.saved.as_ref().map(journal::load) {
            None => {}
            Some(Ok(Loaded { session_id, model: of, kept, mut messages })) => {
                if of != model {
                    handover::reshape(&mut messages);
                }
                let detail = format!("the conversation goes on after {} messages", messages.len());
                opening.news.push(stage(true, detail));
                if !kept.tasks.is_empty() {
                    opening.news.push(HarnessEvent::Tasks { tasks: kept.tasks.clone() });
                }
                (opening.session_id, opening.messages) = (session_id, messages);
                opening.notes = Arc::new(Notes::new(kept));
            }
            Some(Err(problem)) => {
                let detail =
                    format!("the earlier conversation can't be taken up: {problem}; this begins a new one");
                opening.news.push(stage(false, detail));
                let afresh = task.clone().afresh();
                (prompt, more) = (afresh.prompt, afresh.more);
            }
        }
        let (format, session_id) = (FORMAT.to_owned(), opening.session_id.clone());
        opening.news.push(HarnessEvent::Session { format, session_id });
        opening.messages.push(ChatMessage::User { text: prompt, images });
        opening.messages.extend(more.iter().map(ChatMessage::user));
        Ok(opening)
    }
}
