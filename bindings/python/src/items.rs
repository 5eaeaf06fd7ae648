//! Streams: items as JSON, or bytes.

use crate::{
    failure::raised,
    port::{Port, Ticket},
    wait::wait,
};
use futures_util::StreamExt as _;
use oz_bridge::{Bytes, Failure, Pieces};
use pyo3::{prelude::*, types::PyBytes};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A stream that is being read, by one reader at a time.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Items(Arc<Mutex<Option<Pieces>>>);

impl Items {
    pub(crate) fn new(pieces: Pieces) -> Self {
        Self(Arc::new(Mutex::new(Some(pieces))))
    }
}

/// What is there next; nothing when the stream is closed or at its end.
async fn next(items: Arc<Mutex<Option<Pieces>>>) -> Result<Option<Bytes>, Failure> {
    match &mut *items.lock().await {
        Some(pieces) => pieces.next().await.transpose(),
        None => Ok(None),
    }
}

#[pymethods]
impl Items {
    /// Waits for what is there next: a JSON array of items, or bytes; None at the end.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = wait(py, next(Arc::clone(&self.0)))?.map_err(|failure| raised(py, &failure))?;
        Ok(piece.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// The same for a loop: what is there next comes to its port.
    fn begin_next(&self, port: &Port) -> Ticket {
        port.begin(next(Arc::clone(&self.0)))
    }

    /// Ends the stream: its connection is closed. Whoever reads at this moment gets what it waits for.
    fn close(&self) {
        let items = Arc::clone(&self.0);
        oz_bridge::runtime().spawn(async move { items.lock().await.take() });
    }
}
