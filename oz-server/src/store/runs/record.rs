//! Whole records of runs, read in a few queries however many runs there are.

use super::super::{
    Db, Result,
    accounts::principal,
    args,
    engine::{Row, Value},
    id, json, objects, timestamp,
};
use oz_core::{
    ErrorCode, Run, RunId, RunState, Timestamp,
    artifact::ArtifactItem,
    config::AgentConfig,
    request::Request,
    run::{AgentSkill, Execution, ExecutionLocation, RunMode, RunSource, StatusMessage},
    usage::{RequestUsage, Usage},
};
use std::collections::HashMap;

/// Loads whole records: the rows that `tail` (conditions, order, limit) selects, in its order.
pub(in crate::store) fn load(db: &Db<'_>, tail: &str, values: &[Value<'_>]) -> Result<Vec<Run>> {
    let sql = format!(
        "SELECT r.run_no, r.run_id, r.title, r.state, i.prompt, r.created_at, r.updated_at, r.started_at, r.resumed_at,
           r.worked_micros, r.location, r.status_message, r.status_code, r.source, r.team_id, r.personal, i.config,
           i.metadata, r.conversation_id, r.event_sequence, u.user_id, u.kind, u.display_name, u.email,
           e.execution_id, e.attempt, e.worker_id, e.created_at, e.ended_at, p.run_id,
           x.user_id, x.kind, x.display_name, x.email, r.schedule, r.skill_spec, r.creator_id, i.secrets,
           r.mode
         FROM runs r JOIN run_inputs i ON i.run_no = r.run_no JOIN users u ON u.user_id = r.creator_id
         JOIN users x ON x.user_id = r.executor_id
         LEFT JOIN executions e ON e.execution_id = r.execution_id LEFT JOIN runs p ON p.run_no = r.parent_run_no
         {tail}"
    );
    let mut numbers: Vec<i64> = Vec::new();
    let mut runs = db.rows(&sql, values, |row| {
        numbers.push(row.get(0)?);
        run(row)
    })?;
    let places: HashMap<i64, usize> = numbers.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    for chunk in numbers.chunks(CHUNK) {
        let at = |run_no: i64| places.get(&run_no).copied();
        for (run_no, item) in artifacts(db, chunk)? {
            if let Some(run) = at(run_no).and_then(|i| runs.get_mut(i)) {
                run.artifacts.push(item);
            }
        }
        for (run_no, child) in children(db, chunk)? {
            if let Some(run) = at(run_no).and_then(|i| runs.get_mut(i)) {
                run.children.push(child);
            }
        }
        if chunk.iter().any(|n| at(*n).is_some_and(|i| runs[i].state == RunState::Blocked)) {
            for (run_no, request) in requests(db, chunk)? {
                if let Some(run) = at(run_no).and_then(|i| runs.get_mut(i)) {
                    run.requests.push(request);
                }
            }
        }
        for (run_no, usage) in usage(db, chunk)? {
            if let Some(run) = at(run_no).and_then(|i| runs.get_mut(i)) {
                run.request_usage = Some(usage);
            }
        }
    }
    Ok(runs)
}

/// How many runs a query asks for at once. The number is fixed so that the statement is, and stays prepared.
const CHUNK: usize = 32;

/// `sql` with the numbers of `runs` in place of `{runs}`, filled up with numbers that no run has.
fn of_runs<T>(
    db: &Db<'_>,
    sql: &str,
    runs: &[i64],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    if runs.len() == 1 {
        return db.rows(&sql.replace("{runs}", "?1"), args![runs[0]], map);
    }
    let places: Vec<String> = (1..=CHUNK).map(|i| format!("?{i}")).collect();
    let mut values: Vec<Value<'_>> = runs.iter().map(|n| Value::Int(*n)).collect();
    values.resize(CHUNK, Value::Int(-1));
    db.rows(&sql.replace("{runs}", &places.join(",")), &values, map)
}

fn artifacts(db: &Db<'_>, runs: &[i64]) -> Result<Vec<(i64, ArtifactItem)>> {
    of_runs(
        db,
        "SELECT run_no, data, created_at FROM artifacts WHERE run_no IN ({runs}) AND artifact_type <> 'EXPECTED' ORDER BY created_at, artifact_uid",
        runs,
        |row| {
            let item = ArtifactItem { artifact: json(row.get(1)?)?, created_at: timestamp(row.get(2)?)? };
            Ok((row.get(0)?, item))
        },
    )
}

fn children(db: &Db<'_>, runs: &[i64]) -> Result<Vec<(i64, RunId)>> {
    of_runs(
        db,
        "SELECT parent_run_no, run_id FROM runs WHERE parent_run_no IN ({runs}) ORDER BY run_no",
        runs,
        |row| Ok((row.get(0)?, id(row.get(1)?)?)),
    )
}

fn requests(db: &Db<'_>, runs: &[i64]) -> Result<Vec<(i64, Request)>> {
    of_runs(
        db,
        "SELECT run_no, request FROM requests WHERE run_no IN ({runs}) AND closed_at IS NULL ORDER BY created_at, request_id",
        runs,
        |row| Ok((row.get(0)?, json(row.get(1)?)?)),
    )
}

