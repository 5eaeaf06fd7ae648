//! Runs: creating, reading, cancelling.

use super::{
    Result, Store, StoreError, id, json, log, micros, timestamp, to_json,
    transitions::{Standing, advance, standing},
};
use crate::store::accounts::{Caller, Member};
use oz_core::{
    ConversationId, Error, ErrorCode, ExecutionId, Run, RunId, RunState, Timestamp,
    artifact::ArtifactItem,
    config::AgentConfig,
    event::EventType,
    principal::{Principal, PrincipalType, Scope, ScopeType},
    run::{Execution, ExecutionLocation, RunSource, StatusMessage, machine::Cause},
    usage::{RequestUsage, Usage},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::{BTreeMap, HashMap};

/// A run to be made.
pub(crate) struct NewRun {
    pub(crate) run_id: RunId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) member: Member,
    pub(crate) personal: bool,
    pub(crate) title: String,
    pub(crate) prompt: String,
    pub(crate) config: AgentConfig,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) source: RunSource,
    pub(crate) parent: Option<i64>,
    /// Set for a run that its creator's machine executes: its execution and the digest of its token.
    pub(crate) local: Option<(ExecutionId, String)>,
}

/// A run as the rest of the server refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunRef {
    pub(crate) run_no: i64,
    pub(crate) run_id: RunId,
    pub(crate) conversation_id: ConversationId,
}

impl Store {
    /// Makes a run. Returns its number.
    pub(crate) async fn create_run(&self, new: NewRun, now: Timestamp) -> Result<i64> {
        self.engine.write(move |db| insert(db, &new, now)).await
    }

    /// Finds a run that `caller` may see.
    pub(crate) fn find_run(&self, caller: &Caller, run_id: RunId) -> Result<RunRef> {
        self.engine
            .read_now(|db| find(db, caller, "r.run_id = ?1", &run_id.to_string()))?
            .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_id)))
    }

    /// Finds the first run of a conversation that `caller` may see.
    pub(crate) fn find_conversation(&self, caller: &Caller, conversation: ConversationId) -> Result<RunRef> {
        self.engine
            .read_now(|db| find(db, caller, "r.conversation_id = ?1", &conversation.to_string()))?
            .ok_or_else(|| StoreError::Refused(Error::not_found("conversation", conversation)))
    }

    /// The whole record of a run.
    pub(crate) fn get_run(&self, run_no: i64) -> Result<Run> {
        self.engine.read_now(|db| {
            load(db, "WHERE r.run_no = ?1", &[&run_no])?
                .pop()
                .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_no)))
        })
    }

    /// The number of a run. Checks nothing: for callers that have shown a signature.
    pub(crate) fn run_no(&self, run_id: RunId) -> Result<Option<i64>> {
        self.engine.read_now(|db| {
            Ok(db
                .prepare_cached("SELECT run_no FROM runs WHERE run_id = ?1")?
                .query_row([run_id.to_string()], |row| row.get(0))
                .optional()?)
        })
    }

    /// Cancels a run. Returns the execution that must be told.
    pub(crate) async fn cancel_run(
        &self,
        run_no: i64,
        message: String,
        now: Timestamp,
    ) -> Result<Option<ExecutionId>> {
        self.engine
            .write(move |db| {
                let from = standing(db, run_no)?;
                if is_local(db, run_no)? {
                    return Err(Error::unsupported(
                        "run: it works on its creator's own machine and can only be stopped there",
                    )
                    .into());
                }
                advance(db, &from, Cause::Cancel, Some(&StatusMessage::info(message)), now)?;
                from.execution_id.as_deref().map(id).transpose()
            })
            .await
    }

    /// Stores the cursor of a run's event consumer; never moves it back.
    pub(crate) async fn store_event_sequence(&self, run_no: i64, sequence: i64) -> Result<()> {
        self.engine
            .write(move |db| {
                db.prepare_cached(
                    "UPDATE runs SET event_sequence = MAX(COALESCE(event_sequence, 0), ?2) WHERE run_no = ?1",
                )?
                .execute(params![run_no, sequence])?;
                Ok(())
            })
            .await
    }
}

pub(super) fn is_local(db: &Connection, run_no: i64) -> Result<bool> {
    let location: String = db
        .prepare_cached("SELECT location FROM runs WHERE run_no = ?1")?
        .query_row([run_no], |row| row.get(0))?;
    Ok(ExecutionLocation::from(location.as_str()) == ExecutionLocation::Local)
}

