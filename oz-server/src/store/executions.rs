//! Executions: offers of queued runs to workers, and what workers and the reaper report of them.

use super::{
    Db, Result, Store, args, budgets, followups, id, json, micros, requests, timestamp,
    transitions::{Standing, advance, standing},
};
use oz_core::{
    ErrorCode, ExecutionId, RunId, RunState, TeamId, Timestamp,
    config::AgentConfig,
    run::{StatusMessage, machine::Cause},
    worker::{Task, TaskDefinition, TaskOwner},
};

/// How often a run is tried when its worker is lost, counted with the first time.
pub(crate) const MAX_ATTEMPTS: i64 = 3;

/// The condition on `runs r` that a worker or a machine may be working on it. The agent of a blocked run may have left.
pub(super) const HAS_AGENT: &str = "r.state IN ('PENDING', 'CLAIMED', 'INPROGRESS', 'BLOCKED')
   AND EXISTS (SELECT 1 FROM executions x WHERE x.execution_id = r.execution_id AND x.ended_at IS NULL)";

/// An offer to make: which run, as which execution, to which worker.
pub(crate) struct NewOffer {
    pub(crate) run_no: i64,
    pub(crate) execution_id: ExecutionId,
    pub(crate) token_hash: String,
    pub(crate) worker_id: String,
}

/// An offer that stands in the store and must now be sent.
pub(crate) struct Offered {
    pub(crate) run_no: i64,
    pub(crate) run_id: RunId,
    pub(crate) execution_id: ExecutionId,
    pub(crate) task: Task,
}

/// An execution that was alive when the server stopped.
pub(crate) struct Live {
    pub(crate) run_no: i64,
    pub(crate) execution_id: ExecutionId,
    pub(crate) state: RunState,
}

/// Whose runs a connection may speak of.
#[derive(Debug, Clone)]
pub(crate) struct GivenTo {
    pub(crate) worker_id: String,
    /// `None` for the control plane's own worker.
    pub(crate) team_id: Option<TeamId>,
}

/// An execution that was given to a worker.
pub(crate) struct Given {
    pub(crate) run_no: i64,
    pub(crate) run_id: RunId,
    pub(crate) execution_id: ExecutionId,
    /// Whether it was claimed, is its run's current one and goes on.
    pub(crate) works: bool,
}

/// What became of an execution, as its worker or the reaper tells it.
pub(crate) enum Report {
    /// The worker took the offer.
    Claimed,
    /// The worker did not take the offer.
    Declined,
    /// The worker, or its connection to the run, is lost; says how.
    Lost(String),
    /// The agent process ended well.
    Completed,
    /// The agent process was cancelled.
    Cancelled(String),
    /// The agent process ended badly.
    Failed { code: ErrorCode, message: String, exit_code: Option<i32> },
}

/// What a report changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    /// The run is in this state now.
    Now(RunState),
    /// The run was there already, or past it.
    Stale(RunState),
    /// The run is over or in another execution: whoever reported must stop working on it.
    Superseded,
}

impl Store {
    /// Turns queued runs into offers; one that is no longer queued, or may cost nothing more, is left out.
    pub(crate) async fn offer(&self, offers: Vec<NewOffer>, now: Timestamp) -> Result<Vec<Offered>> {
        self.engine
            .write(move |db| {
                let mut made = Vec::with_capacity(offers.len());
                for new in &offers {
                    if let Some(offered) = offer(db, new, now)? {
                        made.push(offered);
                    }
                }
                Ok(made)
            })
            .await
    }

    /// Takes a report of an execution.
    pub(crate) async fn report(
        &self,
        run_no: i64,
        execution_id: ExecutionId,
        report: Report,
        now: Timestamp,
    ) -> Result<Reported> {
        self.engine.write(move |db| take_report(db, run_no, execution_id, &report, now)).await
    }

    /// The run of an execution.
    pub(crate) async fn run_of(&self, execution_id: ExecutionId) -> Result<Option<i64>> {
        self.engine
            .read(move |db| {
                db.first(
                    "SELECT run_no FROM executions WHERE execution_id = ?1",
                    args![execution_id.to_string()],
                    |row| row.get(0),
                )
            })
            .await
    }

    /// Whether an execution is its run's current one and the run is not over.
    pub(crate) async fn is_live(&self, execution_id: ExecutionId) -> Result<bool> {
        self.engine
            .read(move |db| {
                let live = db.first(
                    "SELECT 1 FROM executions e JOIN runs r ON r.run_no = e.run_no AND r.execution_id = e.execution_id
                     WHERE e.execution_id = ?1 AND e.ended_at IS NULL
                     AND r.state IN ('PENDING', 'CLAIMED', 'INPROGRESS', 'BLOCKED')",
                    args![execution_id.to_string()],
                    |_| Ok(()),
                )?;
                Ok(live.is_some())
            })
            .await
    }

