//! Failures on their way to Python, where `oz._errors` gives each its class.

use oz_bridge::Failure;
use pyo3::{prelude::*, types::PyBytes};

/// The failure as JSON, which is how it crosses.
pub(crate) fn told(failure: &Failure) -> Vec<u8> {
    serde_json::to_vec(failure).unwrap_or_else(|_| b"{}".to_vec())
}

/// The exception of a failure.
pub(crate) fn raised(py: Python<'_>, failure: &Failure) -> PyErr {
    let made = || {
        let raised = py.import("oz._errors")?.getattr("raised")?;
        raised.call1((PyBytes::new(py, &told(failure)),))
    };
    made().map_or_else(|e| e, PyErr::from_value)
}