fn usage(db: &Db<'_>, runs: &[i64]) -> Result<Vec<(i64, RequestUsage)>> {
    let rows = of_runs(
        db,
        "SELECT run_no, usage FROM executions WHERE run_no IN ({runs}) AND usage IS NOT NULL ORDER BY run_no, attempt",
        runs,
        |row| Ok((row.get::<i64>(0)?, json::<Usage>(row.get(1)?)?)),
    )?;
    let mut totals: Vec<(i64, Usage)> = Vec::new();
    for (run_no, usage) in rows {
        match totals.last_mut() {
            Some((last, total)) if *last == run_no => total.add(&usage),
            _ => {
                let mut total = Usage::default();
                total.add(&usage);
                totals.push((run_no, total));
            }
        }
    }
    Ok(totals.into_iter().map(|(run_no, total)| (run_no, RequestUsage::from(&total))).collect())
}

fn run(row: &Row<'_>) -> Result<Run> {
    let time =
        |i: usize| -> Result<Option<Timestamp>> { row.get::<Option<i64>>(i)?.map(timestamp).transpose() };
    let run_id: RunId = id(row.get(1)?)?;
    let state = RunState::from(row.get::<&str>(3)?);
    let started_at = time(7)?;
    let location = ExecutionLocation::from(row.get::<&str>(10)?);
    let status_message = match (row.get::<Option<&str>>(11)?, row.get::<Option<&str>>(12)?) {
        (Some(message), Some(code)) => Some(StatusMessage::error(ErrorCode::from(code), message)),
        (Some(message), None) => Some(StatusMessage::info(message)),
        (None, _) => None,
    };
    let execution = match row.get::<Option<&str>>(24)? {
        Some(execution_id) => Some(Execution {
            execution_id: id(execution_id)?,
            attempt: row.get(25)?,
            worker_id: row.get(26)?,
            created_at: timestamp(row.get(27)?)?,
            ended_at: time(28)?,
        }),
        None => None,
    };
    let config: AgentConfig = json(row.get(16)?)?;
    let working = matches!(state, RunState::Claimed | RunState::InProgress | RunState::Blocked);
    let left = execution.as_ref().is_some_and(|e: &Execution| e.ended_at.is_some());
    Ok(Run {
        run_id,
        task_id: run_id,
        title: row.get(2)?,
        prompt: row.get(4)?,
        created_at: timestamp(row.get(5)?)?,
        updated_at: timestamp(row.get(6)?)?,
        started_at,
        run_time: match started_at {
            Some(_) if state != RunState::InProgress => Some(iso_duration(row.get(9)?)),
            _ => None,
        },
        is_run_type_cancellable: Some(location != ExecutionLocation::Local),
        execution_location: Some(location),
        status_message,
        source: Some(RunSource::from(row.get::<&str>(13)?)),
        schedule: row.get::<Option<&str>>(34)?.map(json).transpose()?,
        // The session of an execution goes by the execution's own id.
        session_id: execution.as_ref().map(|e| e.execution_id.to_string()),
        session_link: None,
        trigger_url: None,
        executor: Some(principal(row, 30)?),
        creator: Some(principal(row, 20)?),
        request_usage: None,
        agent_config: Some(config),
        conversation_id: Some(id(row.get(18)?)?),
        parent_run_id: row.get::<Option<&str>>(29)?.map(id).transpose()?,
        is_sandbox_running: working && !left,
        metadata: json(row.get(17)?)?,
        artifacts: Vec::new(),
        scope: Some(objects::scope(row.get(15)?, row.get(14)?, row.get(36)?)),
        last_event_sequence: row.get(19)?,
        children: Vec::new(),
        agent_skill: row.get::<Option<&str>>(35)?.map(AgentSkill::of_spec),
        secrets: row.get::<Option<&str>>(37)?.map(json).transpose()?,
        mode: row.get::<Option<&str>>(38)?.map(RunMode::from),
        requests: Vec::new(),
        queue: None,
        execution,
        state,
    })
}

/// `PT2M30.5S` for a number of microseconds.
fn iso_duration(micros: i64) -> String {
    let millis = micros.max(0) / 1000;
    let (hours, minutes, seconds, rest) =
        (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60, millis % 1000);
    let mut text = "PT".to_owned();
    if hours > 0 {
        text += &format!("{hours}H");
    }
    if minutes > 0 {
        text += &format!("{minutes}M");
    }
    if rest > 0 {
        text += &format!("{seconds}.{rest:03}S");
    } else if seconds > 0 || text == "PT" {
        text += &format!("{seconds}S");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::iso_duration;

    #[test]
    fn durations_are_iso_8601() {
        let cases = [
            (0, "PT0S"),
            (999, "PT0S"),
            (1_500_000, "PT1.500S"),
            (150_000_000, "PT2M30S"),
            (3_600_000_000, "PT1H"),
        ];
        for (micros, text) in cases {
            assert_eq!(iso_duration(micros), text);
        }
    }
}