fn insert(db: &Connection, new: &NewRun, now: Timestamp) -> Result<i64> {
    let at = micros(now);
    let location = if new.local.is_some() { ExecutionLocation::Local } else { ExecutionLocation::Remote };
    // A local run needs no dispatch: its creator's machine has it from the start.
    let state = if new.local.is_some() { RunState::Claimed } else { RunState::Queued };
    let execution = new.local.as_ref().map(|(execution_id, _)| execution_id.to_string());
    let user = new.member.user_id().0;
    let run_no: i64 = db
        .prepare_cached(
            "INSERT INTO runs (run_id, team_id, personal, creator_id, executor_id, title, state, source, location, host,
               name, model_id, environment_id, skill_spec, automation_id, parent_run_no, conversation_id, execution_id,
               attempts, created_at, updated_at, queued_at)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?19, ?19)
             RETURNING run_no",
        )?
        .query_row(
            params![
                new.run_id.to_string(),
                new.member.team_id.0,
                new.personal,
                user,
                new.title,
                state.as_str(),
                new.source.as_str(),
                location.as_str(),
                new.config.host().unwrap_or_default(),
                new.config.name,
                new.config.model_id,
                new.config.environment_id,
                new.config.skill_spec.as_ref().or_else(|| new.config.skills.first()),
                new.metadata.get("automation_id"),
                new.parent,
                new.conversation_id.to_string(),
                execution,
                i64::from(new.local.is_some()),
                at,
            ],
            |row| row.get(0),
        )?;
    db.prepare_cached("INSERT INTO run_inputs (run_no, prompt, config, metadata) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![run_no, new.prompt, to_json(&new.config)?, to_json(&new.metadata)?])?;
    if let Some((execution_id, token_hash)) = &new.local {
        super::executions::insert(db, run_no, *execution_id, 1, token_hash, "local", now)?;
    }
    let event = if new.local.is_some() { EventType::RunClaimed } else { EventType::RunQueued };
    log::append_event(db, run_no, &event, None, execution.as_deref(), now)?;
    if let Some(parent) = new.parent {
        let child = new.run_id.to_string();
        log::append_event(db, parent, &EventType::ChildAgentStarted, Some(&child), None, now)?;
    }
    Ok(run_no)
}

/// What a caller may see, as a condition on `runs r` with its parameters `?2`, `?3`.
pub(super) fn visible(caller: &Caller) -> (&'static str, String, String) {
    match caller {
        Caller::Key(member) => (
            "r.team_id = ?2 AND (r.personal = 0 OR r.creator_id = ?3)",
            member.team_id.0.clone(),
            member.principal.uid.clone(),
        ),
        Caller::Run(workload) => ("r.run_id = ?2 AND ?3 = ''", workload.run_id.to_string(), String::new()),
    }
}

fn find(db: &Connection, caller: &Caller, condition: &str, value: &str) -> Result<Option<RunRef>> {
    let (allowed, a, b) = visible(caller);
    let sql = format!(
        "SELECT r.run_no, r.run_id, r.conversation_id FROM runs r WHERE {condition} AND {allowed} ORDER BY r.run_no LIMIT 1"
    );
    let row: Option<(i64, String, String)> = db
        .prepare_cached(&sql)?
        .query_row(params![value, a, b], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    row.map(|(run_no, run_id, conversation_id)| {
        Ok(RunRef { run_no, run_id: id(&run_id)?, conversation_id: id(&conversation_id)? })
    })
    .transpose()
}

/// Loads whole records: the rows that `tail` (conditions, order, limit) selects, in its order.
pub(super) fn load(db: &Connection, tail: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Run>> {
    let sql = format!(
        "SELECT r.run_no, r.run_id, r.title, r.state, i.prompt, r.created_at, r.updated_at, r.started_at, r.resumed_at,
           r.worked_micros, r.location, r.status_message, r.status_code, r.source, r.team_id, r.personal, i.config,
           i.metadata, r.conversation_id, r.event_sequence, u.user_id, u.kind, u.display_name, u.email,
           e.execution_id, e.attempt, e.worker_id, e.created_at, e.ended_at, p.run_id,
           (SELECT group_concat(usage, ',') FROM executions x WHERE x.run_no = r.run_no AND x.usage IS NOT NULL)
         FROM runs r JOIN run_inputs i ON i.run_no = r.run_no JOIN users u ON u.user_id = r.creator_id
         LEFT JOIN executions e ON e.execution_id = r.execution_id LEFT JOIN runs p ON p.run_no = r.parent_run_no
         {tail}"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query(values)?;
    let mut numbers = Vec::new();
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        numbers.push(row.get(0)?);
        runs.push(run(row)?);
    }
    let places: HashMap<i64, usize> = numbers.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    for run_no in &numbers {
        let Some(run) = places.get(run_no).and_then(|i| runs.get_mut(*i)) else { continue };
        run.artifacts = artifacts(db, *run_no)?;
        run.children = children(db, *run_no)?;
    }
    Ok(runs)
}

fn artifacts(db: &Connection, run_no: i64) -> Result<Vec<ArtifactItem>> {
    let mut query = db.prepare_cached(
        "SELECT data, created_at FROM artifacts WHERE run_no = ?1 ORDER BY created_at, artifact_uid",
    )?;
    let mut rows = query.query([run_no])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(ArtifactItem {
            artifact: json(row.get_ref(0)?.as_str()?)?,
            created_at: timestamp(row.get(1)?)?,
        });
    }
    Ok(items)
}

fn children(db: &Connection, run_no: i64) -> Result<Vec<RunId>> {
    let mut query = db.prepare_cached("SELECT run_id FROM runs WHERE parent_run_no = ?1 ORDER BY run_no")?;
    let mut rows = query.query([run_no])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(id(row.get_ref(0)?.as_str()?)?);
    }
    Ok(ids)
}

