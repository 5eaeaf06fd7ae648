//! The run's event log as orchestrators see it. All events share one global, monotonic sequence, which is the cursor
//! of every reader.

use crate::{RunId, Timestamp, open::open_enum};
use serde::{Deserialize, Serialize};

open_enum! {
    /// What happened.
    EventType {
        /// The run was created or given back to the queue (our addition).
        RunQueued = "run_queued",
        /// A worker took the run (our addition).
        RunClaimed = "run_claimed",
        /// The agent started to work.
        RunInProgress = "run_in_progress",
        /// The run succeeded.
        RunSucceeded = "run_succeeded",
        /// The run failed through something its user can fix.
        RunFailed = "run_failed",
        /// The run failed through the platform.
        RunErrored = "run_errored",
        /// The run waits for a human.
        RunBlocked = "run_blocked",
        /// The run was cancelled.
        RunCancelled = "run_cancelled",
        /// A message arrived for the run.
        NewMessage = "new_message",
        /// The run started a child run.
        ChildAgentStarted = "child_agent_started",
        /// A live session was linked to the run.
        RunSessionLinked = "run_session_linked",
    }
}

/// One entry of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// The run it happened to.
    pub run_id: RunId,
    /// What else it concerns: a message, a child run, a session.
    pub ref_id: Option<String>,
    /// The execution it happened in.
    pub execution_id: Option<crate::ExecutionId>,
    /// When.
    pub occurred_at: Timestamp,
    /// Its place in the global order.
    pub sequence: i64,
}
