//! What the agent process of a run writes: its state, its transcript, its artifacts. Every write is fenced: it is
//! refused unless it comes from the run's current execution and the run is not over.

use super::{
    Result, Store,
    accounts::{Workload, short_id},
    args, budgets, executions, log, requests,
    runs::require_current,
    to_json,
    transitions::advance,
    usage,
};
use oz_core::{
    Error, RunState, Timestamp,
    api::{NewEntry, UpdateRun},
    artifact::Artifact,
    run::{StatusMessage, machine::Cause},
};

impl Store {
    /// Changes the state, status or usage of the caller's run. Repeating a change that was made is no error.
    pub(crate) async fn update_run(
        &self,
        who: Workload,
        update: UpdateRun,
        now: Timestamp,
    ) -> Result<RunState> {
        self.engine
            .write(move |db| {
                let mut from = require_current(db, who.run_no, who.execution_id)?;
                // The worker's word that it took the offer may be late or lost; its agent at work says the same.
                if from.state == RunState::Pending {
                    executions::claim(db, &from, now)?;
                    from.state = RunState::Claimed;
                }
                if let Some(total) = &update.usage
                    && usage::reported(db, &who, total, now)?
                    && let Some(state) = budgets::enforce(db, &from, now)?
                {
                    return Ok(state);
                }
                let Some(to) = &update.task_state else { return Ok(from.state) };
                if *to == from.state {
                    return Ok(from.state);
                }
                let cause = match (to, &from.state) {
                    (RunState::InProgress, RunState::Blocked) => Cause::Unblock,
                    (RunState::InProgress, _) => Cause::Start,
                    (to, _) => {
                        Cause::ending_in(to).ok_or_else(|| Error::invalid(format!("task_state: {to}")))?
                    }
                };
                advance(db, &from, cause, update.status_message.as_ref(), now)
            })
            .await
    }

    /// Appends to the transcript of the caller's run and counts what it used.
    pub(crate) async fn append_transcript(
        &self,
        who: Workload,
        entries: Vec<NewEntry>,
        now: Timestamp,
    ) -> Result<RunState> {
        self.engine
            .write(move |db| {
                let standing = require_current(db, who.run_no, who.execution_id)?;
                let new = log::append_entries(db, who.run_no, &who.execution_id.to_string(), &entries)?;
                requests::delivered(db, who.run_no, &new, now)?;
                if usage::recorded(db, &who, &new, now)?
                    && let Some(state) = budgets::enforce(db, &standing, now)?
                {
                    return Ok(state);
                }
                Ok(standing.state)
            })
            .await
    }

    /// Appends an entry that is not the harness's own.
    pub(crate) async fn append_notice(&self, who: Workload, entry: NewEntry) -> Result<()> {
        self.engine
            .write(move |db| {
                require_current(db, who.run_no, who.execution_id)?;
                log::append_notice(db, who.run_no, &who.execution_id.to_string(), &entry)
            })
            .await
    }

    /// Stores an artifact of the caller's run. Returns its id; the same artifact twice is one.
    pub(crate) async fn add_artifact(
        &self,
        who: Workload,
        artifact: Artifact,
        now: Timestamp,
    ) -> Result<String> {
        self.engine
            .write(move |db| {
                require_current(db, who.run_no, who.execution_id)?;
                let data = to_json(&artifact)?;
                let known = db.first(
                    "SELECT artifact_uid FROM artifacts WHERE run_no = ?1 AND data = ?2",
                    args![who.run_no, &data],
                    |row| row.get(0),
                )?;
                if let Some(uid) = known {
                    return Ok(uid);
                }
                let uid = short_id();
                super::artifacts::insert(db, who.run_no, &uid, artifact.kind().as_str(), &data, None, now)?;
                Ok(uid)
            })
            .await
    }

    /// Ends the caller's run because its agent process says that it ends. A run that ended before is left alone.
    pub(crate) async fn shut_down(
        &self,
        who: Workload,
        error: Option<StatusMessage>,
        now: Timestamp,
    ) -> Result<RunState> {
        self.engine
            .write(move |db| {
                let Ok(from) = require_current(db, who.run_no, who.execution_id) else {
                    return Ok(who.state.clone());
                };
                let cause = match &error {
                    Some(_) => Cause::Break,
                    None if from.state == RunState::Blocked => return requests::leave(db, &from, now),
                    None if requests::hand_on(db, who.run_no, now)? => {
                        let status = StatusMessage::info(requests::MISSED);
                        return advance(db, &from, Cause::Lose, Some(&status), now);
                    }
                    None => Cause::Succeed,
                };
                advance(db, &from, cause, error.as_ref(), now)
            })
            .await
    }
}
