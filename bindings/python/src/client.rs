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
pub(crate) struct Client(pub(crate) Bridge, pub(crate) ClientOptions);

#[pymethods]
impl Client {
    /// A client with these options, as JSON; what is absent comes from the environment and the login file.
    #[new]
    fn new(py: Python<'_>, options: &[u8]) -> PyResult<Self> {
        let options: ClientOptions =
            serde_json::from_slice(options).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let bridge = Bridge::new(options.clone()).map_err(|failure| raised(py, &failure))?;
        Ok(Self(bridge, options))
    }

    /// The address of the server.
    #[getter]
    fn base_url(&self) -> &str {
        self.0.server_url()
    }

    /// Calls a method and waits for its answer, which is JSON.
    #[pyo3(signature = (method, request, options=None))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        request: &[u8],
        options: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let options = call_options(options)?;
        let answer = wait(py, self.0.call(method, request, &options))?;
        answer.map(|json| PyBytes::new(py, &json)).map_err(|failure| raised(py, &failure))
    }

    /// Calls a method for a loop; the answer comes to its port.
    #[pyo3(signature = (port, method, request, options=None))]
    fn begin(&self, port: &Port, method: String, request: &[u8], options: Option<&[u8]>) -> PyResult<Ticket> {
        let (bridge, request, options) = (self.0.clone(), request.to_vec(), call_options(options)?);
        Ok(port.begin(async move { bridge.call(&method, &request, &options).await.map(Some) }))
    }

    /// Calls a method that takes bytes and waits until they are sent.
    #[pyo3(signature = (method, request, content, options=None))]
    fn upload(
        &self,
        py: Python<'_>,
        method: &str,
        request: &[u8],
        content: &[u8],
        options: Option<&[u8]>,
    ) -> PyResult<()> {
        let (content, options) = (Bytes::copy_from_slice(content), call_options(options)?);
        let sent = wait(py, self.0.upload(method, request, content, &options))?;
        sent.map_err(|failure| raised(py, &failure))
    }

    /// The same for a loop.
    #[pyo3(signature = (port, method, request, content, options=None))]
    fn begin_upload(
        &self,
        port: &Port,
        method: String,
        request: &[u8],
        content: &[u8],
        options: Option<&[u8]>,
    ) -> PyResult<Ticket> {
        let (bridge, request, options) = (self.0.clone(), request.to_vec(), call_options(options)?);
        let content = Bytes::copy_from_slice(content);
        Ok(port
            .begin(async move { bridge.upload(&method, &request, content, &options).await.map(|()| None) }))
    }

    /// Opens a stream, of JSON or of bytes. Nothing is asked for before it is read.
    #[pyo3(signature = (method, request, json, options=None))]
    fn open(
        &self,
        py: Python<'_>,
        method: &str,
        request: &[u8],
        json: bool,
        options: Option<&[u8]>,
    ) -> PyResult<Items> {
        let options = call_options(options)?;
        let pieces = if json {
            self.0.batches(method, request, &options, AT_ONCE)
        } else {
            self.0.stream(method, request, &options)
        };
        pieces.map(Items::new).map_err(|failure| raised(py, &failure))
    }
}

fn call_options(options: Option<&[u8]>) -> PyResult<CallOptions> {
    match options {
        None => Ok(CallOptions::default()),
        Some(json) => serde_json::from_slice(json).map_err(|e| PyValueError::new_err(e.to_string())),
    }
}
