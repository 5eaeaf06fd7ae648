//! Harnesses and worker backends that are written in JavaScript: each question of the bridge becomes one of the port. An
//! event is asked for when the one before was taken, so that nothing piles up between the two.

use crate::port::Shared;
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use oz_bridge::{
    Bytes, CancellationToken, Failure, HarnessCall, HarnessHook, Kind, Pieces, WorkHook, WorkOutcome,
    WorkTask,
};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// What a hook answers that has nothing to say.
const NOTHING: &str = "null";

/// A harness whose methods are asked of the hook with this number.
pub(crate) struct Harness {
    pub(crate) port: Arc<Shared>,
    pub(crate) hook: u32,
    pub(crate) name: String,
}

/// Tells the hook that nobody listens to its events any more.
struct Listener {
    port: Arc<Shared>,
    hook: u32,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.port.tell(self.hook, r#"{"call":"drop"}"#);
    }
}

#[async_trait]
impl HarnessHook for Harness {
    fn name(&self) -> &str {
        &self.name
    }

    async fn start(&self, task: String) -> Result<Pieces, Failure> {
        self.port.ask(self.hook, &format!(r#"{{"call":"start","task":{task}}}"#)).await?;
        let listener = Listener { port: Arc::clone(&self.port), hook: self.hook };
        let events = stream::unfold(Some(listener), |listener| async {
            let listener = listener?;
            match listener.port.ask(listener.hook, r#"{"call":"next"}"#).await {
                Ok(event) if event == NOTHING => None,
                Ok(event) => Some((Ok(Bytes::from(event)), Some(listener))),
                Err(failure) => Some((Err(failure), None)),
            }
        });
        Ok(events.boxed())
    }

    async fn call(&self, call: HarnessCall) -> Result<Bytes, Failure> {
        let question = serde_json::to_string(&call).map_err(|e| Failure::config(e.to_string()))?;
        self.port.ask(self.hook, &question).await.map(Bytes::from)
    }
}

/// A backend whose runs are asked of the hook with this number.
pub(crate) struct Backend {
    pub(crate) port: Arc<Shared>,
    pub(crate) hook: u32,
    /// Tells executions apart.
    pub(crate) last: AtomicU32,
}

#[async_trait]
impl WorkHook for Backend {
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> Result<WorkOutcome, Failure> {
        let number = self.last.fetch_add(1, Relaxed);
        let question = json!({ "call": "execute", "number": number, "task": task }).to_string();
        let mut asked = std::pin::pin!(self.port.ask(self.hook, &question));
        let answer = tokio::select! {
            answer = &mut asked => answer,
            () = stop.cancelled() => {
                self.port.tell(self.hook, &json!({ "call": "stop", "number": number }).to_string());
                asked.await
            }
        }?;
        if answer == NOTHING {
            return Ok(WorkOutcome::Finished);
        }
        serde_json::from_str(&answer).map_err(|e| {
            let expected = "nothing, or an object with the type finished, stopped, dispatched or failed";
            Failure::new(Kind::Config, format!("the backend answered {answer}, expected {expected}: {e}"))
        })
    }
}
