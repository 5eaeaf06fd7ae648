//! The client: which server it talks to, who it is, and how it says so. What is called is not its business.

use crate::{
    Error,
    http::http_client,
    options::{RequestOptions, header_value},
};
use oz_core::api::{SOURCE_HEADER, WORKLOAD_TOKEN_HEADER};
use reqwest::{Method, RequestBuilder, header};
use std::{fmt, sync::Arc, time::Duration};

/// A client of one control plane. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    shared: Arc<Shared>,
}

/// What the clones of a client share.
#[derive(Clone)]
pub(crate) struct Shared {
    server_url: String,
    api_key: Option<String>,
    workload_token: Option<String>,
    source: Option<String>,
    pub(crate) options: RequestOptions,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server_url", &self.shared.server_url).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the control plane at `server_url`, such as `http://127.0.0.1:7700`.
    ///
    /// # Errors
    /// [`Error::Config`] when the address or the key can't be used.
    pub fn new(server_url: &str, api_key: Option<String>) -> Result<Self, Error> {
        if api_key.as_ref().is_some_and(|key| !key.chars().all(|c| c.is_ascii_graphic())) {
            return Err(Error::Config("the API key has characters that no key has; is it complete?".into()));
        }
        let server_url = server_url.trim_end_matches('/').to_owned();
        let http = http_client(&server_url)?;
        let shared = Shared {
            server_url,
            api_key,
            workload_token: None,
            source: None,
            options: RequestOptions::default(),
        };
        Ok(Self { http, shared: Arc::new(shared) })
    }

    /// The same client with the token of a run, which it then acts for.
    #[must_use]
    pub fn with_workload_token(mut self, token: &str) -> Self {
        self.shared_mut().workload_token = Some(token.to_owned());
        self
    }

    /// The same client, whose calls say what made them, such as `CLI`.
    #[must_use]
    pub fn with_source(mut self, source: &str) -> Self {
        self.shared_mut().source = Some(source.to_owned());
        self
    }

    /// The server's address, without a slash at its end.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.shared.server_url
    }

    /// What the calls of this client are to be made with.
    pub(crate) fn options(&self) -> &RequestOptions {
        &self.shared.options
    }

    pub(crate) fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }

    /// The HTTP client underneath, which knows no key.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A request of a path under the server's address, with who calls and why.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Error> {
        let Shared { server_url, api_key, workload_token, source, options } = &*self.shared;
        let mut headers = header::HeaderMap::new();
        let mut put = |name: &'static str, value: &str, secret: bool| -> Result<(), Error> {
            let mut value = header_value(name, value)?;
            value.set_sensitive(secret);
            headers.insert(name, value);
            Ok(())
        };
        if let Some(key) = api_key.as_ref().or(workload_token.as_ref()) {
            put(header::AUTHORIZATION.as_str(), &format!("Bearer {key}"), true)?;
        }
        if let Some(token) = workload_token {
            put(WORKLOAD_TOKEN_HEADER, token, true)?;
        }
        if let Some(source) = source {
            put(SOURCE_HEADER, source, false)?;
        }
        let request = self.http.request(method, format!("{server_url}{path}"));
        Ok(request.headers(headers).headers(options.header_map()?))
    }

    /// Whether a control plane answers at the address within `within`.
    pub async fn healthy(&self, within: Duration) -> bool {
        let request = self.http.get(format!("{}/healthz", self.shared.server_url)).timeout(within);
        request.send().await.is_ok_and(|r| r.status().is_success())
    }
}
