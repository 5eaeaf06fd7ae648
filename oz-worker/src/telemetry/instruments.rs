//! The catalogue of metrics. Every series that can be known beforehand is there from the start, so that dashboards and
//! alerts find it.

use crate::Config;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter},
};
use oz_core::{
    RunState,
    worker::{FailureReason, FromWorker},
};
use std::time::Duration;

const RESULTS: [&str; 4] = ["succeeded", "failed", "cancelled", "dispatched"];
/// In which part of a run it failed.
const PHASE: (&str, &str) = ("phase", "backend");

/// Why a connection has to be made again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reconnect {
    /// It could not be made.
    DialFailed,
    /// It ended.
    RemoteClose,
}

/// Why a run is declined.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rejection {
    /// There is no room.
    AtCapacity,
    /// The worker is about to end.
    ShuttingDown,
}

impl Reconnect {
    fn name(self) -> &'static str {
        match self {
            Self::DialFailed => "dial_failed",
            Self::RemoteClose => "remote_close",
        }
    }
}

impl Rejection {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AtCapacity => "at_capacity",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

/// All metrics of a worker.
pub(super) struct Instruments {
    connected: Gauge<u64>,
    active: UpDownCounter<i64>,
    claimed: Counter<u64>,
    rejected: Counter<u64>,
    completed: Counter<u64>,
    duration: Histogram<f64>,
    failures: Counter<u64>,
    reconnects: Counter<u64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter, config: &Config) -> Self {
        let counter =
            |name: &'static str, text: &'static str| meter.u64_counter(name).with_description(text).build();
        let gauge =
            |name: &'static str, text: &'static str| meter.u64_gauge(name).with_description(text).build();
        let all = Self {
            connected: gauge("oz_worker_connected", "Whether the worker is connected to the control plane."),
            active: meter
                .i64_up_down_counter("oz_worker_tasks_active")
                .with_description("Runs at work on this worker.")
                .build(),
            claimed: counter("oz_worker_tasks_claimed_total", "Runs that the worker has taken."),
            rejected: counter("oz_worker_tasks_rejected_total", "Runs that the worker has declined."),
            completed: counter(
                "oz_worker_tasks_completed_total",
                "Runs that have ended here, by how they ended.",
            ),
            duration: meter
                .f64_histogram("oz_worker_task_duration_seconds")
                .with_description("How long runs were at work here, by how they ended.")
                .with_unit("s")
                .build(),
            failures: counter("oz_worker_task_failures_total", "Runs that failed, by reason."),
            reconnects: counter(
                "oz_worker_websocket_reconnects_total",
                "How often the connection had to be made again, by reason.",
            ),
        };
        gauge("oz_worker_tasks_max_concurrent", "How many runs the worker takes at once; 0 means no limit.")
            .record(config.max_concurrent_tasks.into(), &[]);
        let about = [
            KeyValue::new("version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("backend", config.backend.name()),
            KeyValue::new("worker_id", config.worker_id.clone()),
        ];
        gauge("oz_worker_info", "What this worker is; always 1.").record(1, &about);
        all.prime();
        all
    }

    fn prime(&self) {
        self.connected(false);
        self.active.add(0, &[]);
        self.claimed.add(0, &[]);
        for why in [Rejection::AtCapacity, Rejection::ShuttingDown] {
            self.rejected.add(0, &[KeyValue::new("reason", why.name())]);
        }
        for result in RESULTS {
            self.completed.add(0, &[KeyValue::new("result", result)]);
        }
        for reason in FailureReason::KNOWN {
            self.failures.add(0, &[KeyValue::new(PHASE.0, PHASE.1), KeyValue::new("reason", *reason)]);
        }
        for why in [Reconnect::DialFailed, Reconnect::RemoteClose] {
            self.reconnects.add(0, &[KeyValue::new("reason", why.name())]);
        }
    }

    pub(super) fn connected(&self, connected: bool) {
        self.connected.record(connected.into(), &[]);
    }

    pub(super) fn reconnects(&self, why: Reconnect) {
        self.reconnects.add(1, &[KeyValue::new("reason", why.name())]);
    }

    pub(super) fn rejected(&self, why: Rejection) {
        self.rejected.add(1, &[KeyValue::new("reason", why.name())]);
    }

    pub(super) fn claimed(&self) {
        self.claimed.add(1, &[]);
    }

    pub(super) fn began(&self) {
        self.active.add(1, &[]);
    }

    pub(super) fn ended(&self, verdict: Option<&FromWorker>, dispatched: bool, after: Duration) {
        self.active.add(-1, &[]);
        let result = match verdict {
            Some(FromWorker::TaskCompleted { task_state: Some(RunState::Cancelled), .. }) => "cancelled",
            Some(FromWorker::TaskFailed { failure_reason, .. }) => {
                let reason = failure_reason.as_ref().map_or("unknown", FailureReason::as_str).to_owned();
                self.failures.add(1, &[KeyValue::new(PHASE.0, PHASE.1), KeyValue::new("reason", reason)]);
                "failed"
            }
            Some(_) => "succeeded",
            None if dispatched => "dispatched",
            // Left to the next worker, which will see its end.
            None => return,
        };
        let result = [KeyValue::new("result", result)];
        self.completed.add(1, &result);
        self.duration.record(after.as_secs_f64(), &result);
    }
}
