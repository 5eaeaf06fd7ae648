//! A collector that understands what it is sent: over HTTP with axum, over gRPC with tonic.

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
pub(super) use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

#[derive(Default)]
struct Received {
    metrics: BTreeSet<String>,
    resource: HashMap<String, String>,
    spans: Vec<Span>,
    headers: HashSet<String>,
}

type Shared = Arc<Mutex<Received>>;

/// The collector; it ends with this.
pub(super) struct Collector {
    pub(super) url: String,
    received: Shared,
    server: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Attributes whose values are texts.
pub(super) fn attributes(all: &[KeyValue]) -> HashMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some((pair.key.clone(), text.clone())),
        _ => None,
    };
    all.iter().filter_map(text).collect()
}

impl Received {
    fn take_metrics(&mut self, request: ExportMetricsServiceRequest) {
        for resource in request.resource_metrics {
            self.resource.extend(attributes(&resource.resource.unwrap_or_default().attributes));
            let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            self.metrics.extend(metrics.map(|metric| metric.name));
        }
    }

    fn take_spans(&mut self, request: ExportTraceServiceRequest) {
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.spans.extend(scopes.flat_map(|scope| scope.spans));
        self.spans.sort_by_key(|span| span.start_time_unix_nano);
    }
}

#[derive(Clone)]
struct Service(Shared);

impl Service {
    fn note<T>(&self, request: &Request<T>) {
        let team = request.metadata().get("x-team").and_then(|value| value.to_str().ok());
        self.0.lock().unwrap().headers.insert(team.unwrap_or_default().to_owned());
    }
}

#[tonic::async_trait]
impl MetricsService for Service {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.note(&request);
        self.0.lock().unwrap().take_metrics(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note(&request);
        self.0.lock().unwrap().take_spans(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn metrics(State(received): State<Shared>, headers: HeaderMap, body: Bytes) {
    let mut received = received.lock().unwrap();
    received.headers.insert(headers["x-team"].to_str().unwrap().to_owned());
    received.take_metrics(ExportMetricsServiceRequest::decode(body).unwrap());
}

async fn spans(State(received): State<Shared>, headers: HeaderMap, body: Bytes) {
    let mut received = received.lock().unwrap();
    received.headers.insert(headers["x-team"].to_str().unwrap().to_owned());
    received.take_spans(ExportTraceServiceRequest::decode(body).unwrap());
}

impl Collector {
    pub(super) async fn http() -> Self {
        let received = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/metrics", post(metrics)).route("/v1/traces", post(spans));
        let router = router.with_state(received.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, server }
    }

    pub(super) async fn grpc() -> Self {
        let received = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Service(received.clone());
        let server = tonic::transport::Server::builder()
            .add_service(MetricsServiceServer::new(service.clone()))
            .add_service(TraceServiceServer::new(service))
            .serve_with_incoming(TcpIncoming::from(listener));
        let server = tokio::spawn(async move { server.await.unwrap() });
        Self { url, received, server }
    }

    /// The names of the metrics.
    pub(super) fn metrics(&self) -> BTreeSet<String> {
        self.received.lock().unwrap().metrics.clone()
    }

    /// What the metrics say of their source.
    pub(super) fn resource(&self) -> HashMap<String, String> {
        self.received.lock().unwrap().resource.clone()
    }

    /// The spans, in the order of their beginning.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.received.lock().unwrap().spans.clone()
    }

    /// The values of the header `x-team`, empty where it was missing.
    pub(super) fn headers(&self) -> HashSet<String> {
        self.received.lock().unwrap().headers.clone()
    }
}
