//! The endpoint that a Prometheus server asks: `/metrics`, and beside it `/healthz` and `/readyz` for whoever looks after
//! the process.

use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_prometheus::PrometheusExporter;
use prometheus::{Registry, TextEncoder};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many callers are answered at once.
const CALLERS: usize = 16;

/// The endpoint, for as long as nobody stops it.
pub(super) struct Scrape {
    ready: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Scrape {
    /// Begins to listen. What the exporter reads is what callers get.
    pub(super) async fn start(host: &str, port: u16) -> Result<(Self, PrometheusExporter), String> {
        let listener = TcpListener::bind((host, port)).await.map_err(|error| {
            format!("OTEL_EXPORTER_PROMETHEUS_HOST, OTEL_EXPORTER_PROMETHEUS_PORT: can't listen on {host}:{port}: {error}")
        })?;
        if let Ok(address) = listener.local_addr() {
            tracing::info!("metrics are at http://{address}/metrics");
        }
        let registry = Registry::new();
        // The names are complete as they are.
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_units()
            .without_counter_suffixes()
            .build()
            .map_err(|error| error.to_string())?;
        let started = Self { ready: Arc::default(), stop: CancellationToken::new() };
        tokio::spawn(serve(listener, registry, started.ready.clone(), started.stop.clone()));
        Ok((started, exporter))
    }

    /// Whether runs can come.
    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Relaxed);
    }

    /// Stops listening.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, registry: Registry, ready: Arc<AtomicBool>, stop: CancellationToken) {
    let callers = Arc::new(Semaphore::new(CALLERS));
    loop {
        let room = callers.clone().acquire_owned();
        let next = async { (room.await, listener.accept().await) };
        let (room, stream) = tokio::select! {
            () = stop.cancelled() => return,
            (room, accepted) = next => match accepted {
                Ok((stream, _)) => (room, stream),
                Err(_) => {
                    // Usually there are too many open files.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (registry, ready) = (registry.clone(), ready.clone());
        tokio::spawn(async move {
            converse(stream, &registry, &ready).await;
            drop(room);
        });
    }
}

async fn converse(stream: TcpStream, registry: &Registry, ready: &AtomicBool) {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(request.method(), request.uri().path(), registry, ready.load(Relaxed)))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
    // A caller that hangs up has what it wanted.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(method: &Method, path: &str, registry: &Registry, ready: bool) -> Response<String> {
    let (status, text) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            match TextEncoder::new().encode_to_string(&registry.gather()) {
                Ok(text) => (StatusCode::OK, text),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            }
        }
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") if ready => (StatusCode::OK, "connected\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") => {
            (StatusCode::SERVICE_UNAVAILABLE, "not connected to the control plane\n".to_owned())
        }
        _ => (StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}
