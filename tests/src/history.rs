//! The history checker: reads everything that a control plane recorded and everything that a client saw, and checks the
//! invariants of the system on it.

use oz_core::{RunId, RunState, transcript::LogItem};
use std::{collections::BTreeMap, path::Path};

/// What one client saw of one run, in order, over all its reconnections.
pub type Seen = Vec<LogItem>;

/// Checks a stopped or running control plane's records. Returns what is wrong.
///
/// - Every run is in exactly one terminal state, and its log has exactly one terminal event, at its end.
/// - A run's indexes have no gaps, and its sequences grow.
/// - At most one execution writes at a time: entries of an execution never come after those of a later one.
/// - Executions are bounded.
#[must_use]
pub fn check(db: &Path, seen: &BTreeMap<RunId, Seen>) -> Vec<String> {
    let db = rusqlite::Connection::open(db).expect("database");
    let integrity: String =
        db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("integrity check");
    let mut wrong = Vec::new();
    if integrity != "ok" {
        wrong.push(format!("the database is damaged: {integrity}"));
    }
    let mut runs = db.prepare("SELECT run_no, run_id, state FROM runs ORDER BY run_no").expect("query");
    let runs: Vec<(i64, String, String)> = runs
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("rows")
        .map(|row| row.expect("row"))
        .collect();
    for (run_no, run_id, state) in runs {
        check_run(&db, run_no, &run_id, &RunState::from(state.as_str()), &mut wrong);
        let id: RunId = run_id.parse().expect("id");
        if let Some(seen) = seen.get(&id) {
            check_seen(&db, run_no, &run_id, seen, &mut wrong);
        }
    }
    wrong
}

struct Row {
    sequence: i64,
    index: i64,
    kind: String,
    execution: Option<String>,
}

fn rows(db: &rusqlite::Connection, run_no: i64) -> Vec<Row> {
    let sql =
        "SELECT sequence, run_index, event_type, execution_id FROM log WHERE run_no = ?1 ORDER BY sequence";
    let mut query = db.prepare(sql).expect("query");
    let rows = query.query_map([run_no], |row| {
        Ok(Row { sequence: row.get(0)?, index: row.get(1)?, kind: row.get(2)?, execution: row.get(3)? })
    });
    rows.expect("rows").map(|row| row.expect("row")).collect()
}

fn check_run(
    db: &rusqlite::Connection,
    run_no: i64,
    run_id: &str,
    state: &RunState,
    wrong: &mut Vec<String>,
) {
    let rows = rows(db, run_no);
    if !state.is_terminal() {
        wrong.push(format!("{run_id}: it is {state}, not in a terminal state"));
    }
    let terminal =
        |kind: &str| matches!(kind, "run_succeeded" | "run_failed" | "run_errored" | "run_cancelled");
    let ends = rows.iter().filter(|r| terminal(&r.kind)).count();
    if ends != 1 {
        wrong.push(format!("{run_id}: {ends} terminal events"));
    }
    if rows.last().is_none_or(|r| !terminal(&r.kind)) {
        wrong.push(format!("{run_id}: something was logged after its end"));
    }
    for (i, row) in rows.iter().enumerate() {
        if row.index != i64::try_from(i).unwrap_or(i64::MAX) + 1 {
            wrong.push(format!("{run_id}: index {} at place {}", row.index, i + 1));
        }
    }
    let mut executions: Vec<&String> = Vec::new();
    for execution in rows.iter().filter(|r| r.kind == "transcript").filter_map(|r| r.execution.as_ref()) {
        if executions.last() != Some(&execution) {
            if executions.contains(&execution) {
                wrong.push(format!("{run_id}: execution {execution} wrote after a later one"));
            }
            executions.push(execution);
        }
    }
    let attempts: i64 = db
        .query_row("SELECT COUNT(*) FROM executions WHERE run_no = ?1", [run_no], |row| row.get(0))
        .expect("count");
    if attempts > 3 {
        wrong.push(format!("{run_id}: {attempts} executions"));
    }
}

/// What a client saw must be exactly what was recorded: nothing lost, nothing twice, nothing in another order.
fn check_seen(db: &rusqlite::Connection, run_no: i64, run_id: &str, seen: &Seen, wrong: &mut Vec<String>) {
    let recorded: Vec<(i64, i64)> = rows(db, run_no).iter().map(|r| (r.sequence, r.index)).collect();
    let seen: Vec<(i64, i64)> = seen.iter().map(|item| (item.sequence(), item.index())).collect();
    if recorded != seen {
        wrong.push(format!("{run_id}: a client saw {seen:?} but {recorded:?} was recorded"));
    }
}
