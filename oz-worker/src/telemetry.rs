//! What others can measure of a worker: metrics and traces by OpenTelemetry. Without its variables in the environment
//! nothing is measured, nothing listens and nothing is sent. A failure here never ends the worker.

mod choice;
mod instruments;
#[cfg(feature = "otlp")]
mod otlp;
mod scrape;
mod trace;

pub(crate) use instruments::{Reconnect, Rejection};
pub(crate) use trace::Trace;

use crate::Config;
use choice::{Choice, Exporter};
use instruments::Instruments;
use opentelemetry::{KeyValue, metrics::MeterProvider as _, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    metrics::{MeterProviderBuilder, PeriodicReader, SdkMeterProvider},
    resource::EnvResourceDetector,
    trace::{SdkTracer, SdkTracerProvider},
};
use oz_core::worker::FromWorker;
use scrape::Scrape;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// The name of what measures, and of the service when nobody names another.
const SCOPE: &str = "oz-agent-worker";
/// How long the last metrics and traces may take.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Where what happens is counted; costs nothing when nobody counts. Clones count in the same place.
#[derive(Clone, Default)]
pub(crate) struct Telemetry(Option<Arc<Inner>>);

struct Inner {
    instruments: Option<Instruments>,
    meters: Option<SdkMeterProvider>,
    tracer: Option<SdkTracer>,
    traces: Option<SdkTracerProvider>,
    scrape: Option<Scrape>,
}

impl Telemetry {
    /// What the variables of this process ask for. What can't be had is said in the log and left out.
    pub(crate) async fn of_this_process(config: &Config) -> Self {
        match Choice::new(&|name| std::env::var(name).ok()) {
            Ok(choice) => Self::start(choice, config).await,
            Err(problem) => {
                tracing::error!("there are no metrics and traces: {problem}");
                Self::default()
            }
        }
    }

    async fn start(choice: Choice, config: &Config) -> Self {
        if (choice.metrics, choice.traces) == (Exporter::None, Exporter::None) {
            return Self::default();
        }
        let resource = resource(config);
        let mut scrape = None;
        let meters = match meters(&choice, &resource, &mut scrape).await {
            Ok(meters) => meters,
            Err(problem) => {
                tracing::error!("there are no metrics: {problem}");
                None
            }
        };
        let traces = match traces(&choice, resource) {
            Ok(traces) => traces,
            Err(problem) => {
                tracing::error!("there are no traces: {problem}");
                None
            }
        };
        let instruments = meters.as_ref().map(|meters| Instruments::new(&meters.meter(SCOPE), config));
        let tracer = traces.as_ref().map(|traces| traces.tracer(SCOPE));
        Self(Some(Arc::new(Inner { instruments, meters, tracer, traces, scrape })))
    }

    fn count(&self, what: impl FnOnce(&Instruments)) {
        if let Some(instruments) = self.0.as_ref().and_then(|inner| inner.instruments.as_ref()) {
            what(instruments);
        }
    }

    /// Whether there is a connection to the control plane.
    pub(crate) fn connected(&self, connected: bool) {
        self.count(|all| all.connected(connected));
        if let Some(scrape) = self.0.as_ref().and_then(|inner| inner.scrape.as_ref()) {
            scrape.set_ready(connected);
        }
    }

    /// The connection has to be made again.
    pub(crate) fn reconnects(&self, why: Reconnect) {
        self.count(|all| all.reconnects(why));
    }

    /// A run was declined.
    pub(crate) fn rejected(&self, why: Rejection) {
        self.count(|all| all.rejected(why));
    }

    /// A run was taken.
    pub(crate) fn claimed(&self) {
        self.count(Instruments::claimed);
    }

    /// A run is at work.
    pub(crate) fn began(&self) {
        self.count(Instruments::began);
    }

    /// A run is not at work any more; `verdict` is how it ended, unless it goes on elsewhere.
    pub(crate) fn ended(&self, verdict: Option<&FromWorker>, dispatched: bool, after: Duration) {
        self.count(|all| all.ended(verdict, dispatched, after));
    }

    /// The trace of a run.
    pub(crate) fn trace(&self, task_id: Uuid, title: &str) -> Trace {
        match self.0.as_ref().and_then(|inner| inner.tracer.as_ref()) {
            Some(tracer) => Trace::begin(tracer, task_id, title),
            None => Trace::default(),
        }
    }

    /// Sends what was not sent yet and stops listening.
    pub(crate) async fn finish(self) {
        let Some(inner) = self.0 else { return };
        if let Some(scrape) = &inner.scrape {
            scrape.stop();
        }
        // Both wait for threads of their own, which need this one.
        let flush = tokio::task::spawn_blocking(move || {
            let metrics = inner.meters.as_ref().map(SdkMeterProvider::shutdown);
            let traces = inner.traces.as_ref().map(SdkTracerProvider::shutdown);
            metrics.into_iter().chain(traces).find_map(Result::err)
        });
        match tokio::time::timeout(FLUSH_LIMIT, flush).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(error))) => tracing::warn!("the last metrics or traces were not sent: {error}"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last metrics or traces were not sent in time"),
        }
    }
}

/// What every metric and span carries.
fn resource(config: &Config) -> Resource {
    let about = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("worker.id", config.worker_id.clone()),
        KeyValue::new("worker.backend", config.backend.name()),
    ];
    let resource = Resource::builder_empty()
        .with_service_name(SCOPE)
        .with_attributes(about)
        .with_detector(Box::new(EnvResourceDetector::new()));
    match std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty()) {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

async fn meters(
    choice: &Choice,
    resource: &Resource,
    scrape: &mut Option<Scrape>,
) -> Result<Option<SdkMeterProvider>, String> {
    let builder: MeterProviderBuilder = SdkMeterProvider::builder().with_resource(resource.clone());
    Ok(Some(
        match &choice.metrics {
            Exporter::None => return Ok(None),
            Exporter::Console => builder.with_reader(
                PeriodicReader::builder(opentelemetry_stdout::MetricExporter::default()).build(),
            ),
            Exporter::Prometheus => {
                let (started, exporter) = Scrape::start(&choice.prometheus.0, choice.prometheus.1).await?;
                *scrape = Some(started);
                builder.with_reader(exporter)
            }
            #[cfg(feature = "otlp")]
            Exporter::Otlp(protocol) => {
                builder.with_reader(PeriodicReader::builder(otlp::metrics(*protocol)?).build())
            }
            #[cfg(not(feature = "otlp"))]
            Exporter::Otlp(_) => return Err(NO_OTLP.to_owned()),
        }
        .build(),
    ))
}

fn traces(choice: &Choice, resource: Resource) -> Result<Option<SdkTracerProvider>, String> {
    let builder = SdkTracerProvider::builder().with_resource(resource);
    Ok(Some(
        match &choice.traces {
            Exporter::None | Exporter::Prometheus => return Ok(None),
            Exporter::Console => builder.with_simple_exporter(opentelemetry_stdout::SpanExporter::default()),
            #[cfg(feature = "otlp")]
            Exporter::Otlp(protocol) => builder.with_batch_exporter(otlp::traces(*protocol)?),
            #[cfg(not(feature = "otlp"))]
            Exporter::Otlp(_) => return Err(NO_OTLP.to_owned()),
        }
        .build(),
    ))
}

#[cfg(not(feature = "otlp"))]
const NO_OTLP: &str = "this program was built without the feature 'otlp'";
