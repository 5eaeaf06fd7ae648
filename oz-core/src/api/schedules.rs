//! Requests about schedules.

use super::{Validate, identities::check_name, runs::check_metadata};
use crate::{
    Error, Timestamp,
    config::AgentConfig,
    environment::EnvironmentConfig,
    principal::{Principal, Scope},
    run::RunMode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in UTC.
    pub cron_schedule: String,
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

/// When a schedule fired and will fire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleHistory {
    /// Last time.
    pub last_ran: Option<Timestamp>,
    /// Next time; null while it is paused.
    pub next_run: Option<Timestamp>,
}

/// What a schedule is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreateSchedule {
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in UTC.
    pub cron_schedule: String,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateSchedule {
    /// The schedule.
    pub schedule_id: String,
    /// Its name.
    pub name: String,
    /// When it fires: five fields of cron, in UTC.
    pub cron_schedule: String,
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
        check_metadata(&self.metadata)
    }
}

impl Validate for UpdateSchedule {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        check(self.prompt.as_ref(), self.agent_config.as_ref(), self.mode.as_ref())?;
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

/// List schedules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListSchedules {}
impl Validate for ListSchedules {}

/// Schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleList {
    /// All that the caller may see, by name.
    pub schedules: Vec<Schedule>,
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}
