//! Schedules, and the runs they make. The time at which a schedule fires next stands in its row; whoever finds it past
//! makes the run and moves the time in one transaction, so that each tick makes one run however many servers look.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, find_member, principal, short_id},
    args,
    engine::Row,
    json, micros, objects,
    runs::{self, NewRun},
    timestamp, to_json,
};
use oz_core::{
    ConversationId, Error, RunId, Timestamp,
    api::{CreateSchedule, Schedule, ScheduleHistory, UpdateSchedule},
    environment::EnvironmentConfig,
    run::{RunMode, RunSource, ScheduleRef},
    schedule::next_after,
};
use std::collections::BTreeMap;

const COLUMNS: &str = "u.user_id, u.kind, u.display_name, u.email, e.user_id, e.kind, e.display_name, e.email,
    s.schedule_id, s.name, s.cron, s.enabled, s.prompt, s.config, s.agent_uid, s.mode, s.metadata, s.next_run, s.last_ran,
    s.last_spawn_error, s.created_at, s.updated_at, s.personal, s.team_id, s.owner_id";
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
        time_zone: "UTC".to_owned(),
        overlap_policy: oz_core::api::OverlapPolicy::Allow,
        missed_run_policy: oz_core::api::MissedRunPolicy::RunOnce,
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

fn next(cron: &str, enabled: bool, now: Timestamp) -> Result<Option<i64>> {
    oz_core::schedule::check(cron, "UTC", now)?;
    Ok(if enabled { next_after(cron, "UTC", now)?.map(micros) } else { None })
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
                let next_run = next(&new.cron_schedule, enabled, now)?;
                let config = new.agent_config.clone().unwrap_or_default();
                runs::check_config(db, &who, personal, &config)?;
                runs::check_agent(db, &who, personal, "agent_uid", new.agent_uid.as_deref())?;
                let id = short_id();
                db.execute(
                    "INSERT INTO schedules (schedule_id, team_id, personal, owner_id, name, cron, enabled, prompt, config,
                       agent_uid, mode, metadata, next_run, updated_by, created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?4, ?14, ?14)",
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
                    ],
                )?;
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
                db.execute(
                    "UPDATE schedules SET name = ?2, cron = ?3, enabled = ?4, prompt = ?5, config = ?6, agent_uid = ?7,
                       mode = ?8, metadata = ?9, next_run = ?10, updated_by = ?11, updated_at = ?12 WHERE schedule_id = ?1",
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
                        next(&change.cron_schedule, change.enabled, now)?,
                        &who.principal.uid,
                        micros(now),
                    ],
                )?;
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
                    db.execute(
                        "UPDATE schedules SET enabled = ?2, next_run = ?3, updated_by = ?4, updated_at = ?5
                         WHERE schedule_id = ?1",
                        args![
                            &id,
                            enabled,
                            next(&old.cron_schedule, enabled, now)?,
                            &who.principal.uid,
                            micros(now)
                        ],
                    )?;
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
                db.execute("DELETE FROM schedules WHERE schedule_id = ?1", args![&id])?;
                Ok(())
            })
            .await
    }

    /// When the next schedule fires.
    pub(crate) async fn next_schedule(&self) -> Result<Option<Timestamp>> {
        self.engine
            .read(|db| {
                let next: Option<i64> = db.first(
                    "SELECT next_run FROM schedules WHERE next_run IS NOT NULL ORDER BY next_run LIMIT 1",
                    args![],
                    |row| row.get(0),
                )?;
                next.map(timestamp).transpose()
            })
            .await
    }

    /// Makes a run for every schedule whose time has come. However long nobody looked, it is one run for each. Returns
    /// how many it made.
    pub(crate) async fn fire_schedules(&self, now: Timestamp) -> Result<usize> {
        self.engine
            .write(move |db| {
                let due = db.rows(
                    &format!(
                        "SELECT {COLUMNS} FROM {TABLES} WHERE s.next_run IS NOT NULL AND s.next_run <= ?1
                         ORDER BY s.next_run, s.schedule_id LIMIT 100"
                    ),
                    args![micros(now)],
                    |row| Ok((schedule(row)?, row.get::<String>(23)?, row.get::<bool>(22)?)),
                )?;
                let mut fired = 0;
                for (schedule, team_id, personal) in due {
                    let made = spawn(db, &schedule, &team_id, personal, now);
                    let error = match made {
                        Ok(()) => None,
                        Err(StoreError::Refused(e)) => Some(e.detail),
                        Err(e) => return Err(e),
                    };
                    fired += usize::from(error.is_none());
                    db.execute(
                        "UPDATE schedules SET next_run = ?2, last_spawn_error = ?4,
                           last_ran = CASE WHEN ?5 THEN ?3 ELSE last_ran END WHERE schedule_id = ?1",
                        args![
                            &schedule.id,
                            next_after(&schedule.cron_schedule, &schedule.time_zone, now)?.map(micros),
                            micros(now),
                            error.as_deref(),
                            error.is_none(),
                        ],
                    )?;
                }
                Ok(fired)
            })
            .await
    }
}

/// Makes the run of one tick.
fn spawn(db: &Db<'_>, schedule: &Schedule, team_id: &str, personal: bool, now: Timestamp) -> Result<()> {
    let owner = schedule.created_by.as_ref().map_or("", |p| p.uid.as_str());
    let member = find_member(db, team_id, owner)?.ok_or_else(|| {
        StoreError::Refused(Error::invalid("the schedule's owner is not in the team any more"))
    })?;
    let run_id = RunId::mint(now);
    let mut metadata: BTreeMap<String, String> = schedule.metadata.clone();
    metadata.retain(|_, v| !v.contains('\0'));
    let new = NewRun {
        personal,
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
        ..NewRun::by(member, run_id, ConversationId::mint(now))
    };
    runs::create(db, &new, now)?;
    Ok(())
}
