//! Harnesses and backends that are written in Python: the bridge's traits on one side, blocking methods of a Python object on
//! the other. Each call has a thread of its own, so whatever Python does there, the runtime goes on.

use crate::port::Stop;
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use oz_bridge::{
    Bytes, CancellationToken, Failure, HarnessCall, HarnessHook, Observer, Pieces, WorkHook, WorkOutcome,
    WorkTask,
};
use pyo3::{exceptions::PyNotImplementedError, prelude::*, types::PyAny};
use std::sync::Arc;

/// Does something with the interpreter, in a thread for that.
async fn attached<T: Send + 'static>(
    work: impl FnOnce(Python<'_>) -> PyResult<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = oz_bridge::runtime()
        .spawn_blocking(move || Python::try_attach(|py| work(py).map_err(|e| told(py, &e))))
        .await;
    match done {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Err(Failure::config("Python has ended")),
        Err(e) => Err(Failure::config(e.to_string())),
    }
}

/// What an exception says, and its type.
fn told(py: Python<'_>, error: &PyErr) -> Failure {
    if error.is_instance_of::<PyNotImplementedError>(py) {
        return Failure::unsupported(error.to_string());
    }
    error.print(py);
    Failure::config(error.to_string())
}

/// A harness in Python: see `oz._harness.Driven`.
pub(crate) struct Harness {
    name: String,
    driven: Arc<Py<PyAny>>,
}

impl Harness {
    /// That of an object with the methods `name`, `start` and `call`.
    pub(crate) fn new(driven: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let name = driven.call_method0("name")?.extract()?;
        Ok(Arc::new(Self { name, driven: Arc::new(driven.clone().unbind()) }))
    }
}

#[async_trait]
impl HarnessHook for Harness {
    fn name(&self) -> &str {
        &self.name
    }

    async fn start(&self, task: String) -> Result<Pieces, Failure> {
        let driven = Arc::clone(&self.driven);
        let events = attached(move |py| driven.call_method1(py, "start", (task,))).await?;
        let events = Events(Arc::new(events));
        Ok(stream::unfold(Some(events), |events| async move {
            let events = events?;
            let next = Arc::clone(&events.0);
            let piece =
                attached(move |py| next.call_method0(py, "next")?.extract::<Option<Vec<u8>>>(py)).await;
            match piece {
                Ok(Some(piece)) => Some((Ok(Bytes::from(piece)), Some(events))),
                Ok(None) => None,
                Err(failure) => Some((Err(failure), None)),
            }
        })
        .boxed())
    }

    async fn call(&self, call: HarnessCall) -> Result<Bytes, Failure> {
        let driven = Arc::clone(&self.driven);
        let call = serde_json::to_string(&call).map_err(|e| Failure::config(e.to_string()))?;
        attached(move |py| driven.call_method1(py, "call", (call,))?.extract::<Vec<u8>>(py))
            .await
            .map(Bytes::from)
    }
}

/// The events of a harness; who drops them ends it.
struct Events(Arc<Py<PyAny>>);

impl Drop for Events {
    fn drop(&mut self) {
        let events = Arc::clone(&self.0);
        oz_bridge::runtime().spawn(attached(move |py| events.call_method0(py, "close").map(drop)));
    }
}

/// A backend in Python: a function of a task and of what says that it is to stop.
pub(crate) struct Backend(pub(crate) Arc<Py<PyAny>>);

#[async_trait]
impl WorkHook for Backend {
    async fn execute(&self, task: WorkTask, stop: CancellationToken) -> Result<WorkOutcome, Failure> {
        let execute = Arc::clone(&self.0);
        let task = serde_json::to_vec(&task).map_err(|e| Failure::config(e.to_string()))?;
        let outcome =
            attached(move |py| execute.call1(py, (task.as_slice(), Stop(stop)))?.extract::<Vec<u8>>(py))
                .await?;
        serde_json::from_slice(&outcome).map_err(|e| Failure::config(format!("outcome: {e}")))
    }
}

/// What tells a Python function of each event of a run.
pub(crate) fn observer(function: Option<Py<PyAny>>) -> Observer {
    let Some(function) = function else { return Arc::new(|_| {}) };
    Arc::new(move |event| {
        let tell = |py: Python<'_>| {
            if let Err(e) = function.call1(py, (event.as_str(),)) {
                e.print(py);
            }
        };
        tokio::task::block_in_place(|| Python::try_attach(tell));
    })
}
