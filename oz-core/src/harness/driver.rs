//! What the driver of a run tells who watches it, and how the run ended.

use super::HarnessEvent;
use crate::{RunId, RunState, run::StatusMessage, usage::Usage};
use serde::Serialize;

/// What an observer of a run is told, as it happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DriverEvent {
    /// The run has a record at the control plane.
    RunStarted {
        /// Its id.
        run_id: RunId,
    },
    /// Something happened in the run.
    Event {
        /// What.
        event: HarnessEvent,
    },
    /// The agent does nothing until the person at this machine says something.
    Listens,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DriverResult {
    /// The state in which it ended.
    pub state: RunState,
    /// Why.
    pub status: StatusMessage,
    /// What it used.
    pub usage: Usage,
    /// Its id, where it has a record.
    pub run_id: Option<RunId>,
}
