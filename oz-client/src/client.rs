//! The client: turns rows of the endpoint table into HTTP and back.

use crate::{Error, http::http_client, retry};
use oz_core::{
    ErrorCode,
    api::{BASE, Endpoint, Info, SOURCE_HEADER, WORKLOAD_TOKEN_HEADER},
    error::Problem,
};
use reqwest::{RequestBuilder, Response, header};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::Duration};

/// How long a call may take; streams have no limit.
const WITHIN: Duration = Duration::from_secs(60);

/// A client of one control plane. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    server_url: String,
    api_key: Option<String>,
    workload_token: Option<String>,
    source: Option<String>,
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
        let shared = Shared { server_url, api_key, workload_token: None, source: None };
        Ok(Self { http, shared: Arc::new(shared) })
    }

    /// The same client with the token of a run, which it then acts for.
    #[must_use]
    pub fn with_workload_token(mut self, token: &str) -> Self {
        Arc::make_mut(&mut self.shared).workload_token = Some(token.to_owned());
        self
    }

    /// The same client, whose calls say what made them, such as `CLI`.
    #[must_use]
    pub fn with_source(mut self, source: &str) -> Self {
        Arc::make_mut(&mut self.shared).source = Some(source.to_owned());
        self
    }

    /// The server's address, without a slash at its end.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.shared.server_url
    }

    /// Calls an endpoint, trying again where that is safe and makes sense.
    ///
    /// # Errors
    /// The last error when every try failed.
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<E::Response, Error> {
        let mut attempt = 1;
        loop {
            match self.send_once(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => match retry::delay(&error, &E::INFO.method, attempt, retry::jitter()) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
            }
            attempt += 1;
        }
    }

    /// Calls an endpoint exactly once.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn send_once<E: Endpoint>(&self, request: &E) -> Result<E::Response, Error> {
        let info = E::INFO;
        let request = self.request(&info, serde_json::to_value(request).unwrap_or_default())?;
        let response = self.execute(request.timeout(WITHIN)).await?;
        let bytes = response.bytes().await.map_err(|e| Error::from_http(e, self.server_url()))?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        serde_path_to_error::deserialize(&mut json)
            .map_err(|e| Error::Decode { what: info.id.to_owned(), reason: e.to_string() })
    }

    /// Builds the HTTP request for a row and the fields of its request type.
    fn request(&self, info: &Info, fields: Value) -> Result<RequestBuilder, Error> {
        let Value::Object(mut fields) = fields else {
            return Err(Error::Config(format!("{} is not an object", info.id)));
        };
        let mut path = info.path.to_owned();
        for name in info.path_fields() {
            let value = fields.remove(name).map(|v| scalar(&v)).unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), &encode(&value));
        }
        let url = format!("{}{BASE}{path}", self.shared.server_url);
        let mut request = self.http.request(info.method.clone(), url);
        request = if info.in_query() { request.query(&query(fields)) } else { request.json(&fields) };
        Ok(self.authorize(request))
    }

    /// Adds who calls and why.
    pub(crate) fn authorize(&self, mut request: RequestBuilder) -> RequestBuilder {
        let Shared { api_key, workload_token, source, .. } = &*self.shared;
        if let Some(key) = api_key.as_ref().or(workload_token.as_ref()) {
            request = request.bearer_auth(key);
        }
        if let Some(token) = workload_token {
            request = request.header(WORKLOAD_TOKEN_HEADER, token);
        }
        if let Some(source) = source {
            request = request.header(SOURCE_HEADER, source);
        }
        request
    }

    /// A GET of a path under the server's address.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.authorize(self.http.get(format!("{}{path}", self.shared.server_url)))
    }

    /// GETs the address that a redirect names, which carries its own proof: our keys stay here.
    pub(crate) async fn follow(&self, location: &str) -> Result<Response, Error> {
        let base = url::Url::parse(&self.shared.server_url).map_err(|e| Error::Config(e.to_string()))?;
        let target =
            base.join(location).map_err(|e| Error::Config(format!("redirect to '{location}': {e}")))?;
        if base.scheme() == "https" && target.scheme() != "https" {
            let (url, location) = (self.server_url().to_owned(), location.to_owned());
            return Err(Error::Redirect { url, location });
        }
        let http =
            if base.origin() == target.origin() { self.http.clone() } else { http_client(target.as_str())? };
        self.execute(http.get(target)).await
    }

    /// Sends a request and turns a problem into an error.
    pub(crate) async fn execute(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|e| Error::from_http(e, self.server_url()))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        if let Some(location) = text(header::LOCATION.as_str()).filter(|_| response.status().is_redirection())
        {
            return Err(Error::Redirect { url: self.server_url().to_owned(), location: location.to_owned() });
        }
        let retry_after =
            text("retry-after-ms").and_then(|v| v.parse().ok().map(Duration::from_millis)).or_else(|| {
                text(header::RETRY_AFTER.as_str()).and_then(|v| v.parse().ok().map(Duration::from_secs))
            });
        let should_retry = text("x-should-retry").map(|v| v == "true");
        let body = response.bytes().await.unwrap_or_default();
        let error = match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => oz_core::Error { status: Some(status), ..problem.into() },
            Err(_) => {
                let mut error = oz_core::Error::new(
                    ErrorCode::from_status(status),
                    format!("{} answered {status}", self.server_url()),
                );
                error.status = Some(status);
                error
            }
        };
        Err(Error::Api { error, retry_after, should_retry })
    }

    /// Whether a control plane answers at the address within `within`.
    pub async fn healthy(&self, within: Duration) -> bool {
        let request = self.http.get(format!("{}/healthz", self.shared.server_url)).timeout(within);
        request.send().await.is_ok_and(|r| r.status().is_success())
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn encode(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Lists become repeated keys, maps become `name[key]`.
fn query(fields: Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(list) => pairs.extend(list.iter().map(|v| (name.clone(), scalar(v)))),
            Value::Object(map) => pairs.extend(map.iter().map(|(k, v)| (format!("{name}[{k}]"), scalar(v)))),
            other => pairs.push((name, scalar(&other))),
        }
    }
    pairs
}
