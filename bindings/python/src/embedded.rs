//! What runs in this process: a control plane, a worker, a run.

use crate::{
    client::Client,
    failure::raised,
    hooks::{Backend, Harness, observer},
    port::{Port, Stop, Ticket},
    wait::wait,
};
use oz_bridge::{Bytes, DriverResult, Failure, WorkTask};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyAny, PyBytes},
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A control plane that is served.
#[pyclass(frozen, module = "oz._native")]
pub(crate) struct Served(oz_bridge::Served);

#[pymethods]
impl Served {
    /// Its address.
    #[getter]
    fn url(&self) -> &str {
        &self.0.url
    }

    /// The key of its admin, unless the data directory has one from earlier.
    #[getter]
    fn api_key(&self) -> Option<&str> {
        self.0.api_key.as_deref()
    }

    /// Ends it, and waits until nothing of it is left.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, self.0.stop())?.map_err(|failure| raised(py, &failure))
    }
}

/// Serves a control plane, with these options as JSON.
#[pyfunction]
pub(crate) fn serve(py: Python<'_>, options: &[u8]) -> PyResult<Served> {
    let served = wait(py, oz_bridge::serve(read(options)?))?;
    served.map(Served).map_err(|failure| raised(py, &failure))
}

/// Works for the control plane of a client until `stop` is cancelled.
#[pyfunction]
pub(crate) fn work(
    py: Python<'_>,
    client: &Client,
    options: &[u8],
    execute: Py<PyAny>,
    stop: &Stop,
) -> PyResult<()> {
    let backend = Arc::new(Backend(Arc::new(execute)));
    let ended = wait(py, oz_bridge::work(&client.1, read(options)?, backend, stop.0.clone()))?;
    ended.map_err(|failure| raised(py, &failure))
}

/// Does a run here with a harness, and waits for its end, which is JSON.
#[pyfunction]
#[pyo3(signature = (options, client, harness, observe, stop))]
pub(crate) fn run_local<'py>(
    py: Python<'py>,
    options: &[u8],
    client: Option<&Client>,
    harness: &Bound<'py, PyAny>,
    observe: Option<Py<PyAny>>,
    stop: &Stop,
) -> PyResult<Bound<'py, PyBytes>> {
    let (options, harness) = (read(options)?, Harness::new(harness)?);
    let run = oz_bridge::run_local(options, client.map(|c| &c.0), harness, observer(observe), stop.0.clone());
    written(py, wait(py, run)?)
}

/// The same for a loop.
#[pyfunction]
#[pyo3(signature = (port, options, client, harness, observe, stop))]
pub(crate) fn begin_run_local(
    port: &Port,
    options: &[u8],
    client: Option<&Client>,
    harness: &Bound<'_, PyAny>,
    observe: Option<Py<PyAny>>,
    stop: &Stop,
) -> PyResult<Ticket> {
    let (options, harness) = (read(options)?, Harness::new(harness)?);
    let (bridge, observer, stop) = (client.map(|c| c.0.clone()), observer(observe), stop.0.clone());
    Ok(port.begin(async move {
        let result = oz_bridge::run_local(options, bridge.as_ref(), harness, observer, stop).await?;
        serde_json::to_vec(&result)
            .map(|json| Some(Bytes::from(json)))
            .map_err(|e| Failure::config(e.to_string()))
    }))
}

/// Does the run of a task that a worker was given, with a harness, and waits for its end, which is JSON.
#[pyfunction]
#[pyo3(signature = (task, cwd, harness, observe, stop))]
pub(crate) fn run_task<'py>(
    py: Python<'py>,
    task: &[u8],
    cwd: Option<std::path::PathBuf>,
    harness: &Bound<'py, PyAny>,
    observe: Option<Py<PyAny>>,
    stop: &Stop,
) -> PyResult<Bound<'py, PyBytes>> {
    let (task, harness): (WorkTask, _) = (read(task)?, Harness::new(harness)?);
    let run = oz_bridge::run_task(&task, cwd, harness, observer(observe), stop.0.clone());
    written(py, wait(py, run)?)
}

fn read<T: DeserializeOwned>(json: &[u8]) -> PyResult<T> {
    serde_json::from_slice(json).map_err(|e| PyValueError::new_err(e.to_string()))
}

fn written(py: Python<'_>, result: Result<DriverResult, Failure>) -> PyResult<Bound<'_, PyBytes>> {
    let result = result.map_err(|failure| raised(py, &failure))?;
    let json = serde_json::to_vec(&result).map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &json))
}
