//! Measurements pushed to a collector. The exporters run on threads of the library, which have no runtime: their HTTP
//! requests are made on the worker's own.

use super::choice::Protocol;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithHttpConfig as _};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a collector may take, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// What sends metrics.
pub(super) fn metrics(protocol: Protocol) -> Result<MetricExporter, String> {
    match protocol {
        Protocol::Http => MetricExporter::builder().with_http().with_http_client(Client::new()?).build(),
        Protocol::Grpc => MetricExporter::builder().with_tonic().build(),
    }
    .map_err(|error| error.to_string())
}

/// What sends spans.
pub(super) fn traces(protocol: Protocol) -> Result<SpanExporter, String> {
    match protocol {
        Protocol::Http => SpanExporter::builder().with_http().with_http_client(Client::new()?).build(),
        Protocol::Grpc => SpanExporter::builder().with_tonic().build(),
    }
    .map_err(|error| error.to_string())
}

#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new() -> Result<Self, String> {
        // Fails when somebody else was faster, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let told = std::env::var("OTEL_EXPORTER_OTLP_TIMEOUT").ok().and_then(|text| text.trim().parse().ok());
        let limit = told.map_or(LIMIT, Duration::from_millis);
        let http = reqwest::Client::builder().timeout(limit).build().map_err(|error| error.to_string())?;
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        Ok(Self { http, runtime })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let response = http.execute(request.try_into()?).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = Response::new(response.bytes().await?);
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            Ok::<_, reqwest::Error>(answer)
        });
        Ok(sent.await??)
    }
}
