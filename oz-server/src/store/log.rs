//! The log: lifecycle events and transcript entries under one sequence. Appending and reading, nothing else.

use super::{Db, Result, Store, args, engine::Row, id, json, micros, timestamp, to_json};
use oz_core::{
    Open, RunId, RunState, Timestamp,
    api::NewEntry,
    event::{Event, EventType},
    transcript::{LogItem, TranscriptEntry},
};

const TRANSCRIPT: &str = "transcript";

/// A piece of a run's log and where the run stood when it was read.
pub(crate) struct LogRead {
    pub(crate) items: Vec<LogItem>,
    pub(crate) state: RunState,
}

/// Appends a lifecycle event.
pub(super) fn append_event(
    db: &Db<'_>,
    run_no: i64,
    event: &EventType,
    ref_id: Option<&str>,
    execution_id: Option<&str>,
    now: Timestamp,
) -> Result<i64> {
    append(db, run_no, event.as_str(), ref_id, execution_id, micros(now), None)
}

/// Appends transcript entries that this execution has not sent before. Returns those.
pub(super) fn append_entries<'e>(
    db: &Db<'_>,
    run_no: i64,
    execution_id: &str,
    entries: &'e [NewEntry],
) -> Result<Vec<&'e NewEntry>> {
    let known: i64 =
        db.one("SELECT last_number FROM executions WHERE execution_id = ?1", args![execution_id], |row| {
            row.get(0)
        })?;
    let mut last = known;
    let new: Vec<&NewEntry> = entries.iter().filter(|e| e.number > known).collect();
    for entry in &new {
        last = last.max(entry.number);
        let payload = to_json(&entry.event)?;
        append(db, run_no, TRANSCRIPT, None, Some(execution_id), micros(entry.occurred_at), Some(&payload))?;
    }
    if last > known {
        db.execute(
            "UPDATE executions SET last_number = ?2 WHERE execution_id = ?1",
            args![execution_id, last],
        )?;
    }
    Ok(new)
}

/// Appends an entry that has no number, because it does not come from the harness.
pub(super) fn append_notice(db: &Db<'_>, run_no: i64, execution_id: &str, entry: &NewEntry) -> Result<()> {
    let (at, payload) = (micros(entry.occurred_at), to_json(&entry.event)?);
    append(db, run_no, TRANSCRIPT, None, Some(execution_id), at, Some(&payload))?;
    Ok(())
}

fn append(
    db: &Db<'_>,
    run_no: i64,
    kind: &str,
    ref_id: Option<&str>,
    execution_id: Option<&str>,
    at: i64,
    payload: Option<&str>,
) -> Result<i64> {
    db.changed(|c| {
        c.runs.insert(run_no);
    });
    db.one(
        "INSERT INTO log (run_no, run_index, event_type, ref_id, execution_id, occurred_at, payload)
         VALUES (?1, 1 + COALESCE((SELECT run_index FROM log WHERE run_no = ?1 ORDER BY sequence DESC LIMIT 1), 0),
           ?2, ?3, ?4, ?5, ?6) RETURNING sequence",
        args![run_no, kind, ref_id, execution_id, at, payload],
        |row| row.get(0),
    )
}

const COLUMNS: &str = "sequence, run_index, event_type, ref_id, execution_id, occurred_at, payload";

impl Store {
    /// Records a change that somebody tells of. Returns its place in the global order.
    pub(crate) async fn report_event(
        &self,
        run_no: i64,
        event: EventType,
        ref_id: Option<String>,
        execution_id: Option<String>,
        now: Timestamp,
    ) -> Result<i64> {
        self.engine
            .write(move |db| {
                append_event(db, run_no, &event, ref_id.as_deref(), execution_id.as_deref(), now)
            })
            .await
    }

    /// Reads a run's log after `since`, at most `limit` items.
    pub(crate) async fn read_log(
        &self,
        run_no: i64,
        run_id: RunId,
        since: i64,
        limit: i64,
    ) -> Result<LogRead> {
        self.engine
            .read(move |db| {
                // The state is read first: when it is terminal, the items read after it are all there will ever be.
                let state =
                    db.one("SELECT state FROM runs WHERE run_no = ?1", args![run_no], |row| {
                        Ok(RunState::from(row.get::<&str>(0)?))
                    })?;
                let items = db.rows(
                    &format!(
                        "SELECT {COLUMNS} FROM log WHERE run_no = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
                    ),
                    args![run_no, since, limit],
                    |row| item(row, run_id),
                )?;
                Ok(LogRead { items, state })
            })
            .await
    }

    /// Reads a run's transcript entries after `since`, at most `limit`.
    pub(crate) async fn read_transcript(
        &self,
        run_no: i64,
        run_id: RunId,
        since: i64,
        limit: i64,
    ) -> Result<Vec<TranscriptEntry>> {
        self.engine.read(move |db| transcript(db, run_no, run_id, since, i64::MAX, limit)).await
    }

    /// Reads the lifecycle events of some runs after `since` in their global order, at most `limit`.
    pub(crate) async fn read_events(
        &self,
        runs: Vec<(i64, RunId)>,
        since: i64,
        limit: usize,
    ) -> Result<Vec<Event>> {
        self.engine
            .read(move |db| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM log WHERE run_no = ?1 AND sequence > ?2 AND payload IS NULL
                     ORDER BY sequence LIMIT ?3"
                );
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                let mut events = Vec::new();
                for (run_no, run_id) in &runs {
                    let items = db.rows(&sql, args![*run_no, since, most], |row| item(row, *run_id))?;
                    events.extend(items.into_iter().filter_map(|item| match item {
                        LogItem::Event { event, .. } => Some(event),
                        LogItem::Entry { .. } => None,
                    }));
                }
                events.sort_by_key(|e| e.sequence);
                events.truncate(limit);
                Ok(events)
            })
            .await
    }
}

/// Transcript entries of a run with a sequence in `since < sequence <= until`.
pub(super) fn transcript(
    db: &Db<'_>,
    run_no: i64,
    run_id: RunId,
    since: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<TranscriptEntry>> {
    let items = db.rows(
        &format!(
            "SELECT {COLUMNS} FROM log WHERE run_no = ?1 AND sequence > ?2 AND sequence <= ?4 AND payload IS NOT NULL
             ORDER BY sequence LIMIT ?3"
        ),
        args![run_no, since, limit, until],
        |row| item(row, run_id),
    )?;
    Ok(items
        .into_iter()
        .filter_map(|item| match item {
            LogItem::Entry { entry } => Some(entry),
            LogItem::Event { .. } => None,
        })
        .collect())
}

fn item(row: &Row<'_>, run_id: RunId) -> Result<LogItem> {
    let (sequence, index) = (row.get(0)?, row.get(1)?);
    let execution_id = row.get::<Option<&str>>(4)?.map(id).transpose()?;
    let occurred_at = timestamp(row.get(5)?)?;
    if let Some(payload) = row.get::<Option<&str>>(6)? {
        let event: Open<_> = json(payload)?;
        return Ok(LogItem::Entry {
            entry: TranscriptEntry { sequence, index, run_id, execution_id, occurred_at, event },
        });
    }
    let event_type = EventType::from(row.get::<&str>(2)?);
    let event = Event { event_type, run_id, ref_id: row.get(3)?, execution_id, occurred_at, sequence };
    Ok(LogItem::Event { index, event })
}
