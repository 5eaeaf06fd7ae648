//! A client of one control plane, as JavaScript holds it. It never holds more than the bridge does.

use crate::port::{Kind, Port, answered, failed, text};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use oz_bridge::{Bridge, Bytes, CallOptions, Failure};
use serde::de::DeserializeOwned;

/// A client of one control plane.
#[napi]
pub struct Client {
    pub(crate) bridge: Bridge,
}

/// How many items of a stream cross at once, when as many are ready.
const BATCH: usize = 256;

/// Reads options, which the typed layer writes; who calls from plain JavaScript may have them wrong.
pub(crate) fn options<T: Default + DeserializeOwned>(json: Option<&str>) -> Result<T, Failure> {
    match json {
        None => Ok(T::default()),
        Some(json) => serde_json::from_str(json).map_err(|e| Failure::config(format!("the options: {e}"))),
    }
}

/// A failure as what JavaScript catches: its JSON, which the typed layer makes a class of.
pub(crate) fn thrown(failure: Failure) -> napi::Error {
    napi::Error::from_reason(failure.to_json())
}

#[napi]
impl Client {
    /// A client with these options, as JSON. What is absent comes from the environment and the login, as for the command
    /// line.
    ///
    /// # Errors
    /// The failure as JSON, when the address, the key or an option can't be used.
    #[napi(constructor)]
    pub fn new(json_options: String) -> napi::Result<Self> {
        let bridge = options(Some(&json_options)).and_then(Bridge::new);
        bridge.map(|bridge| Self { bridge }).map_err(thrown)
    }

    /// Calls a method with a request and options of this call, both JSON. The answer comes through the port under the
    /// number `id`.
    #[napi]
    pub fn call(&self, port: &Port, id: u32, method: String, request: String, json_options: Option<String>) {
        let bridge = self.bridge.clone();
        port.shared.start(id, async move {
            let options = match options::<CallOptions>(json_options.as_deref()) {
                Ok(options) => options,
                Err(failure) => return answered(Err(failure)),
            };
            answered(bridge.call(&method, request.as_bytes(), &options).await)
        });
    }

    /// Opens a stream under the number `id`, of items or, when `raw`, of bytes. [`Port::next`] reads it.
    ///
    /// # Errors
    /// The failure as JSON, when the request is wrong.
    #[napi]
    pub fn open(
        &self,
        port: &Port,
        id: u32,
        method: String,
        request: String,
        json_options: Option<String>,
        raw: bool,
    ) -> napi::Result<()> {
        let options = options::<CallOptions>(json_options.as_deref()).map_err(thrown)?;
        let request = request.as_bytes();
        let pieces = if raw {
            self.bridge.stream(&method, request, &options)
        } else {
            self.bridge.batches(&method, request, &options, BATCH)
        };
        port.shared.keep(id, pieces.map_err(thrown)?, raw);
        Ok(())
    }

    /// Calls a method that takes bytes beside its request, and answers `null` under the number `id`.
    #[napi]
    pub fn upload(
        &self,
        port: &Port,
        id: u32,
        method: String,
        request: String,
        bytes: Buffer,
        json_options: Option<String>,
    ) {
        let bridge = self.bridge.clone();
        // The memory is JavaScript's, which may go on to write to it.
        let bytes = Bytes::copy_from_slice(&bytes);
        port.shared.start(id, async move {
            let uploaded = match options::<CallOptions>(json_options.as_deref()) {
                Ok(options) => bridge.upload(&method, request.as_bytes(), bytes, &options).await,
                Err(failure) => Err(failure),
            };
            uploaded.map_or_else(|failure| failed(&failure), |()| text(Kind::Answer, "null"))
        });
    }

    /// The server's address.
    #[napi(getter)]
    #[must_use]
    pub fn server_url(&self) -> String {
        self.bridge.server_url().to_owned()
    }
}