    /// The execution of a run that a worker speaks of: the named one, or that which the run is in for workers that name
    /// only the run. `None` when it was never given to this worker.
    pub(crate) async fn given(
        &self,
        to: GivenTo,
        run_id: Option<RunId>,
        execution_id: Option<ExecutionId>,
    ) -> Result<Option<Given>> {
        self.engine
            .read(move |db| {
                let (which, value) = match (execution_id, run_id) {
                    (Some(execution_id), _) => ("e.execution_id = ?1", execution_id.to_string()),
                    (None, Some(run_id)) => {
                        ("r.run_id = ?1 AND r.execution_id = e.execution_id", run_id.to_string())
                    }
                    (None, None) => return Ok(None),
                };
                let team = to.team_id.as_ref().map_or("", |team| team.0.as_str());
                // Workers of the control plane have the runs without a host.
                let host = if team.is_empty() { "" } else { to.worker_id.as_str() };
                db.first(
                    &format!(
                        "SELECT r.run_no, r.run_id, e.execution_id, CASE WHEN r.execution_id = e.execution_id
                           AND e.ended_at IS NULL AND r.state IN ('CLAIMED', 'INPROGRESS', 'BLOCKED') THEN 1 ELSE 0 END
                         FROM executions e JOIN runs r ON r.run_no = e.run_no
                         WHERE {which} AND e.worker_id = ?2 AND r.host = ?3 AND (?4 = '' OR r.team_id = ?4)"
                    ),
                    args![value, &to.worker_id, host, team],
                    |row| {
                        Ok(Given {
                            run_no: row.get(0)?,
                            run_id: id(row.get(1)?)?,
                            execution_id: id(row.get(2)?)?,
                            works: row.get(3)?,
                        })
                    },
                )
            })
            .await
    }

    /// Every execution that some worker or machine may be working on.
    pub(crate) async fn live(&self) -> Result<Vec<Live>> {
        self.engine
            .read(|db| {
                db.rows(
                    &format!(
                        "SELECT r.run_no, r.execution_id, r.state FROM runs r WHERE {HAS_AGENT} ORDER BY r.run_no"
                    ),
                    args![],
                    |row| {
                        Ok(Live {
                            run_no: row.get(0)?,
                            execution_id: id(row.get(1)?)?,
                            state: RunState::from(row.get::<&str>(2)?),
                        })
                    },
                )
            })
            .await
    }
}

/// Stores a new execution.
pub(super) fn insert(
    db: &Db<'_>,
    run_no: i64,
    execution_id: ExecutionId,
    attempt: i64,
    token_hash: &str,
    worker_id: &str,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT INTO executions (execution_id, run_no, attempt, token_hash, worker_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        args![execution_id.to_string(), run_no, attempt, token_hash, worker_id, micros(now)],
    )?;
    Ok(())
}

/// Records that an offer was taken: from now on the attempt counts.
pub(super) fn claim(db: &Db<'_>, from: &Standing, now: Timestamp) -> Result<RunState> {
    db.execute("UPDATE runs SET attempts = attempts + 1 WHERE run_no = ?1", args![from.run_no])?;
    advance(db, from, Cause::Claim, None, now)
}

fn offer(db: &Db<'_>, new: &NewOffer, now: Timestamp) -> Result<Option<Offered>> {
    let mut from = standing(db, new.run_no)?;
    if from.state != RunState::Queued {
        return Ok(None);
    }
    if budgets::enforce(db, &from, now)?.is_some() {
        return Ok(None);
    }
    let attempt: i64 = db.one(
        "SELECT COALESCE(MAX(attempt), 0) + 1 FROM executions WHERE run_no = ?1",
        args![new.run_no],
        |row| row.get(0),
    )?;
    insert(db, new.run_no, new.execution_id, attempt, &new.token_hash, &new.worker_id, now)?;
    db.execute(
        "UPDATE runs SET execution_id = ?2 WHERE run_no = ?1",
        args![new.run_no, new.execution_id.to_string()],
    )?;
    from.execution_id = Some(new.execution_id.to_string());
    advance(db, &from, Cause::Offer, None, now)?;
    if from.has_more {
        followups::hand_over(db, new.run_no, &new.execution_id.to_string(), now)?;
    }
    let mut task = db.one(
        "SELECT r.run_id, r.title, i.prompt, i.config, r.created_at
         FROM runs r JOIN run_inputs i ON i.run_no = r.run_no WHERE r.run_no = ?1",
        args![new.run_no],
        |row| {
            let config: AgentConfig = json(row.get(3)?)?;
            Ok(Task {
                id: id(row.get(0)?)?,
                title: row.get(1)?,
                task_definition: TaskDefinition { prompt: row.get(2)? },
                created_at: timestamp(row.get(4)?)?,
                updated_at: now,
                owner: Some(TaskOwner { kind: "TEAM".into(), id: 1 }),
                agent_config_snapshot: Some(config),
            })
        },
    )?;
    task.task_definition.prompt = followups::prompt(db, new.run_no, &task.task_definition.prompt)?;
    Ok(Some(Offered { run_no: new.run_no, run_id: task.id, execution_id: new.execution_id, task }))
}

