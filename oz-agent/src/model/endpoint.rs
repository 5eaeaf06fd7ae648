//! One address of one provider: sends a request there and hands the answer to its decoder. It knows no message format,
//! and its key appears in no error and no debug output.

use super::{
    refusal,
    sse::{self, Decode},
};
use oz_core::{
    Error,
    model::{ModelError, ModelErrorKind, ModelStream},
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::{fmt, time::Duration};

/// How a provider wants to be told who calls.
pub(super) enum Credential {
    /// Not at all.
    None,
    /// `Authorization: Bearer`.
    Bearer(String),
    /// A header of its own.
    Header(&'static str, String),
}

impl Credential {
    fn key(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Bearer(key) | Self::Header(_, key) => Some(key),
        }
    }

    fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::None => None,
            Self::Bearer(key) => Some(("authorization", format!("Bearer {key}"))),
            Self::Header(name, key) => Some((name, key.clone())),
        }
    }
}

/// An address that answers requests with server-sent events.
pub(super) struct Endpoint {
    provider: &'static str,
    http: reqwest::Client,
    url: String,
    headers: HeaderMap,
    key: Option<String>,
    silence: Duration,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The endpoint at `base_url` + `path`. An answer that is silent for `silence` is given up.
    pub(super) fn new(
        provider: &'static str,
        base_url: &str,
        path: &str,
        credential: &Credential,
        silence: Duration,
    ) -> Result<Self, Error> {
        let http =
            oz_client::http_client(base_url).map_err(|e| Error::invalid(format!("{provider}: {e}")))?;
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = credential.header() {
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                Error::invalid(format!(
                    "{provider}: the API key has characters that no key has; is it complete?"
                ))
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let url = format!("{}{path}", base_url.trim_end_matches('/'));
        let key = credential.key().map(str::to_owned);
        Ok(Self { provider, http, url, headers, key, silence })
    }

    /// Adds a header to every request.
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Sends `body` and returns the answer as it arrives, decoded by `decoder`.
    pub(super) async fn post(&self, body: &Value, decoder: impl Decode) -> Result<ModelStream, ModelError> {
        let request = self.http.post(&self.url).headers(self.headers.clone()).json(body);
        let response = match tokio::time::timeout(self.silence, request.send()).await {
            Ok(response) => response.map_err(|e| sse::broken(self.provider, e))?,
            Err(_) => return Err(sse::silent(self.provider, self.silence)),
        };
        let status = response.status();
        if !status.is_success() {
            let retry_after = refusal::retry_after(response.headers());
            let body = match tokio::time::timeout(self.silence, sse::beginning(response)).await {
                Ok(body) => body.replace(self.key.as_deref().unwrap_or("\0"), "[key]"),
                Err(_) => String::new(),
            };
            return Err(refusal::refused(self.provider, status.as_u16(), retry_after, &body));
        }
        let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream") {
            return Err(ModelError::new(
                ModelErrorKind::Protocol,
                format!("{} answered with content type '{kind}'; expected text/event-stream", self.provider),
            ));
        }
        Ok(sse::read(self.provider, response.bytes_stream(), self.silence, decoder))
    }
}
