//! The one place where a run changes its state: the table of oz-core decides, the row and its event are written
//! together.

use super::{Db, Result, StoreError, args, followups, id, log, micros};
use oz_core::{
    Error, RunId, RunState, Timestamp,
    event::EventType,
    run::{
        StatusMessage,
        machine::{self, Cause},
    },
};

/// A run as far as its state is concerned.
#[derive(Clone)]
pub(super) struct Standing {
    pub(super) run_no: i64,
    pub(super) state: RunState,
    pub(super) execution_id: Option<String>,
    pub(super) attempts: i64,
    pub(super) run_id: RunId,
    /// Whether follow-ups wait that no execution has got yet.
    pub(super) has_more: bool,
    /// Whether its execution has ended though the run has not: it waits for a human without an agent.
    pub(super) agent_left: bool,
    /// Whether a schedule made it.
    scheduled: bool,
    resumed_at: Option<i64>,
}

/// Reads where a run stands.
pub(super) fn standing(db: &Db<'_>, run_no: i64) -> Result<Standing> {
    db.first(
        "SELECT r.state, r.execution_id, r.attempts, r.resumed_at, r.run_id, r.followups_waiting,
           CASE WHEN r.schedule_id IS NULL THEN 0 ELSE 1 END, CASE WHEN e.ended_at IS NULL THEN 0 ELSE 1 END
         FROM runs r LEFT JOIN executions e ON e.execution_id = r.execution_id WHERE r.run_no = ?1",
        args![run_no],
        |row| {
            Ok(Standing {
                run_no,
                state: RunState::from(row.get::<&str>(0)?),
                execution_id: row.get(1)?,
                attempts: row.get(2)?,
                resumed_at: row.get(3)?,
                run_id: id(row.get(4)?)?,
                has_more: row.get(5)?,
                scheduled: row.get(6)?,
                agent_left: row.get(7)?,
            })
        },
    )?
    .ok_or_else(|| StoreError::Refused(Error::not_found("run", run_no)))
}

/// Moves a run on because of `cause`, and writes the event that tells of it.
pub(super) fn advance(
    db: &Db<'_>,
    from: &Standing,
    cause: Cause,
    status: Option<&StatusMessage>,
    now: Timestamp,
) -> Result<RunState> {
    let to = machine::next(&from.state, cause).map_err(Error::from)?;
    let at = micros(now);
    let working = to == RunState::InProgress;
    // The clock of the run counts only while its agent works.
    let worked = if from.state == RunState::InProgress && !working {
        from.resumed_at.map_or(0, |t| at - t)
    } else {
        0
    };
    db.execute(
        "UPDATE runs SET state = ?2, updated_at = ?3,
           queued_at = CASE WHEN ?9 THEN ?3 ELSE queued_at END,
           started_at = CASE WHEN ?4 THEN COALESCE(started_at, ?3) ELSE started_at END,
           resumed_at = CASE WHEN ?4 THEN ?3 ELSE resumed_at END,
           worked_micros = worked_micros + ?5,
           ended_at = CASE WHEN ?6 THEN ?3 ELSE NULL END,
           status_message = ?7, status_code = ?8
         WHERE run_no = ?1",
        args![
            from.run_no,
            to.as_str(),
            at,
            working,
            worked,
            to.is_terminal(),
            status.map(|s| s.message.as_str()),
            status.and_then(|s| s.error_code.as_ref()).map(oz_core::ErrorCode::as_str),
            to == RunState::Queued && from.state != RunState::Pending,
        ],
    )?;
    if (to.is_terminal() || to == RunState::Queued) && from.execution_id.is_some() {
        db.execute(
            "UPDATE executions SET ended_at = ?2, outcome = ?3 WHERE execution_id = ?1 AND ended_at IS NULL",
            args![from.execution_id.as_deref(), at, status.map(|s| s.message.as_str())],
        )?;
    }
    if from.state == RunState::Blocked {
        super::requests::close(db, from.run_no, now)?;
    }
    db.changed(|c| {
        c.queue |= to.is_terminal() || to == RunState::Queued;
        // Another run of the schedule may have waited for the end of this one.
        c.schedules |= from.scheduled && to.is_over();
    });
    if let Some(event) = event(&to, cause) {
        log::append_event(db, from.run_no, &event, None, from.execution_id.as_deref(), now)?;
    }
    // Who cancels a run means all of it.
    if from.has_more && to.is_terminal() && to != RunState::Cancelled {
        return followups::reopen(db, from.run_no, now);
    }
    Ok(to)
}

/// The event that tells of a change. An offer and its decline are the dispatcher's own business: a run that is offered
/// around must not flood the log.
fn event(to: &RunState, cause: Cause) -> Option<EventType> {
    match (to, cause) {
        (_, Cause::Offer | Cause::Decline) => None,
        (RunState::Queued, _) => Some(EventType::RunQueued),
        (RunState::Claimed, _) => Some(EventType::RunClaimed),
        (RunState::InProgress, _) => Some(EventType::RunInProgress),
        (RunState::Blocked, _) => Some(EventType::RunBlocked),
        (RunState::Succeeded, _) => Some(EventType::RunSucceeded),
        (RunState::Failed, _) => Some(EventType::RunFailed),
        (RunState::Error, _) => Some(EventType::RunErrored),
        (RunState::Cancelled, _) => Some(EventType::RunCancelled),
        (RunState::Pending | RunState::Unknown(_), _) => None,
    }
}
