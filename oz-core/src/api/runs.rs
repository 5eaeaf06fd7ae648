//! Requests about runs.

use super::Validate;
use crate::{
    ConversationId, Error, Run, RunId, RunState, Timestamp,
    artifact::ArtifactType,
    config::AgentConfig,
    open::open_enum,
    run::{ExecutionLocation, RunMode, RunSource},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest prompt, in bytes. Longer input belongs into a file of the repository or an attachment.
pub const MAX_PROMPT_BYTES: usize = 1 << 20;

/// Checks a prompt's length.
pub(super) fn check_prompt(prompt: &str) -> Result<(), Error> {
    if prompt.trim().is_empty() {
        return Err(Error::invalid("prompt: it is required and must not be empty"));
    }
    if prompt.len() > MAX_PROMPT_BYTES {
        let size = prompt.len();
        return Err(Error::invalid(format!(
            "prompt: {size} bytes are too many; at most {MAX_PROMPT_BYTES} are allowed"
        )));
    }
    Ok(())
}

/// Checks a page size.
pub(super) fn check_limit(limit: Option<i64>, max: i64) -> Result<(), Error> {
    match limit {
        Some(n) if !(1..=max).contains(&n) => {
            Err(Error::invalid_field("limit", &n.to_string(), &format!("1 to {max}")))
        }
        _ => Ok(()),
    }
}

/// Dispatch a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreateRun {
    /// What the agent is asked; at most 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// How the agent is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<AgentConfig>,
    /// What the run is about; made from the prompt when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether the run belongs to the team (the default) or to its creator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
    /// The skill to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// The conversation to continue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The run that starts this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_run_id: Option<RunId>,
    /// Whether somebody will steer the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interactive: Option<bool>,
    /// How the agent should go about its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Labels: at most 20, keys of 1 to 64 bytes from `[a-zA-Z0-9._-]`, values of at most 256 bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Validate for CreateRun {
    fn validate(&self) -> Result<(), Error> {
        check_prompt(self.prompt.as_deref().unwrap_or_default())?;
        if let Some(mode) = &self.mode {
            mode.require_known("mode")?;
        }
        if let Some(title) = &self.title
            && title.len() > 1024
        {
            return Err(Error::invalid_field("title", title, "at most 1024 bytes"));
        }
        if self.metadata.len() > 20 {
            return Err(Error::invalid_field(
                "metadata",
                &self.metadata.len().to_string(),
                "at most 20 keys",
            ));
        }
        for (key, value) in &self.metadata {
            let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            if key.is_empty() || key.len() > 64 || !key.bytes().all(legal) {
                return Err(Error::invalid_field(
                    "metadata",
                    key,
                    "keys of 1 to 64 bytes from [a-zA-Z0-9._-]",
                ));
            }
            if value.len() > 256 || value.contains('\0') {
                return Err(Error::invalid_field(
                    &format!("metadata.{key}"),
                    value,
                    "at most 256 bytes without NUL",
                ));
            }
        }
        self.config.as_ref().map_or(Ok(()), AgentConfig::validate)
    }
}

/// A run was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunCreated {
    /// The run.
    pub run_id: RunId,
    /// The same id under its older name.
    pub task_id: RunId,
    /// Its state.
    pub state: RunState,
    /// Whether it waits behind a full pool of workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_capacity: Option<bool>,
}

open_enum! {
    /// By what a list of runs is sorted.
    RunSort {
        /// Time of the last change.
        UpdatedAt = "updated_at",
        /// Time of creation.
        CreatedAt = "created_at",
        /// Title.
        Title = "title",
        /// Skill; runs without one come last.
        Agent = "agent",
    }
}

open_enum! {
    /// Direction of a sort.
    SortOrder {
        /// Smallest first.
        Asc = "asc",
        /// Greatest first.
        Desc = "desc",
    }
}

/// List runs. All filters must hold; values of one repeated filter are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListRuns {
    /// Page size, 1 to 500; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Where the page before ended. Keep the same sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// By what to sort; `updated_at` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<RunSort>,
    /// Direction; `desc` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// States.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<RunState>,
    /// Exact name in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Exact model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Who asked, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// As whom it runs, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RunSource>,
    /// Where the agent works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_location: Option<ExecutionLocation>,
    /// Created at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Timestamp>,
    /// Created before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
    /// Changed at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Timestamp>,
    /// Environment; `empty-environment` means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// Skill.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "skill")]
    pub skill_spec: Option<String>,
    /// Schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<String>,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ancestor_run_id: Option<RunId>,
    /// Runs with an artifact of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<ArtifactType>,
    /// Words to find in title, prompt and skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Value of the metadata key `automation_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_id: Option<String>,
    /// Metadata that must be there, at most 5: `metadata[key]=value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Validate for ListRuns {
    fn validate(&self) -> Result<(), Error> {
        check_limit(self.limit, 500)?;
        for state in &self.state {
            state.require_known("state")?;
        }
        if let Some(v) = &self.sort_by {
            v.require_known("sort_by")?;
        }
        if let Some(v) = &self.sort_order {
            v.require_known("sort_order")?;
        }
        if let Some(v) = &self.source {
            v.require_known("source")?;
        }
        if let Some(v) = &self.execution_location {
            v.require_known("execution_location")?;
        }
        if let Some(v) = &self.artifact_type {
            v.require_known("artifact_type")?;
        }
        if self.metadata.len() > 5 {
            return Err(Error::invalid_field(
                "metadata",
                &self.metadata.len().to_string(),
                "at most 5 pairs",
            ));
        }
        Ok(())
    }
}

/// A page of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// How to go on.
    pub page_info: PageInfo,
}

/// Whether and how a list goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageInfo {
    /// Whether there is more.
    pub has_next_page: bool,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

macro_rules! by_run {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// The run.
            pub run_id: RunId,
        }
        impl Validate for $name {}
    )*};
}

by_run! {
    /// Get one run.
    GetRun;
    /// Cancel a run.
    CancelRun;
    /// Get the conversation of a run.
    GetRunConversation;
}

/// Get a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GetConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
}
impl Validate for GetConversation {}
