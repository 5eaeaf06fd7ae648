//! Follow-ups: more for a run to do. One for a working agent is given to it, and again until it says that it has got it;
//! what it has not got when it ends waits for the next execution. One for an ended run makes it go on at once. An agent
//! that dies after it read a follow-up and before it could say so may be told twice; nothing is lost.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, Workload, short_id},
    args, micros, requests,
    runs::{self, require_current},
    transitions::{advance, standing},
};
use oz_core::{
    Error, RunState, Timestamp,
    api::{Followup, SubmitFollowup},
    run::{ExecutionLocation, RunMode, RunSource, machine::Cause},
};

/// Gives an ended run back to the queue, with all its attempts.
pub(super) fn reopen(db: &Db<'_>, run_no: i64, now: Timestamp) -> Result<RunState> {
    let from = standing(db, run_no)?;
    db.execute("UPDATE runs SET attempts = 0 WHERE run_no = ?1", args![run_no])?;
    advance(db, &from, Cause::FollowUp, None, now)
}

/// Hands the waiting follow-ups of a run to an execution, which begins with them.
pub(super) fn hand_over(db: &Db<'_>, run_no: i64, execution_id: &str, now: Timestamp) -> Result<()> {
    db.execute(
        "UPDATE followups SET execution_id = ?2, received_at = ?3 WHERE run_no = ?1 AND execution_id IS NULL",
        args![run_no, execution_id, micros(now)],
    )?;
    db.execute("UPDATE runs SET followups_waiting = 0 WHERE run_no = ?1", args![run_no])?;
    Ok(())
}

/// Stores a follow-up, which waits then.
#[expect(clippy::too_many_arguments, reason = "they are the columns")]
pub(super) fn insert(
    db: &Db<'_>,
    run_no: i64,
    followup_id: &str,
    message: &str,
    mode: Option<&str>,
    interrupt: bool,
    by: &str,
    at: i64,
) -> Result<()> {
    db.execute(
        "INSERT INTO followups (followup_id, run_no, message, mode, interrupt, created_by, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        args![followup_id, run_no, message, mode, i64::from(interrupt), by, at],
    )?;
    db.execute(
        "UPDATE runs SET followups = followups + 1, followups_waiting = followups_waiting + 1 WHERE run_no = ?1",
        args![run_no],
    )?;
    db.changed(|c| c.runs.extend([run_no]));
    Ok(())
}

/// How many earlier runs of a conversation a prompt tells of.
const EARLIER_RUNS: i64 = 5;

/// What the agent of a run is asked now: what its conversation was about before, the prompt, what came of it, and what
/// is asked in addition.
pub(super) fn prompt(db: &Db<'_>, run_no: i64, prompt: &str) -> Result<String> {
    let alone = db.one("SELECT continued + followups FROM runs WHERE run_no = ?1", args![run_no], |row| {
        Ok(row.get::<i64>(0)? == 0)
    })?;
    if alone { Ok(prompt.to_owned()) } else { with_history(db, run_no, prompt) }
}

fn with_history(db: &Db<'_>, run_no: i64, prompt: &str) -> Result<String> {
    let mut said: Vec<String> = Vec::new();
    let mut earlier = db.rows(
        "SELECT i.prompt, e.outcome FROM runs r JOIN runs o ON o.conversation_id = r.conversation_id AND o.run_no < r.run_no
         JOIN run_inputs i ON i.run_no = o.run_no LEFT JOIN executions e ON e.execution_id = o.execution_id
         WHERE r.run_no = ?1 ORDER BY o.run_no DESC LIMIT ?2",
        args![run_no, EARLIER_RUNS],
        |row| Ok((row.get::<String>(0)?, row.get::<Option<String>>(1)?)),
    )?;
    earlier.reverse();
    for (asked, outcome) in earlier {
        said.push(format!("Earlier in this conversation you were asked:\n{asked}"));
        said.extend(outcome.map(|text| format!("You ended with:\n{text}")));
    }
    if said.is_empty() {
        said.push(prompt.to_owned());
    } else {
        let now = if prompt.is_empty() { "Go on." } else { prompt };
        said.push(format!("Now you are asked:\n{now}"));
    }
    let more = db.rows(
        "SELECT f.message, (SELECT e.outcome FROM executions e WHERE e.run_no = f.run_no AND e.ended_at <= f.created_at
           AND e.outcome IS NOT NULL ORDER BY e.attempt DESC LIMIT 1)
         FROM followups f WHERE f.run_no = ?1 AND f.execution_id IS NOT NULL ORDER BY f.created_at, f.followup_id",
        args![run_no],
        |row| Ok((row.get::<String>(0)?, row.get::<Option<String>>(1)?)),
    )?;
    for (message, outcome) in more {
        said.extend(outcome.map(|text| format!("You ended with:\n{text}")));
        said.push(format!("Then you were asked:\n{message}"));
    }
    Ok(said.join("\n\n"))
}

