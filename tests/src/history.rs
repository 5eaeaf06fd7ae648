//! The history checker: reads everything that a control plane recorded and everything that a client saw, and checks the
//! invariants of the system on it.

use crate::database::Database;
use oz_core::{RunId, RunState, transcript::LogItem};
use std::collections::BTreeMap;

/// What one client saw of one run, in order, over all its reconnections.
pub type Seen = Vec<LogItem>;

/// Checks a stopped or running control plane's records. Returns what is wrong.
///
/// - Every run is in exactly one terminal state, and its log has exactly one terminal event, at its end.
/// - A run's indexes have no gaps, and its sequences grow.
/// - At most one execution writes at a time: entries of an execution never come after those of a later one.
/// - Executions are bounded.
#[must_use]
pub fn check(db: &Database, seen: &BTreeMap<RunId, Seen>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Database::Sqlite(_) = db {
        for row in db.select("PRAGMA integrity_check") {
            if row[0].as_deref() != Some("ok") {
                wrong.push(format!("the database is damaged: {row:?}"));
            }
        }
    }
    let mut logs = rows(db);
    let attempts = count(db, "SELECT run_no, COUNT(*) FROM executions GROUP BY run_no");
    for run in db.select("SELECT run_no, run_id, state FROM runs ORDER BY run_no") {
        let [Some(run_no), Some(run_id), Some(state)] = &run[..] else { panic!("a run without an id") };
        let rows = logs.remove(run_no).unwrap_or_default();
        check_run(&rows, run_id, &RunState::from(state.as_str()), &mut wrong);
        let attempts = attempts.get(run_no).copied().unwrap_or(0);
        if attempts > 3 {
            wrong.push(format!("{run_id}: {attempts} executions"));
        }
        if let Some(seen) = seen.get(&run_id.parse::<RunId>().expect("id")) {
            check_seen(&rows, run_id, seen, &mut wrong);
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

/// The log of every run, by the run's number.
fn rows(db: &Database) -> BTreeMap<String, Vec<Row>> {
    let mut logs: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in
        db.select("SELECT run_no, sequence, run_index, event_type, execution_id FROM log ORDER BY sequence")
    {
        let mut row = row.into_iter();
        let mut text = || row.next().flatten();
        let mut number = || text().and_then(|n| n.parse().ok()).expect("number");
        let run_no: i64 = number();
        let (sequence, index) = (number(), number());
        let kind = text().expect("kind");
        logs.entry(run_no.to_string()).or_default().push(Row { sequence, index, kind, execution: text() });
    }
    logs
}

fn count(db: &Database, sql: &str) -> BTreeMap<String, i64> {
    let pair = |row: Vec<Option<String>>| match &row[..] {
        [Some(key), Some(count)] => Some((key.clone(), count.parse().ok()?)),
        _ => None,
    };
    db.select(sql).into_iter().filter_map(pair).collect()
}

fn check_run(rows: &[Row], run_id: &str, state: &RunState, wrong: &mut Vec<String>) {
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
}

/// What a client saw must be exactly what was recorded: nothing lost, nothing twice, nothing in another order.
fn check_seen(rows: &[Row], run_id: &str, seen: &Seen, wrong: &mut Vec<String>) {
    let recorded: Vec<(i64, i64)> = rows.iter().map(|r| (r.sequence, r.index)).collect();
    let seen: Vec<(i64, i64)> = seen.iter().map(|item| (item.sequence(), item.index())).collect();
    if recorded != seen {
        wrong.push(format!("{run_id}: a client saw {seen:?} but {recorded:?} was recorded"));
    }
}
