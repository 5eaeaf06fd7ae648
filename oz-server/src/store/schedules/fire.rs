//! Firing: what is done about the times that have come. Which these are is decided by `oz_core::schedule::due`; here it is
//! carried out, in one transaction with the schedule's next time.

use super::{
    super::{
        Db, Result, Store, StoreError,
        accounts::{Member, find_member},
        args, micros, runs, timestamp,
    },
    COLUMNS, TABLES, schedule,
    ticks::{self, Tick},
};
use oz_core::{
    ConversationId, Error, RunId, Timestamp,
    api::{MissedRunPolicy, OverlapPolicy, Schedule, TickOutcome},
    run::{RunSource, ScheduleRef},
    schedule::{Due, Missed, Times, due},
};

/// How many schedules one transaction fires.
const BATCH: i64 = 100;
/// The runs that stand in the way of another one of their schedule: those that somebody works on or will. One that waits
/// for an answer is not among them, or it would stop its schedule for as long as nobody gives it.
const UNDER_WAY: &str = "state IN ('QUEUED', 'PENDING', 'CLAIMED', 'INPROGRESS')";

/// A schedule about to fire.
struct Firing {
    schedule: Schedule,
    personal: bool,
    team_id: String,
    /// The time whose run waits.
    waiting: Option<i64>,
}

fn firing(db: &Db<'_>, condition: &str, values: &[super::super::engine::Value<'_>]) -> Result<Vec<Firing>> {
    db.rows(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE {condition} LIMIT {BATCH}"), values, |row| {
        let schedule = schedule(row)?;
        Ok(Firing { schedule, personal: row.get(22)?, team_id: row.get(23)?, waiting: row.get(28)? })
    })
}

/// The schedules with a waiting run that nothing stands in the way of.
fn released() -> String {
    format!(
        "s.waiting IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.schedule_id = s.schedule_id AND r.{UNDER_WAY})"
    )
}

impl Store {
    /// When the scheduler has something to do next: long ago when it has now.
    pub(crate) async fn next_schedule(&self) -> Result<Option<Timestamp>> {
        self.engine
            .read(|db| {
                let released = format!("SELECT 1 FROM schedules s WHERE {} LIMIT 1", released());
                if db.first(&released, args![], |_| Ok(()))?.is_some() {
                    return Ok(Some(Timestamp::MIN));
                }
                let next: Option<i64> = db.first(
                    "SELECT next_run FROM schedules WHERE next_run IS NOT NULL ORDER BY next_run LIMIT 1",
                    args![],
                    |row| row.get(0),
                )?;
                next.map(timestamp).transpose()
            })
            .await
    }

    /// Does what is due: makes the runs that waited and whose way is free, and those of the times that have come. Returns
    /// how many runs it made.
    pub(crate) async fn fire_schedules(&self, now: Timestamp) -> Result<usize> {
        self.engine
            .write(move |db| {
                let mut made = 0;
                // First, so that a time of the same moment finds the place of the waiting one free.
                for firing in firing(db, &released(), args![])? {
                    made += usize::from(firing.release(db, now)?);
                }
                let due = "s.next_run IS NOT NULL AND s.next_run <= ?1 ORDER BY s.next_run, s.schedule_id";
                for mut firing in firing(db, due, args![micros(now)])? {
                    made += firing.fire(db, now)?;
                }
                Ok(made)
            })
            .await
    }

    /// Makes a run of a schedule because somebody asks for it. Its times stay as they are.
    pub(crate) async fn run_schedule(&self, who: Member, id: String, now: Timestamp) -> Result<RunId> {
        self.engine
            .write(move |db| {
                super::find(db, &who, &id)?;
                let firing = firing(db, "s.schedule_id = ?1", args![&id])?.pop();
                let firing = firing.ok_or_else(|| StoreError::Refused(Error::not_found("schedule", &id)))?;
                let mut tick = Tick { schedule_id: &id, scheduled_for: micros(now), by_hand: true };
                while !tick.claim(db, now)? {
                    tick.scheduled_for += 1;
                }
                let (run_no, run_id) = firing.spawn(db, now)?;
                firing.started(db, tick, run_no, now)?;
                ticks::prune(db, &id)?;
                Ok(run_id)
            })
            .await
    }
}

impl Firing {
    /// Deals with the times that have come. Returns how many runs it made.
    fn fire(&mut self, db: &Db<'_>, now: Timestamp) -> Result<usize> {
        let Some(from) = self.schedule.history.next_run else { return Ok(0) };
        let times = match Times::of(&self.schedule.cron_schedule, &self.schedule.time_zone) {
            Ok(times) => times,
            // It fired before; only another version of cron or of the time zones can get here. It must not stop others.
            Err(e) => {
                db.execute(
                    "UPDATE schedules SET next_run = NULL, last_spawn_error = ?2 WHERE schedule_id = ?1",
                    args![&self.schedule.id, &e.detail],
                )?;
                return Ok(0);
            }
        };
        let Due { missed, on_time, next } = due(&times, from, now);
        let mut made = 0;
        if let Some(missed) = missed {
            made += usize::from(self.make_up(db, &missed, now)?);
        }
        for time in on_time {
            made += usize::from(self.tick(db, time, now)?);
        }
        db.execute(
            "UPDATE schedules SET next_run = ?2 WHERE schedule_id = ?1",
            args![&self.schedule.id, next.map(micros)],
        )?;
        ticks::prune(db, &self.schedule.id)?;
        Ok(made)
    }

