//! Requests about schedules.

use super::{Validate, identities::check_name, runs::check_metadata};
use crate::{
    Error, RunId, RunState, Timestamp,
    config::AgentConfig,
    environment::EnvironmentConfig,
    open::open_enum,
    principal::{Principal, Scope},
    run::RunMode,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in its time zone.
    pub cron_schedule: String,
    /// (+) Its time zone, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// (+) What happens when it fires while a run of it is under way.
    #[serde(default)]
    pub overlap_policy: OverlapPolicy,
    /// (+) What happens to times that nobody was there for.
    #[serde(default)]
    pub missed_run_policy: MissedRunPolicy,
    /// Whether it fires.
    pub enabled: bool,
    /// What its runs are asked; empty when a skill says it.
    pub prompt: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Why its last run could not be made.
    pub last_spawn_error: Option<String>,
    /// How its runs are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_config: Option<AgentConfig>,
    /// The environment of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentConfig>,
    /// The identity that its runs execute as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uid: Option<String>,
    /// How its runs go about their task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Labels of its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Principal>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<Principal>,
    /// When it fired and will fire.
    pub history: ScheduleHistory,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

fn utc() -> String {
    "UTC".to_owned()
}

open_enum! {
    /// What happens when a schedule fires while a run of it is under way.
    #[derive(Default)]
    OverlapPolicy {
        /// Another run starts beside it.
        #[default]
        Allow = "allow",
        /// The time is passed over.
        Skip = "skip",
        /// A run starts when the other one is over; at most one waits.
        Queue = "queue",
    }
}

open_enum! {
    /// What happens to the times of a schedule at which no server was there to fire it.
    #[derive(Default)]
    MissedRunPolicy {
        /// One run makes up for all of them.
        #[default]
        RunOnce = "run_once",
        /// They are passed over.
        Skip = "skip",
    }
}

/// When a schedule fired and will fire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleHistory {
    /// Last time.
    pub last_ran: Option<Timestamp>,
    /// Next time; null while it is paused.
    pub next_run: Option<Timestamp>,
}

/// What a schedule is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateSchedule {
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in its time zone.
    pub cron_schedule: String,
    /// (+) Its time zone, such as `Europe/Berlin`; UTC when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// (+) What happens when it fires while a run of it is under way; `allow` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// (+) What happens to times that nobody was there for; `run_once` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_run_policy: Option<MissedRunPolicy>,
    /// What its runs are asked; may be absent when `agent_config` names a skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Whether it fires; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How its runs are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_config: Option<AgentConfig>,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
    /// The identity that its runs execute as; team schedules only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uid: Option<String>,
    /// How its runs go about their task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Labels of its runs; as for runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Replace a schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateSchedule {
    /// The schedule.
    pub schedule_id: String,
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in its time zone.
    pub cron_schedule: String,
    /// (+) Its time zone; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// (+) What happens when it fires while a run of it is under way; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// (+) What happens to times that nobody was there for; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_run_policy: Option<MissedRunPolicy>,
    /// Whether it fires.
    pub enabled: bool,
    /// What its runs are asked; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// How its runs are configured; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_config: Option<AgentConfig>,
    /// The identity that its runs execute as; stays when absent, empty clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uid: Option<String>,
    /// How its runs go about their task; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Labels of its runs; stay when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

impl Validate for CreateSchedule {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        let skill = self.agent_config.as_ref().is_some_and(AgentConfig::names_skill);
        if self.prompt.as_deref().is_none_or(|p| p.trim().is_empty()) && !skill {
            return Err(Error::invalid("prompt: it is required unless agent_config names a skill"));
        }
        check(self.prompt.as_ref(), self.agent_config.as_ref(), self.mode.as_ref())?;
        check_policies(
            self.time_zone.as_deref(),
            self.overlap_policy.as_ref(),
            self.missed_run_policy.as_ref(),
        )?;
        check_metadata(&self.metadata)
    }
}

impl Validate for UpdateSchedule {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        check(self.prompt.as_ref(), self.agent_config.as_ref(), self.mode.as_ref())?;
        check_policies(
            self.time_zone.as_deref(),
            self.overlap_policy.as_ref(),
            self.missed_run_policy.as_ref(),
        )?;
        self.metadata.as_ref().map_or(Ok(()), check_metadata)
    }
}

fn check(prompt: Option<&String>, config: Option<&AgentConfig>, mode: Option<&RunMode>) -> Result<(), Error> {
    if let Some(prompt) = prompt.filter(|p| p.len() > super::MAX_PROMPT_BYTES) {
        return Err(Error::invalid_field("prompt", prompt, "at most 1 MiB"));
    }
    if let Some(mode) = mode {
        mode.require_known("mode")?;
    }
    config.map_or(Ok(()), |c| c.validate_as("agent_config"))
}

fn check_policies(
    zone: Option<&str>,
    overlap: Option<&OverlapPolicy>,
    missed: Option<&MissedRunPolicy>,
) -> Result<(), Error> {
    if let Some(zone) = zone {
        crate::schedule::time_zone(zone)?;
    }
    if let Some(policy) = overlap {
        policy.require_known("overlap_policy")?;
    }
    missed.map_or(Ok(()), |p| p.require_known("missed_run_policy").map(|_| ()))
}

open_enum! {
    /// What became of a time of a schedule.
    TickOutcome {
        /// A run was made.
        Started = "started",
        /// A run is made when the one before is over.
        Queued = "queued",
        /// It was passed over, because a run was under way.
        Skipped = "skipped",
        /// It was passed over, because nobody was there.
        Missed = "missed",
        /// No run could be made.
        Failed = "failed",
    }
}

/// What became of a time of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleTick {
    /// The time at which it was to fire; when somebody fired it by hand, that time.
    pub scheduled_for: Timestamp,
    /// When it did.
    pub fired_at: Timestamp,
    /// Whether somebody fired it by hand.
    #[serde(default)]
    pub by_hand: bool,
    /// What became of it.
    pub outcome: TickOutcome,
    /// The run that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Where that run stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_state: Option<RunState>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// List what became of the times of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListScheduleHistory {
    /// The schedule.
    pub schedule_id: String,
    /// How many, 1 to 500; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
impl Validate for ListScheduleHistory {
    fn validate(&self) -> Result<(), Error> {
        super::check_limit(self.limit, 500)
    }
}

/// What became of the times of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleTickList {
    /// Newest first. The last 500 of a schedule are kept; its runs stay longer.
    pub ticks: Vec<ScheduleTick>,
}

/// List schedules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListSchedules {}
impl Validate for ListSchedules {}

/// Schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleList {
    /// All that the caller may see, by name.
    pub schedules: Vec<Schedule>,
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {
    /// It was.
    pub success: bool,
}

super::by_id! { schedule_id: String;
    /// Get a schedule.
    GetSchedule;
    /// Delete a schedule.
    DeleteSchedule;
    /// Stop a schedule from firing.
    PauseSchedule;
    /// Let a schedule fire again.
    ResumeSchedule;
    /// Make a run of a schedule now.
    RunSchedule;
}
