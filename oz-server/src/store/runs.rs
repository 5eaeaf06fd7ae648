//! Runs: finding, reading and cancelling them. How they are made and how their records are read stands beside.

mod create;
mod inherit;
mod profile;
mod record;

pub(crate) use create::{NewRun, WithFiles};
pub(super) use create::{check_agent, check_config, create};
pub(super) use record::load;

use super::{
    Db, Result, Store, StoreError,
    accounts::Caller,
    args,
    engine::Value,
    id,
    transitions::{Standing, advance, standing},
};
use oz_core::{
    ConversationId, Error, ExecutionId, Run, RunId, RunState, Timestamp,
    run::{ExecutionLocation, StatusMessage, machine::Cause},
};

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
        self.engine.write(move |db| create(db, &new, now)).await
    }

    /// Finds a run that `caller` may see.
    pub(crate) async fn find_run(&self, caller: &Caller, run_id: RunId) -> Result<RunRef> {
        let caller = caller.clone();
        self.engine.read(move |db| find_run(db, &caller, run_id)).await
    }

    /// Finds runs that `caller` may see; each once, in the order of `run_ids`.
    pub(crate) async fn find_runs(&self, caller: &Caller, run_ids: Vec<RunId>) -> Result<Vec<RunRef>> {
        let caller = caller.clone();
        self.engine
            .read(move |db| {
                let mut found: Vec<RunRef> = Vec::with_capacity(run_ids.len());
                for run_id in &run_ids {
                    let run = find_run(db, &caller, *run_id)?;
                    if !found.contains(&run) {
                        found.push(run);
                    }
                }
                Ok(found)
            })
            .await
    }

    /// A run and the runs that it started.
    pub(crate) async fn family(&self, run_no: i64, include_self: bool) -> Result<Vec<(i64, RunId)>> {
        self.engine
            .read(move |db| {
                db.rows(
                    "SELECT run_no, run_id FROM runs WHERE parent_run_no = ?1 OR (run_no = ?1 AND ?2 = 1) ORDER BY run_no",
                    args![run_no, i64::from(include_self)],
                    |row| Ok((row.get(0)?, id(row.get(1)?)?)),
                )
            })
            .await
    }

    /// The whole record of a run.
    pub(crate) async fn get_run(&self, run_no: i64) -> Result<Run> {
        self.engine.read(move |db| get(db, run_no)).await
    }

    /// The whole record of a run as its agent sees it: with everything that it is asked.
    pub(crate) async fn get_own_run(&self, run_no: i64) -> Result<Run> {
        self.engine
            .read(move |db| {
                let mut run = get(db, run_no)?;
                run.prompt = super::followups::prompt(db, run_no, &run.prompt)?;
                if let Some(config) = &mut run.agent_config {
                    super::mcp_servers::resolve_of_run(db, run_no, config)?;
                }
                Ok(run)
            })
            .await
    }

    /// The number of a run. Checks nothing: for callers that have shown a signature.
    pub(crate) async fn run_no(&self, run_id: RunId) -> Result<Option<i64>> {
        self.engine
            .read(move |db| {
                db.first("SELECT run_no FROM runs WHERE run_id = ?1", args![run_id.to_string()], |row| {
                    row.get(0)
                })
            })
            .await
    }

    /// Cancels a run and tells its worker.
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
                advance(db, &from, Cause::Cancel, Some(&StatusMessage::info(message.as_str())), now)?;
                let execution: Option<ExecutionId> = from.execution_id.as_deref().map(id).transpose()?;
                if let Some(execution) = execution {
                    db.changed(|c| c.stop.push((from.run_id, execution)));
                }
                Ok(execution)
            })
            .await
    }

    /// Stores the cursor of a run's event consumer; never moves it back.
    pub(crate) async fn store_event_sequence(&self, run_no: i64, sequence: i64) -> Result<()> {
        self.engine
            .write(move |db| {
                db.execute(
                    "UPDATE runs SET event_sequence = ?2 WHERE run_no = ?1 AND COALESCE(event_sequence, 0) < ?2",
                    args![run_no, sequence],
                )?;
                Ok(())
            })
            .await
    }
}