fn take_report(
    db: &Db<'_>,
    run_no: i64,
    execution_id: ExecutionId,
    report: &Report,
    now: Timestamp,
) -> Result<Reported> {
    let mut from = standing(db, run_no)?;
    if from.execution_id != Some(execution_id.to_string()) || from.state == RunState::Queued {
        return Ok(Reported::Superseded);
    }
    if let Report::Failed { exit_code: Some(code), .. } = report {
        db.execute(
            "UPDATE executions SET exit_code = ?2 WHERE execution_id = ?1",
            args![execution_id.to_string(), *code],
        )?;
    }
    if from.state.is_terminal() || from.agent_left {
        return Ok(Reported::Superseded);
    }
    let ends = matches!(report, Report::Completed | Report::Cancelled(_) | Report::Failed { .. });
    if ends && from.state == RunState::Pending {
        // The claim was lost on its way, or is late.
        claim(db, &from, now)?;
        from = standing(db, run_no)?;
    }
    let local = super::runs::is_local(db, run_no)?;
    let gone = matches!(report, Report::Completed | Report::Lost(_));
    if gone && from.state == RunState::Blocked && !local {
        return requests::leave(db, &from, now).map(Reported::Now);
    }
    // An answer that the agent did not live to get is for the next one.
    let missed = gone && requests::hand_on(db, run_no, now)?;
    let (cause, status) = match report {
        Report::Completed if missed => (Cause::Lose, Some(StatusMessage::info(requests::MISSED))),
        Report::Claimed if from.state != RunState::Pending => return Ok(Reported::Stale(from.state)),
        Report::Declined if from.state != RunState::Pending => return Ok(Reported::Stale(from.state)),
        Report::Claimed => {
            db.execute("UPDATE runs SET attempts = attempts + 1 WHERE run_no = ?1", args![run_no])?;
            (Cause::Claim, None)
        }
        Report::Declined => (Cause::Decline, None),
        Report::Lost(_) if from.state == RunState::Pending => (Cause::Decline, None),
        Report::Lost(how) if local => {
            (Cause::Break, Some(StatusMessage::error(ErrorCode::ResourceUnavailable, how.as_str())))
        }
        Report::Lost(how) if from.attempts < MAX_ATTEMPTS => {
            let attempt = from.attempts;
            let text = format!(
                "attempt {attempt} of {MAX_ATTEMPTS} was lost: {how}; waiting for a worker to try again"
            );
            (Cause::Lose, Some(StatusMessage::info(text)))
        }
        Report::Lost(how) => {
            let text = format!("given up after {MAX_ATTEMPTS} attempts; the last one was lost: {how}");
            (Cause::Break, Some(StatusMessage::error(ErrorCode::ResourceUnavailable, text)))
        }
        Report::Completed => {
            (Cause::Succeed, Some(StatusMessage::info("The agent process ended with exit code 0.")))
        }
        Report::Cancelled(message) => (Cause::Cancel, Some(StatusMessage::info(message.as_str()))),
        Report::Failed { code, message, .. } => {
            let cause = if code.info().callers_fault { Cause::Fail } else { Cause::Break };
            (cause, Some(StatusMessage::error(code.clone(), message.as_str())))
        }
    };
    let state = advance(db, &from, cause, status.as_ref(), now)?;
    if cause == Cause::Decline {
        // Nobody ever worked on it: the execution never was, and a run that is offered around leaves no trail.
        db.execute("UPDATE runs SET execution_id = NULL WHERE run_no = ?1", args![run_no])?;
        db.execute("DELETE FROM executions WHERE execution_id = ?1", args![execution_id.to_string()])?;
    }
    Ok(Reported::Now(state))
}
