//! The log of what happened to runs, read by polling; [`Client::watch`](crate::Client::watch) and
//! [`Client::events`](crate::Client::events) read it live.

use oz_core::{
    RunId,
    api::{Empty, EventReported, LogPage},
    event::Event,
};

noun! {
    /// Calls about the log of what happened to runs.
    EventLog event_log
}

calls! { EventLog;
    /// Reads a run's events and transcript after a cursor.
    read(ReadLog) -> LogPage;
    /// Reads the events of some runs after a cursor.
    list(ListEvents) -> Vec<Event>;
    /// Tells of a change in a run.
    report(ReportEvent) -> EventReported;
    /// Stores the last sequence that a consumer of a run's events has handled; a smaller one than stored is ignored.
    store_sequence(StoreEventSequence { run_id: RunId, sequence: i64 }) -> Empty;
}