impl Store {
    /// Notes which follow-ups a working agent has got.
    pub(crate) async fn followups_received(
        &self,
        who: Workload,
        ids: Vec<String>,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                require_current(db, who.run_no, who.execution_id)?;
                for followup_id in &ids {
                    let got = db.execute(
                        "UPDATE followups SET execution_id = ?3, received_at = ?4
                         WHERE run_no = ?1 AND followup_id = ?2 AND execution_id IS NULL",
                        args![who.run_no, followup_id, who.execution_id.to_string(), micros(now)],
                    )?;
                    db.execute(
                        "UPDATE runs SET followups_waiting = followups_waiting - ?2 WHERE run_no = ?1",
                        args![who.run_no, i64::try_from(got).unwrap_or(0)],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// What a working agent has not got yet, oldest first.
    pub(crate) async fn waiting_followups(&self, run_no: i64) -> Result<Vec<Followup>> {
        self.engine
            .read(move |db| {
                db.rows(
                    "SELECT followup_id, message, interrupt FROM followups WHERE run_no = ?1 AND execution_id IS NULL
                     ORDER BY created_at, followup_id",
                    args![run_no],
                    |row| {
                        Ok(Followup {
                            followup_id: row.get(0)?,
                            message: row.get(1)?,
                            interrupt: row.get(2)?,
                        })
                    },
                )
            })
            .await
    }

    /// Gives a run more to do.
    pub(crate) async fn follow_up(
        &self,
        caller: Caller,
        request: SubmitFollowup,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                let run = runs::find_run(db, &caller, request.run_id)?;
                let by = match &caller {
                    Caller::Key(member) => member.principal.uid.clone(),
                    Caller::Run(who) => who.run_id.to_string(),
                    Caller::Nobody => return Err(StoreError::Refused(Error::not_found("run", run.run_id))),
                };
                let from = standing(db, run.run_no)?;
                let (source, location) = db.one(
                    "SELECT source, location FROM runs WHERE run_no = ?1",
                    args![run.run_no],
                    |row| {
                        Ok((
                            RunSource::from(row.get::<&str>(0)?),
                            ExecutionLocation::from(row.get::<&str>(1)?),
                        ))
                    },
                )?;
                if location == ExecutionLocation::Local {
                    let text = "run: it works on its creator's own machine and takes no follow-ups here";
                    return Err(Error::unsupported(text).into());
                }
                if matches!(
                    source,
                    RunSource::GithubAction
                        | RunSource::GithubWebhook
                        | RunSource::GitlabWebhook
                        | RunSource::RunScorer
                        | RunSource::SelfImprovement
                        | RunSource::Autofix
                ) {
                    return Err(
                        Error::unsupported(format!("run: one made by {source} takes no follow-ups")).into()
                    );
                }
                // A harness may wait for a human without a question that could be answered.
                let deaf = from.state == RunState::Blocked
                    && (!from.agent_left || requests::any_open(db, run.run_no)?);
                if deaf {
                    let text = "run: it waits for an answer and takes no follow-ups until it has one";
                    return Err(Error::unsupported(text).into());
                }
                let message = request.message.as_deref().unwrap_or_default();
                let mode = request.mode.as_ref().map(RunMode::as_str);
                let interrupt = request.interrupt == Some(true);
                insert(db, run.run_no, &short_id(), message, mode, interrupt, &by, micros(now))?;
                if from.state.is_terminal() || from.state == RunState::Blocked {
                    reopen(db, run.run_no, now)?;
                }
                Ok(())
            })
            .await
    }
}
