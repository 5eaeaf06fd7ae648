//! The transcript: what a run said and did, in the order it happened. It is our own form; provider formats are
//! converted at the edge of each model and harness.

use crate::{ExecutionId, Open, RunId, Timestamp, harness::HarnessEvent};
use serde::{Deserialize, Serialize};

/// One stored entry of a run's transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranscriptEntry {
    /// Place in the global log that it shares with events; the cursor of a live reader.
    pub sequence: i64,
    /// Place among all log entries of this run, counted from 1 without gaps.
    pub index: i64,
    /// The run.
    pub run_id: RunId,
    /// The execution that produced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// When the agent reported it.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: Open<HarnessEvent>,
}

/// One item of a run's live stream: its lifecycle events and its transcript in one order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LogItem {
    /// A lifecycle event, with its place among the run's log entries.
    Event {
        /// Place among all log entries of this run, counted from 1 without gaps.
        index: i64,
        /// The event.
        event: crate::event::Event,
    },
    /// A transcript entry.
    Entry {
        /// The entry.
        entry: TranscriptEntry,
    },
}

impl LogItem {
    /// The cursor after this item.
    #[must_use]
    pub fn sequence(&self) -> i64 {
        match self {
            Self::Event { event, .. } => event.sequence,
            Self::Entry { entry } => entry.sequence,
        }
    }
    /// The item's place among all log entries of its run.
    #[must_use]
    pub fn index(&self) -> i64 {
        match self {
            Self::Event { index, .. } => *index,
            Self::Entry { entry } => entry.index,
        }
    }
}
