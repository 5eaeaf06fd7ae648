//! What became of the times of schedules. A time is claimed before anything is done about it, and its key lets only one
//! claim succeed.

use super::super::{Db, Result, args, engine::Value, id, micros, timestamp};
use oz_core::{
    RunId, RunState, Timestamp,
    api::{ScheduleTick, TickOutcome},
};

/// How many are kept of each schedule.
const KEPT: i64 = 500;

/// A time of a schedule, or one at which somebody fired it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick<'a> {
    pub(super) schedule_id: &'a str,
    pub(super) scheduled_for: i64,
    pub(super) by_hand: bool,
}

impl Tick<'_> {
    /// Takes the time for the caller; `false` when it was taken before.
    pub(super) fn claim(self, db: &Db<'_>, now: Timestamp) -> Result<bool> {
        let taken = db.execute(
            "INSERT INTO schedule_ticks (schedule_id, scheduled_for, by_hand, fired_at, outcome)
             VALUES (?1, ?2, ?3, ?4, 'failed') ON CONFLICT DO NOTHING",
            args![self.schedule_id, self.scheduled_for, self.by_hand, micros(now)],
        )?;
        Ok(taken == 1)
    }

    /// Writes down what became of it.
    pub(super) fn settle(
        self,
        db: &Db<'_>,
        outcome: &TickOutcome,
        run_no: Option<i64>,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        db.execute(
            "UPDATE schedule_ticks SET outcome = ?4, run_no = ?5, detail = ?6, fired_at = ?7
             WHERE schedule_id = ?1 AND scheduled_for = ?2 AND by_hand = ?3",
            args![
                self.schedule_id,
                self.scheduled_for,
                self.by_hand,
                outcome.as_str(),
                run_no,
                detail,
                micros(now)
            ],
        )?;
        Ok(())
    }
}

/// Drops what is too old to be kept. A time whose run still waits stays.
pub(super) fn prune(db: &Db<'_>, schedule_id: &str) -> Result<()> {
    let Some(oldest) = oldest_kept(db, schedule_id)? else { return Ok(()) };
    db.execute(
        "DELETE FROM schedule_ticks WHERE schedule_id = ?1 AND scheduled_for < ?2 AND outcome <> 'queued'",
        args![schedule_id, oldest],
    )?;
    Ok(())
}

/// The time before which those of a schedule may be forgotten; `None` while all are kept.
pub(super) fn oldest_kept(db: &Db<'_>, schedule_id: &str) -> Result<Option<i64>> {
    db.first(
        "SELECT scheduled_for FROM schedule_ticks WHERE schedule_id = ?1 ORDER BY scheduled_for DESC LIMIT 1 OFFSET ?2",
        args![schedule_id, KEPT - 1],
        |row| row.get(0),
    )
}

/// Forgets the waiting runs of the schedules that `condition` names, for this reason.
pub(in crate::store) fn forget_waiting(
    db: &Db<'_>,
    condition: &str,
    values: &[Value<'_>],
    reason: &'static str,
) -> Result<()> {
    db.execute(
        &format!(
            "UPDATE schedule_ticks SET outcome = 'skipped', detail = '{reason}' WHERE outcome = 'queued'
             AND schedule_id IN (SELECT schedule_id FROM schedules WHERE waiting IS NOT NULL AND {condition})"
        ),
        values,
    )?;
    let forget = format!("UPDATE schedules SET waiting = NULL WHERE waiting IS NOT NULL AND {condition}");
    db.execute(&forget, values)?;
    Ok(())
}

/// The newest of a schedule.
pub(super) fn history(db: &Db<'_>, schedule_id: &str, limit: i64) -> Result<Vec<ScheduleTick>> {
    db.rows(
        "SELECT t.scheduled_for, t.fired_at, t.by_hand, t.outcome, r.run_id, r.state, t.detail
         FROM schedule_ticks t LEFT JOIN runs r ON r.run_no = t.run_no WHERE t.schedule_id = ?1
         ORDER BY t.scheduled_for DESC, t.by_hand DESC LIMIT ?2",
        args![schedule_id, limit],
        |row| {
            Ok(ScheduleTick {
                scheduled_for: timestamp(row.get(0)?)?,
                fired_at: timestamp(row.get(1)?)?,
                by_hand: row.get(2)?,
                outcome: TickOutcome::from(row.get::<&str>(3)?),
                run_id: row.get::<Option<&str>>(4)?.map(id::<RunId>).transpose()?,
                run_state: row.get::<Option<&str>>(5)?.map(RunState::from),
                detail: row.get(6)?,
            })
        },
    )
}
