//! The client.

use crate::{
    failure::raised,
    items::Items,
    port::{Port, Ticket},
    wait::wait,
};
use oz_bridge::{Bridge, Bytes, CallOptions, ClientOptions};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

/// How many items of a stream cross at once, when they are there.
const AT_ONCE: usize = 256;

/// A client: connections, a key and options.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Client(Bridge);

#[pymethods]
fn call_options(options: Option<&[u8]>) -> PyResult<CallOptions> {
    match options {
        None => Ok(CallOptions::default()),
        Some(json) => serde_json::from_slice(json).map_err(|e| PyValueError::new_err(e.to_string())),
    }
}