fn run(row: &Row<'_>) -> Result<Run> {
    let text = |i: usize| -> Result<&str> { Ok(row.get_ref(i)?.as_str()?) };
    let maybe = |i: usize| -> Result<Option<&str>> { Ok(row.get_ref(i)?.as_str_or_null()?) };
    let time =
        |i: usize| -> Result<Option<Timestamp>> { row.get::<_, Option<i64>>(i)?.map(timestamp).transpose() };
    let run_id: RunId = id(text(1)?)?;
    let state = RunState::from(text(3)?);
    let updated_at = timestamp(row.get(6)?)?;
    let started_at = time(7)?;
    let location = ExecutionLocation::from(text(10)?);
    let creator = Principal {
        kind: PrincipalType::from(text(21)?),
        uid: row.get(20)?,
        display_name: row.get(22)?,
        email: row.get(23)?,
        photo_url: None,
    };
    let personal: bool = row.get(15)?;
    let scope = if personal {
        Scope { kind: ScopeType::User, uid: Some(creator.uid.clone()) }
    } else {
        Scope { kind: ScopeType::Team, uid: Some(row.get(14)?) }
    };
    let status_message = match (maybe(11)?, maybe(12)?) {
        (Some(message), Some(code)) => Some(StatusMessage::error(ErrorCode::from(code), message)),
        (Some(message), None) => Some(StatusMessage::info(message)),
        (None, _) => None,
    };
    let execution = match maybe(24)? {
        Some(execution_id) => Some(Execution {
            execution_id: id(execution_id)?,
            attempt: row.get(25)?,
            worker_id: row.get(26)?,
            created_at: timestamp(row.get(27)?)?,
            ended_at: time(28)?,
        }),
        None => None,
    };
    let config: AgentConfig = json(text(16)?)?;
    let working = matches!(state, RunState::Claimed | RunState::InProgress | RunState::Blocked);
    Ok(Run {
        run_id,
        task_id: run_id,
        title: row.get(2)?,
        prompt: row.get(4)?,
        created_at: timestamp(row.get(5)?)?,
        updated_at,
        started_at,
        run_time: started_at
            .filter(|_| state != RunState::InProgress)
            .map(|_| iso_duration(row.get(9).unwrap_or(0))),
        is_run_type_cancellable: Some(location != ExecutionLocation::Local),
        execution_location: Some(location),
        status_message,
        source: Some(RunSource::from(text(13)?)),
        schedule: None,
        session_id: None,
        session_link: None,
        trigger_url: None,
        executor: Some(creator.clone()),
        creator: Some(creator),
        request_usage: maybe(30)?.map(total_usage).transpose()?,
        agent_config: Some(config),
        conversation_id: Some(id(text(18)?)?),
        parent_run_id: maybe(29)?.map(id).transpose()?,
        is_sandbox_running: working,
        metadata: json(text(17)?)?,
        artifacts: Vec::new(),
        scope: Some(scope),
        last_event_sequence: row.get(19)?,
        children: Vec::new(),
        execution,
        state,
    })
}

fn total_usage(joined: &str) -> Result<RequestUsage> {
    let mut total = Usage::default();
    for usage in json::<Vec<Usage>>(&format!("[{joined}]"))? {
        total.add(&usage);
    }
    Ok(RequestUsage::from(&total))
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

/// The execution that a run is in must be `execution_id`, and the run must not be over.
pub(super) fn require_current(db: &Connection, run_no: i64, execution_id: ExecutionId) -> Result<Standing> {
    let standing = standing(db, run_no)?;
    if standing.state.is_terminal() {
        let state = &standing.state;
        return Err(Error::conflict(format!("the run is already {state}; its agent must stop")).into());
    }
    if standing.execution_id != Some(execution_id.to_string()) || standing.state == RunState::Queued {
        return Err(
            Error::conflict("another execution of this run has taken over; this agent must stop").into()
        );
    }
    Ok(standing)
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
