//! The log: lifecycle events and transcript entries under one sequence. Appending and reading, nothing else.

use super::{Result, Store, id, json, micros, timestamp, to_json};
use oz_core::{
    Open, RunId, RunState, Timestamp,
    api::NewEntry,
    event::{Event, EventType},
    transcript::{LogItem, TranscriptEntry},
};
use rusqlite::{Connection, Row, params};

const TRANSCRIPT: &str = "transcript";

/// A piece of a run's log and where the run stood when it was read.
pub(crate) struct LogRead {
    pub(crate) items: Vec<LogItem>,
    pub(crate) state: RunState,
}

/// Appends a lifecycle event.
pub(super) fn append_event(
    db: &Connection,
    run_no: i64,
    event: &EventType,
    ref_id: Option<&str>,
    execution_id: Option<&str>,
    now: Timestamp,
) -> Result<i64> {
    let index = last_index(db, run_no)? + 1;
    append(db, run_no, index, event.as_str(), ref_id, execution_id, micros(now), None)
}

/// Appends transcript entries that this execution has not sent before.
pub(super) fn append_entries(
    db: &Connection,
    run_no: i64,
    execution_id: &str,
    entries: &[NewEntry],
) -> Result<()> {
    let known: i64 = db
        .prepare_cached("SELECT last_number FROM executions WHERE execution_id = ?1")?
        .query_row([execution_id], |row| row.get(0))?;
    let mut last = known;
    let mut index = last_index(db, run_no)?;
    for entry in entries.iter().filter(|e| e.number > known) {
        index += 1;
        last = last.max(entry.number);
        let payload = to_json(&entry.event)?;
        append(
            db,
            run_no,
            index,
            TRANSCRIPT,
            None,
            Some(execution_id),
            micros(entry.occurred_at),
            Some(&payload),
        )?;
    }
    if last > known {
        db.prepare_cached("UPDATE executions SET last_number = ?2 WHERE execution_id = ?1")?
            .execute(params![execution_id, last])?;
    }
    Ok(())
}

fn last_index(db: &Connection, run_no: i64) -> Result<i64> {
    let last = db
        .prepare_cached("SELECT run_index FROM log WHERE run_no = ?1 ORDER BY sequence DESC LIMIT 1")?
        .query_map([run_no], |row| row.get(0))?
        .next()
        .transpose()?;
    Ok(last.unwrap_or(0))
}

#[expect(clippy::too_many_arguments, reason = "one per column of the log")]
fn append(
    db: &Connection,
    run_no: i64,
    index: i64,
    kind: &str,
    ref_id: Option<&str>,
    execution_id: Option<&str>,
    at: i64,
    payload: Option<&str>,
) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "INSERT INTO log (run_no, run_index, event_type, ref_id, execution_id, occurred_at, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING sequence",
        )?
        .query_row(params![run_no, index, kind, ref_id, execution_id, at, payload], |row| row.get(0))?)
}

impl Store {
    /// Reads a run's log after `since`, at most `limit` items.
    pub(crate) fn read_log(&self, run_no: i64, run_id: RunId, since: i64, limit: i64) -> Result<LogRead> {
        self.engine.read_now(|db| {
            // The state is read first: when it is terminal, the items read after it are all there will ever be.
            let state: String = db
                .prepare_cached("SELECT state FROM runs WHERE run_no = ?1")?
                .query_row([run_no], |row| row.get(0))?;
            let mut query = db.prepare_cached(
                "SELECT sequence, run_index, event_type, ref_id, execution_id, occurred_at, payload FROM log
                 WHERE run_no = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            )?;
            let mut rows = query.query(params![run_no, since, limit])?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(item(row, run_id)?);
            }
            Ok(LogRead { items, state: RunState::from(state.as_str()) })
        })
    }

    /// Reads a run's transcript entries after `since`, at most `limit`.
    pub(crate) fn read_transcript(
        &self,
        run_no: i64,
        run_id: RunId,
        since: i64,
        limit: i64,
    ) -> Result<Vec<TranscriptEntry>> {
        self.engine.read_now(|db| {
            let mut query = db.prepare_cached(
                "SELECT sequence, run_index, event_type, ref_id, execution_id, occurred_at, payload FROM log
                 WHERE run_no = ?1 AND sequence > ?2 AND payload IS NOT NULL ORDER BY sequence LIMIT ?3",
            )?;
            let mut rows = query.query(params![run_no, since, limit])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                if let LogItem::Entry { entry } = item(row, run_id)? {
                    entries.push(entry);
                }
            }
            Ok(entries)
        })
    }

    /// Reads the lifecycle events of some runs after `since` in their global order, at most `limit`.
    pub(crate) fn read_events(&self, runs: &[(i64, RunId)], since: i64, limit: usize) -> Result<Vec<Event>> {
        self.engine.read_now(|db| {
            let mut query = db.prepare_cached(
                "SELECT sequence, run_index, event_type, ref_id, execution_id, occurred_at, payload FROM log
                 WHERE run_no = ?1 AND sequence > ?2 AND payload IS NULL ORDER BY sequence LIMIT ?3",
            )?;
            let mut events = Vec::new();
            for (run_no, run_id) in runs {
                let mut rows =
                    query.query(params![run_no, since, i64::try_from(limit).unwrap_or(i64::MAX)])?;
                while let Some(row) = rows.next()? {
                    if let LogItem::Event { event, .. } = item(row, *run_id)? {
                        events.push(event);
                    }
                }
            }
            events.sort_by_key(|e| e.sequence);
            events.truncate(limit);
            Ok(events)
        })
    }
}

fn item(row: &Row<'_>, run_id: RunId) -> Result<LogItem> {
    let (sequence, index) = (row.get(0)?, row.get(1)?);
    let execution_id = row.get_ref(4)?.as_str_or_null()?.map(id).transpose()?;
    let occurred_at = timestamp(row.get(5)?)?;
    if let Some(payload) = row.get_ref(6)?.as_str_or_null()? {
        let event: Open<_> = json(payload)?;
        return Ok(LogItem::Entry {
            entry: TranscriptEntry { sequence, index, run_id, execution_id, occurred_at, event },
        });
    }
    let event_type = EventType::from(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
    let event = Event { event_type, run_id, ref_id: row.get(3)?, execution_id, occurred_at, sequence };
    Ok(LogItem::Event { index, event })
}
