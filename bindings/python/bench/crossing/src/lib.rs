//! One answer, and one request, on two ways between Rust and Python.

use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

/// An answer as text: its bytes as they came.
#[pyfunction]
fn text<'py>(py: Python<'py>, answer: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, answer)
}

/// An answer as objects: dicts and lists that are built here.
#[pyfunction]
fn objects<'py>(py: Python<'py>, answer: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut json = serde_json::Deserializer::from_slice(answer);
    Ok(serde_transcode::transcode(&mut json, pythonize::Pythonizer::new(py))?)
}

/// A request that comes as text; returns how long it is on the wire.
#[pyfunction]
fn take_text(request: &[u8]) -> usize {
    request.len()
}

/// A request that comes as objects; returns how long it is on the wire.
#[pyfunction]
fn take_objects(request: &Bound<'_, PyAny>) -> PyResult<usize> {
    let mut objects = pythonize::Depythonizer::from_object(request);
    let mut wire = Vec::new();
    serde_transcode::transcode(&mut objects, &mut serde_json::Serializer::new(&mut wire))
        .map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(wire.len())
}

#[pymodule]
fn oz_crossing(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(text, module)?)?;
    module.add_function(wrap_pyfunction!(objects, module)?)?;
    module.add_function(wrap_pyfunction!(take_text, module)?)?;
    module.add_function(wrap_pyfunction!(take_objects, module)?)
}
