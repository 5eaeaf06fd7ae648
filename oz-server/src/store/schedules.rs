//! Schedules. The time at which one fires next stands in its row; whoever finds it past makes the run and moves the time
//! in one transaction, so that each time makes one run however many servers look. A clock that is set back moves nothing:
//! the next time stays where it is.

mod fire;
mod ticks;

pub(super) use ticks::forget_waiting;

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, principal, short_id},
    args,
    engine::Row,
    json, micros, objects, runs, timestamp, to_json,
};
use oz_core::{
    Error, Timestamp,
    api::{
        CreateSchedule, MissedRunPolicy, OverlapPolicy, Schedule, ScheduleHistory, ScheduleTick,
        UpdateSchedule,
    },
    environment::EnvironmentConfig,
    run::RunMode,
    schedule::next_after,
};

const COLUMNS: &str = "u.user_id, u.kind, u.display_name, u.email, e.user_id, e.kind, e.display_name, e.email,
    s.schedule_id, s.name, s.cron, s.enabled, s.prompt, s.config, s.agent_uid, s.mode, s.metadata, s.next_run, s.last_ran,
    s.last_spawn_error, s.created_at, s.updated_at, s.personal, s.team_id, s.owner_id,
    s.time_zone, s.overlap, s.missed, s.waiting";
const TABLES: &str =
    "schedules s JOIN users u ON u.user_id = s.owner_id JOIN users e ON e.user_id = s.updated_by";

fn schedule(row: &Row<'_>) -> Result<Schedule> {
    let time = |i| -> Result<Option<Timestamp>> { row.get::<Option<i64>>(i)?.map(timestamp).transpose() };
    Ok(Schedule {
        created_by: Some(principal(row, 0)?),
        updated_by: Some(principal(row, 4)?),
        id: row.get(8)?,
        name: row.get(9)?,
        cron_schedule: row.get(10)?,
        time_zone: row.get(25)?,
        overlap_policy: OverlapPolicy::from(row.get::<&str>(26)?),
        missed_run_policy: MissedRunPolicy::from(row.get::<&str>(27)?),
        enabled: row.get(11)?,
        prompt: row.get(12)?,
        agent_config: row.get::<Option<&str>>(13)?.map(json).transpose()?,
        agent_uid: row.get(14)?,
        mode: row.get::<Option<&str>>(15)?.map(RunMode::from),
        metadata: json(row.get(16)?)?,
        history: ScheduleHistory { next_run: time(17)?, last_ran: time(18)? },
        last_spawn_error: row.get(19)?,
        created_at: timestamp(row.get(20)?)?,
        updated_at: timestamp(row.get(21)?)?,
        scope: Some(objects::scope(row.get(22)?, row.get(23)?, row.get(24)?)),
        environment: None,
    })
}

fn load(db: &Db<'_>, who: &Member, condition: &str, value: &str) -> Result<Vec<Schedule>> {
    let mut schedules = db.rows(
        &format!(
            "SELECT {COLUMNS} FROM {TABLES} WHERE s.team_id = ?1 AND (s.personal = 0 OR s.owner_id = ?2) AND {condition}
             ORDER BY s.name, s.schedule_id"
        ),
        args![&who.team_id.0, &who.principal.uid, value],
        schedule,
    )?;
    for schedule in &mut schedules {
        let environment = schedule.agent_config.as_ref().and_then(|c| c.environment_id.as_deref());
        if let Some(uid) = environment {
            let found: Result<objects::Object<EnvironmentConfig>> =
                objects::find(db, objects::Kind::Environment, who, uid);
            schedule.environment = found.ok().map(|o| o.body);
        }
    }
    Ok(schedules)
}

fn find(db: &Db<'_>, who: &Member, id: &str) -> Result<Schedule> {
    load(db, who, "s.schedule_id = ?3", id)?
        .pop()
        .ok_or_else(|| StoreError::Refused(Error::not_found("schedule", id)))
}

/// A paused schedule has no waiting run.
fn forget(db: &Db<'_>, id: &str) -> Result<()> {
    forget_waiting(db, "schedule_id = ?1", args![id], "the schedule was paused while it waited")
}

/// When a schedule fires next, counted anew from `now`. In case the clock was set back this may be a time that it has an
/// entry for, which is then passed over; it is never one whose entry may have been dropped.
fn next(db: &Db<'_>, id: &str, cron: &str, zone: &str, now: Timestamp) -> Result<Option<i64>> {
    oz_core::schedule::check(cron, zone, now)?;
    let oldest = ticks::oldest_kept(db, id)?.map(timestamp).transpose()?;
    Ok(next_after(cron, zone, oldest.map_or(now, |oldest| oldest.max(now)))?.map(micros))
}

impl Store {
    /// The schedules that a member may see, by name.
    pub(crate) async fn schedules(&self, who: Member) -> Result<Vec<Schedule>> {
        self.engine.read(move |db| load(db, &who, "?3 = ''", "")).await
    }

    /// One schedule.
    pub(crate) async fn schedule(&self, who: Member, id: String) -> Result<Schedule> {
        self.engine.read(move |db| find(db, &who, &id)).await
    }

