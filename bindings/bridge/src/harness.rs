//! A harness that is written in another language: the core's trait on one side, JSON and callbacks on the other.

use crate::{Failure, Kind, Pieces};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream::BoxStream};
use oz_core::{
    Error, ErrorCode,
    harness::{AgentState, Harness, HarnessEvent, HarnessTask, SavedSession},
    request::Answer,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// What another language brings: a class with these methods. One value drives one conversation.
#[async_trait]
pub trait HarnessHook: Send + Sync {
    /// The name by which transcripts and saved conversations know it.
    fn name(&self) -> &str;

    /// Starts to work on a [`HarnessTask`], as JSON. The stream yields events, each the JSON of a
    /// [`HarnessEvent`]; the last one is of type `state` with a state that is final. Dropping the stream stops the agent.
    ///
    /// # Errors
    /// Why it can't start at all.
    async fn start(&self, task: String) -> Result<Pieces, Failure>;

    /// Asks the agent for something. The answer is JSON; only that of [`HarnessCall::Save`] is read.
    ///
    /// # Errors
    /// Why it can't be done; [`Failure::unsupported`] when the harness has no such method.
    async fn call(&self, call: HarnessCall) -> Result<Bytes, Failure> {
        let _ = call;
        Err(Failure::unsupported("it has no such method"))
    }
}

/// What a harness is asked beside its task: the methods of [`Harness`] that it may have.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum HarnessCall {
    /// See [`Harness::send`].
    Send {
        /// The message.
        message: String,
    },
    /// See [`Harness::answer`].
    Answer {
        /// The request.
        request_id: Uuid,
        /// The answer.
        answer: Answer,
    },
    /// See [`Harness::interrupt`].
    Interrupt,
    /// See [`Harness::pause`].
    Pause,
    /// See [`Harness::dismiss`].
    Dismiss,
    /// See [`Harness::save`]: it answers with a [`SavedSession`] or null. The format is the harness's name, whatever it
    /// says.
    Save,
    /// See [`Harness::cancel`].
    Cancel,
}

/// The hook as the driver takes it.
pub(crate) struct Hooked(pub(crate) Arc<dyn HarnessHook>);

#[async_trait]
impl Harness for Hooked {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn start(self: Arc<Self>, task: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        let known = task.saved.as_ref().is_none_or(|saved| saved.format == self.name());
        let task = if known { task } else { task.afresh() };
        let task = serde_json::to_string(&task).map_err(|e| Error::internal(e.to_string()))?;
        let pieces = self.0.start(task).await.map_err(|failure| error(&failure))?;
        let name = self.0.name().to_owned();
        let ended =
            failed(format!("the harness '{name}' ended without an event of type 'state' that is final"));
        let events = pieces
            .map(move |piece| match piece {
                Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|e| {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    failed(format!("the harness '{name}' yielded what is no event: {e}: {text}"))
                }),
                Err(failure) => failed(failure.message),
            })
            .chain(futures_util::stream::once(future::ready(ended)));
        // Nothing follows the end, whatever the other side still says.
        let mut over = false;
        Ok(events
            .take_while(move |event| {
                let goes_on = !over;
                over = is_final(event);
                future::ready(goes_on)
            })
            .boxed())
    }

    async fn send(&self, message: String) -> Result<(), Error> {
        self.asked(HarnessCall::Send { message }, "can't take messages while it works").await
    }

    async fn answer(&self, request_id: Uuid, answer: Answer) -> Result<(), Error> {
        self.asked(HarnessCall::Answer { request_id, answer }, "takes no answers").await
    }

    async fn interrupt(&self) -> Result<(), Error> {
        self.asked(HarnessCall::Interrupt, "can't be interrupted").await
    }

    async fn pause(&self) -> Result<(), Error> {
        match self.0.call(HarnessCall::Pause).await {
            Ok(_) => Ok(()),
            Err(failure) if is_unsupported(&failure) => self.interrupt().await,
            Err(failure) => Err(error(&failure)),
        }
    }

    async fn dismiss(&self) {
        let _ = self.0.call(HarnessCall::Dismiss).await;
    }

    async fn save(&self) -> Option<SavedSession> {
        let saved = match self.0.call(HarnessCall::Save).await {
            Ok(saved) => saved,
            Err(failure) if is_unsupported(&failure) => return None,
            Err(failure) => {
                tracing::warn!(%failure, harness = self.name(), "its conversation is not saved");
                return None;
            }
        };
        let mut saved: Option<Value> = serde_json::from_slice(&saved).ok()?;
        if let Some(Value::Object(fields)) = &mut saved {
            fields.insert("format".to_owned(), self.name().into());
        }
        saved.map(serde_json::from_value).transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, harness = self.name(), "what it saved is no conversation");
            None
        })
    }

    async fn cancel(&self) {
        // One that can't be asked ends when its stream is dropped.
        let _ = self.0.call(HarnessCall::Cancel).await;
    }
}

impl Hooked {
    /// Asks for something; `lacks` says what a harness can't that has no such method.
    async fn asked(&self, call: HarnessCall, lacks: &str) -> Result<(), Error> {
        self.0.call(call).await.map(drop).map_err(|failure| match is_unsupported(&failure) {
            true => Error::unsupported(format!("the harness '{}' {lacks}", self.name())),
            false => error(&failure),
        })
    }
}

fn is_unsupported(failure: &Failure) -> bool {
    failure.code.as_deref() == Some(ErrorCode::OperationNotSupported.as_str())
}

fn is_final(event: &HarnessEvent) -> bool {
    matches!(event, HarnessEvent::State { state, .. } if state.is_final())
}

fn failed(message: String) -> HarnessEvent {
    HarnessEvent::State {
        state: AgentState::Failed,
        message: Some(message),
        code: Some(ErrorCode::InternalError),
    }
}

/// The failure as an error of the core.
fn error(failure: &Failure) -> Error {
    let code = match (&failure.code, failure.kind) {
        (Some(code), _) => ErrorCode::from(&**code),
        (None, Kind::Config) => ErrorCode::EnvironmentSetupFailed,
        (None, _) => ErrorCode::InternalError,
    };
    Error::new(code, failure.message.clone())
}
