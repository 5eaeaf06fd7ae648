//! Requests about the event log.

use super::Validate;
use crate::{
    Error, ExecutionId, RunId,
    event::{Event, EventType},
    transcript::LogItem,
};
use serde::{Deserialize, Serialize};

/// Read the events of some runs after a cursor.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListEvents {
    /// The runs.
    #[serde(default)]
    pub run_ids: Vec<RunId>,
    /// Only events with a greater sequence.
    #[serde(default)]
    pub since: i64,
    /// At most this many, 1 to 500; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
impl Validate for ListEvents {
    fn validate(&self) -> Result<(), Error> {
        if self.run_ids.is_empty() {
            return Err(Error::invalid("run_ids: at least one run id is required"));
        }
        super::check_limit(self.limit, 500)
    }
}

/// Read a run's events and transcript after a cursor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadLog {
    /// The run.
    pub run_id: RunId,
    /// Only items with a greater sequence.
    #[serde(default)]
    pub since: i64,
    /// At most this many, 1 to 1000; 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
impl Validate for ReadLog {
    fn validate(&self) -> Result<(), Error> {
        super::check_limit(self.limit, 1000)
    }
}

/// A piece of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogPage {
    /// Events and transcript entries in order.
    pub items: Vec<LogItem>,
}

/// Store the cursor of a run's event consumer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreEventSequence {
    /// The run.
    pub run_id: RunId,
    /// The last sequence that was handled; a smaller one than stored is ignored.
    pub sequence: i64,
}
impl Validate for StoreEventSequence {}

/// Tell of a change in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportEvent {
    /// The run.
    pub run_id: RunId,
    /// What happened: `run_in_progress`, `run_succeeded`, `run_failed`, `run_errored`, `run_blocked` or
    /// `run_cancelled`.
    pub event_type: EventType,
    /// In which execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// What else it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_id: Option<String>,
}
impl Validate for ReportEvent {
    fn validate(&self) -> Result<(), Error> {
        use EventType as E;
        match self.event_type {
            E::RunInProgress
            | E::RunSucceeded
            | E::RunFailed
            | E::RunErrored
            | E::RunBlocked
            | E::RunCancelled => Ok(()),
            ref other => Err(Error::invalid_field(
                "event_type",
                other.as_str(),
                "run_in_progress, run_succeeded, run_failed, run_errored, run_blocked or run_cancelled",
            )),
        }
    }
}

/// An event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventReported {
    /// Its place in the global order.
    pub sequence: i64,
}

/// What the event stream sends as data; here for the OpenAPI document.
pub type StreamedEvent = Event;
