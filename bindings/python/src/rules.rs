//! What the core knows without a server.

use crate::failure::raised;
use pyo3::{prelude::*, types::PyBytes};

/// Whether a run in the state `before` may come to be in the state `after`.
#[pyfunction]
pub(crate) fn can_transition(before: &str, after: &str) -> bool {
    oz_bridge::can_transition(before, after)
}

/// The state that follows when a cause happens to a run.
#[pyfunction]
pub(crate) fn next_state(py: Python<'_>, before: &str, cause: &str) -> PyResult<String> {
    oz_bridge::next_state(before, cause).map_err(|failure| raised(py, &failure))
}

/// Checks JSON against a type of the API, by its name; the answer is the JSON as the core understands it.
#[pyfunction]
pub(crate) fn validate<'py>(py: Python<'py>, type_name: &str, json: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    match oz_bridge::validate(type_name, json) {
        Ok(json) => Ok(PyBytes::new(py, &json)),
        Err(failure) => Err(raised(py, &failure)),
    }
}

/// The schemas of the options of what runs in this process, as JSON, for the test of what is declared.
#[pyfunction]
pub(crate) fn schemas() -> String {
    oz_bridge::schemas().to_string()
}

/// Every method of the client by name.
#[pyfunction]
pub(crate) fn methods() -> Vec<String> {
    oz_bridge::method::all().map(oz_bridge::method::Method::full_name).collect()
}