    /// Deals with times at which nobody was there.
    fn make_up(&mut self, db: &Db<'_>, missed: &Missed, now: Timestamp) -> Result<bool> {
        let skip = self.schedule.missed_run_policy == MissedRunPolicy::Skip;
        let after_first = if skip { missed.earlier } else { missed.earlier.saturating_sub(1) };
        if skip || missed.earlier > 0 {
            let mut detail = "no server was there".to_owned();
            if after_first > 0 {
                let more = if missed.or_more { "more than " } else { "" };
                let (what, last) = (if skip { "up to" } else { "before" }, missed.last);
                detail.push_str(&format!(" for this time and {more}{after_first} after it, {what} {last}"));
            }
            let tick = self.time(missed.first);
            if tick.claim(db, now)? {
                tick.settle(db, &TickOutcome::Missed, None, Some(&detail), now)?;
            }
        }
        if skip { Ok(false) } else { self.tick(db, missed.last, now) }
    }

    fn time(&self, time: Timestamp) -> Tick<'_> {
        Tick { schedule_id: &self.schedule.id, scheduled_for: micros(time), by_hand: false }
    }

    /// Deals with one time. Returns whether it made a run.
    fn tick(&mut self, db: &Db<'_>, time: Timestamp, now: Timestamp) -> Result<bool> {
        let tick = self.time(time);
        if !tick.claim(db, now)? {
            return Ok(false);
        }
        let in_the_way = match self.schedule.overlap_policy {
            OverlapPolicy::Skip | OverlapPolicy::Queue => under_way(db, &self.schedule.id)?,
            OverlapPolicy::Allow | OverlapPolicy::Unknown(_) => None,
        };
        let Some(run_id) = in_the_way else { return self.start(db, tick, now) };
        let detail = format!("the run {run_id} was under way");
        if self.schedule.overlap_policy == OverlapPolicy::Skip {
            tick.settle(db, &TickOutcome::Skipped, None, Some(&detail), now)?;
        } else if self.waiting.is_some() {
            let detail = format!("{detail}, and another time waited already");
            tick.settle(db, &TickOutcome::Skipped, None, Some(&detail), now)?;
        } else {
            tick.settle(db, &TickOutcome::Queued, None, Some(&detail), now)?;
            db.execute(
                "UPDATE schedules SET waiting = ?2 WHERE schedule_id = ?1",
                args![&self.schedule.id, micros(time)],
            )?;
            self.waiting = Some(micros(time));
        }
        Ok(false)
    }

    /// Makes the run that waited. Returns whether it did.
    fn release(&self, db: &Db<'_>, now: Timestamp) -> Result<bool> {
        let Some(scheduled_for) = self.waiting else { return Ok(false) };
        db.execute("UPDATE schedules SET waiting = NULL WHERE schedule_id = ?1", args![&self.schedule.id])?;
        self.start(db, Tick { schedule_id: &self.schedule.id, scheduled_for, by_hand: false }, now)
    }

    /// Makes the run of a claimed time, or writes down why it can't. Returns whether it did.
    fn start(&self, db: &Db<'_>, tick: Tick<'_>, now: Timestamp) -> Result<bool> {
        match self.spawn(db, now) {
            Ok((run_no, _)) => {
                self.started(db, tick, run_no, now)?;
                Ok(true)
            }
            Err(StoreError::Refused(e)) => {
                tick.settle(db, &TickOutcome::Failed, None, Some(&e.detail), now)?;
                db.execute(
                    "UPDATE schedules SET last_spawn_error = ?2 WHERE schedule_id = ?1",
                    args![&self.schedule.id, &e.detail],
                )?;
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    fn started(&self, db: &Db<'_>, tick: Tick<'_>, run_no: i64, now: Timestamp) -> Result<()> {
        tick.settle(db, &TickOutcome::Started, Some(run_no), None, now)?;
        db.execute(
            "UPDATE schedules SET last_ran = ?2, last_spawn_error = NULL WHERE schedule_id = ?1",
            args![&self.schedule.id, micros(now)],
        )?;
        Ok(())
    }

    /// Makes a run in the name of the schedule's owner, whoever fires it.
    fn spawn(&self, db: &Db<'_>, now: Timestamp) -> Result<(i64, RunId)> {
        let schedule = &self.schedule;
        let owner = schedule.created_by.as_ref().map_or("", |p| p.uid.as_str());
        let member = find_member(db, &self.team_id, owner)?.ok_or_else(|| {
            StoreError::Refused(Error::invalid("the schedule's owner is not in the team any more"))
        })?;
        let run_id = RunId::mint(now);
        let mut metadata = schedule.metadata.clone();
        metadata.retain(|_, v| !v.contains('\0'));
        let new = runs::NewRun {
            personal: self.personal,
            title: Some(schedule.name.clone()),
            prompt: schedule.prompt.clone(),
            config: schedule.agent_config.clone().unwrap_or_default(),
            metadata,
            source: RunSource::ScheduledAgent,
            agent_uid: schedule.agent_uid.clone(),
            mode: schedule.mode.clone(),
            schedule: Some(ScheduleRef {
                schedule_id: schedule.id.clone(),
                schedule_name: schedule.name.clone(),
                cron_schedule: schedule.cron_schedule.clone(),
            }),
            ..runs::NewRun::by(member, run_id, ConversationId::mint(now))
        };
        Ok((runs::create(db, &new, now)?, run_id))
    }
}

/// The oldest run of a schedule that is under way.
fn under_way(db: &Db<'_>, schedule_id: &str) -> Result<Option<String>> {
    db.first(
        &format!("SELECT run_id FROM runs WHERE schedule_id = ?1 AND {UNDER_WAY} ORDER BY run_no LIMIT 1"),
        args![schedule_id],
        |row| row.get(0),
    )
}
