//! Follow-ups: more for a run to do. One for a run that has not ended waits until its next execution begins; one for an
//! ended run makes it go on at once.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, short_id},
    args, micros,
    runs::{self},
    transitions::{advance, standing},
};
use oz_core::{
    Error, RunState, Timestamp,
    api::SubmitFollowup,
    run::{ExecutionLocation, RunMode, RunSource, machine::Cause},
};

/// Gives an ended run back to the queue, with all its attempts.
pub(super) fn reopen(db: &Db<'_>, run_no: i64, now: Timestamp) -> Result<RunState> {
    let from = standing(db, run_no)?;
    db.execute("UPDATE runs SET attempts = 0 WHERE run_no = ?1", args![run_no])?;
    advance(db, &from, Cause::FollowUp, None, now)
}

/// Hands the waiting follow-ups of a run to an execution.
pub(super) fn hand_over(db: &Db<'_>, run_no: i64, execution_id: &str) -> Result<()> {
    db.execute(
        "UPDATE followups SET execution_id = ?2 WHERE run_no = ?1 AND execution_id IS NULL",
        args![run_no, execution_id],
    )?;
    db.execute("UPDATE runs SET followups_waiting = 0 WHERE run_no = ?1", args![run_no])?;
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
         FROM followups f WHERE f.run_no = ?1 ORDER BY f.created_at, f.followup_id",
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
                if from.state == RunState::Blocked {
                    let text = "run: it waits for an answer and takes no follow-ups until it has one";
                    return Err(Error::unsupported(text).into());
                }
                db.execute(
                    "INSERT INTO followups (followup_id, run_no, message, mode, created_by, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    args![
                        short_id(),
                        run.run_no,
                        request.message.as_deref().unwrap_or_default(),
                        request.mode.as_ref().map(RunMode::as_str),
                        by,
                        micros(now)
                    ],
                )?;
                db.execute(
                    "UPDATE runs SET followups = followups + 1, followups_waiting = followups_waiting + 1 WHERE run_no = ?1",
                    args![run.run_no],
                )?;
                if from.state.is_terminal() {
                    reopen(db, run.run_no, now)?;
                }
                Ok(())
            })
            .await
    }
}