    /// Makes a schedule.
    pub(crate) async fn create_schedule(
        &self,
        who: Member,
        new: CreateSchedule,
        now: Timestamp,
    ) -> Result<Schedule> {
        self.engine
            .write(move |db| {
                let enabled = new.enabled.unwrap_or(true);
                let personal = new.team == Some(false);
                let zone = new.time_zone.as_deref().unwrap_or("UTC");
                let id = short_id();
                let next_run = next(db, &id, &new.cron_schedule, zone, now)?.filter(|_| enabled);
                let config = new.agent_config.clone().unwrap_or_default();
                runs::check_config(db, &who, personal, &config)?;
                runs::check_agent(db, &who, personal, "agent_uid", new.agent_uid.as_deref())?;
                db.execute(
                    "INSERT INTO schedules (schedule_id, team_id, personal, owner_id, name, cron, enabled, prompt, config,
                       agent_uid, mode, metadata, next_run, updated_by, created_at, updated_at, time_zone, overlap, missed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?4, ?14, ?14, ?15, ?16, ?17)",
                    args![
                        &id,
                        &who.team_id.0,
                        personal,
                        &who.principal.uid,
                        &new.name,
                        &new.cron_schedule,
                        enabled,
                        new.prompt.as_deref().unwrap_or_default(),
                        new.agent_config.as_ref().map(to_json).transpose()?,
                        new.agent_uid.as_deref().filter(|uid| !uid.is_empty()),
                        new.mode.as_ref().map(RunMode::as_str),
                        to_json(&new.metadata)?,
                        next_run,
                        micros(now),
                        zone,
                        new.overlap_policy.clone().unwrap_or_default().as_str(),
                        new.missed_run_policy.clone().unwrap_or_default().as_str(),
                    ],
                )?;
                db.changed(|c| c.schedules = true);
                find(db, &who, &id)
            })
            .await
    }

    /// Replaces a schedule.
    pub(crate) async fn update_schedule(
        &self,
        who: Member,
        change: UpdateSchedule,
        now: Timestamp,
    ) -> Result<Schedule> {
        self.engine
            .write(move |db| {
                let old = find(db, &who, &change.schedule_id)?;
                let personal = old.scope.as_ref().is_some_and(|s| s.kind.as_str() == "User");
                let config = change.agent_config.clone().or(old.agent_config);
                let agent = change.agent_uid.clone().or(old.agent_uid).filter(|uid| !uid.is_empty());
                let prompt = change.prompt.clone().unwrap_or(old.prompt);
                if prompt.trim().is_empty() && !config.as_ref().is_some_and(oz_core::config::AgentConfig::names_skill) {
                    return Err(Error::invalid("prompt: it is required unless agent_config names a skill").into());
                }
                runs::check_config(db, &who, personal, &config.clone().unwrap_or_default())?;
                runs::check_agent(db, &who, personal, "agent_uid", agent.as_deref())?;
                let zone = change.time_zone.as_ref().unwrap_or(&old.time_zone);
                let same = (&old.cron_schedule, &old.time_zone) == (&change.cron_schedule, zone);
                // A time that has come and that nobody has found yet must not get lost with a change of something else.
                let next_run = match old.history.next_run.filter(|_| same) {
                    Some(next) => Some(micros(next)),
                    None => next(db, &change.schedule_id, &change.cron_schedule, zone, now)?,
                };
                db.execute(
                    "UPDATE schedules SET name = ?2, cron = ?3, enabled = ?4, prompt = ?5, config = ?6, agent_uid = ?7,
                       mode = ?8, metadata = ?9, next_run = ?10, updated_by = ?11, updated_at = ?12, time_zone = ?13,
                       overlap = ?14, missed = ?15 WHERE schedule_id = ?1",
                    args![
                        &change.schedule_id,
                        &change.name,
                        &change.cron_schedule,
                        change.enabled,
                        &prompt,
                        config.as_ref().map(to_json).transpose()?,
                        agent.as_deref(),
                        change.mode.as_ref().or(old.mode.as_ref()).map(RunMode::as_str),
                        to_json(change.metadata.as_ref().unwrap_or(&old.metadata))?,
                        next_run.filter(|_| change.enabled),
                        &who.principal.uid,
                        micros(now),
                        zone,
                        change.overlap_policy.as_ref().unwrap_or(&old.overlap_policy).as_str(),
                        change.missed_run_policy.as_ref().unwrap_or(&old.missed_run_policy).as_str(),
                    ],
                )?;
                if !change.enabled {
                    forget(db, &change.schedule_id)?;
                }
                db.changed(|c| c.schedules = true);
                find(db, &who, &change.schedule_id)
            })
            .await
    }

    /// Stops a schedule, or lets it fire again.
    pub(crate) async fn enable_schedule(
        &self,
        who: Member,
        id: String,
        enabled: bool,
        now: Timestamp,
    ) -> Result<Schedule> {
        self.engine
            .write(move |db| {
                let old = find(db, &who, &id)?;
                if old.enabled != enabled {
                    let next_run = match enabled {
                        true => next(db, &id, &old.cron_schedule, &old.time_zone, now)?,
                        false => None,
                    };
                    db.execute(
                        "UPDATE schedules SET enabled = ?2, next_run = ?3, updated_by = ?4, updated_at = ?5
                         WHERE schedule_id = ?1",
                        args![&id, enabled, next_run, &who.principal.uid, micros(now)],
                    )?;
                    if !enabled {
                        forget(db, &id)?;
                    }
                    db.changed(|c| c.schedules = true);
                }
                find(db, &who, &id)
            })
            .await
    }

    /// Deletes a schedule. Its runs stay.
    pub(crate) async fn delete_schedule(&self, who: Member, id: String) -> Result<()> {
        self.engine
            .write(move |db| {
                find(db, &who, &id)?;
                db.execute("DELETE FROM schedule_ticks WHERE schedule_id = ?1", args![&id])?;
                db.execute("DELETE FROM schedules WHERE schedule_id = ?1", args![&id])?;
                Ok(())
            })
            .await
    }

    /// What became of the newest times of a schedule.
    pub(crate) async fn schedule_history(
        &self,
        who: Member,
        id: String,
        limit: i64,
    ) -> Result<Vec<ScheduleTick>> {
        self.engine
            .read(move |db| {
                find(db, &who, &id)?;
                ticks::history(db, &id, limit)
            })
            .await
    }
}