fn get(db: &Db<'_>, run_no: i64) -> Result<Run> {
    load(db, "WHERE r.run_no = ?1", args![run_no])?
        .pop()
        .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_no)))
}

pub(super) fn is_local(db: &Db<'_>, run_no: i64) -> Result<bool> {
    db.one("SELECT location FROM runs WHERE run_no = ?1", args![run_no], |row| {
        Ok(ExecutionLocation::from(row.get::<&str>(0)?) == ExecutionLocation::Local)
    })
}

/// What a caller may see, as a condition on `runs r`; its parameters are added to `values`. A run sees itself and the
/// runs that it started.
pub(super) fn visible(caller: &Caller, values: &mut Vec<Value<'static>>) -> String {
    match caller {
        Caller::Key(member) => {
            values.push(member.team_id.0.clone().into());
            let team = values.len();
            values.push(member.principal.uid.clone().into());
            let user = values.len();
            format!("r.team_id = ?{team} AND (r.personal = 0 OR r.creator_id = ?{user})")
        }
        Caller::Run(who) => format!("(r.run_no = {0} OR r.parent_run_no = {0})", who.run_no),
        Caller::Nobody => "1 = 0".to_owned(),
    }
}

/// Finds a run that `caller` may see.
pub(super) fn find_run(db: &Db<'_>, caller: &Caller, run_id: RunId) -> Result<RunRef> {
    find(db, caller, "r.run_id = ?1", run_id.to_string())?
        .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_id)))
}

/// Finds the first run of a conversation that `caller` may see.
pub(super) fn find_conversation(
    db: &Db<'_>,
    caller: &Caller,
    conversation: ConversationId,
) -> Result<Option<RunRef>> {
    find(db, caller, "r.conversation_id = ?1", conversation.to_string())
}

fn find(db: &Db<'_>, caller: &Caller, condition: &str, value: String) -> Result<Option<RunRef>> {
    let mut values = vec![Value::from(value)];
    let allowed = visible(caller, &mut values);
    db.first(
        &format!(
            "SELECT r.run_no, r.run_id, r.conversation_id FROM runs r WHERE {condition} AND {allowed} ORDER BY r.run_no LIMIT 1"
        ),
        &values,
        |row| Ok(RunRef { run_no: row.get(0)?, run_id: id(row.get(1)?)?, conversation_id: id(row.get(2)?)? }),
    )
}

/// Finds a run of the same family as the run `run_no`: one that grew from the same first run.
pub(super) fn find_relative(db: &Db<'_>, run_no: i64, run_id: RunId) -> Result<(i64, RunState)> {
    db.first(
        "SELECT o.run_no, o.state FROM runs r JOIN runs o ON COALESCE(o.root_run_no, o.run_no) = COALESCE(r.root_run_no, r.run_no)
         WHERE r.run_no = ?1 AND o.run_id = ?2",
        args![run_no, run_id.to_string()],
        |row| Ok((row.get(0)?, RunState::from(row.get::<&str>(1)?))),
    )?
    .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_id)))
}

/// The execution that a run is in must be `execution_id`, and the run must not be over.
pub(super) fn require_current(db: &Db<'_>, run_no: i64, execution_id: ExecutionId) -> Result<Standing> {
    let standing = standing(db, run_no)?;
    if standing.state.is_terminal() {
        let state = &standing.state;
        return Err(Error::settled(format!("the run is already {state}; its agent must stop")).into());
    }
    if standing.execution_id != Some(execution_id.to_string()) || standing.state == RunState::Queued {
        return Err(
            Error::settled("another execution of this run has taken over; this agent must stop").into()
        );
    }
    if standing.agent_left {
        return Err(Error::settled("this execution of the run has ended; its agent must stop").into());
    }
    Ok(standing)
}
