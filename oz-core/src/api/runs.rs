//! Requests about runs.

use super::{Validate, files::AttachmentInput};
use crate::{
    ConversationId, Error, Run, RunId, RunState, Timestamp,
    artifact::ArtifactType,
    config::AgentConfig,
    open::open_enum,
    run::{ExecutionLocation, RunMode, RunSource},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest prompt, in bytes. Longer input belongs into a file of the repository or an attachment.
pub const MAX_PROMPT_BYTES: usize = 1 << 20;

/// The most attachments of a request.
pub const MAX_ATTACHMENTS: usize = 5;

/// Checks a prompt's length.
pub(super) fn check_prompt(prompt: &str) -> Result<(), Error> {
    check_text_of("prompt", prompt)
}

/// Checks that a text for an agent is there and not too long.
pub(super) fn check_text_of(field: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid(format!("{field}: it is required and must not be empty")));
    }
    check_length(field, text)
}

fn check_length(field: &str, text: &str) -> Result<(), Error> {
    if text.len() > MAX_PROMPT_BYTES {
        let size = text.len();
        return Err(Error::invalid(format!(
            "{field}: {size} bytes are too many; at most {MAX_PROMPT_BYTES} are allowed"
        )));
    }
    Ok(())
}

/// Checks labels: at most 20, keys of 1 to 64 bytes, values of at most 256.
pub(super) fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Error> {
    if metadata.len() > 20 {
        return Err(Error::invalid_field("metadata", &metadata.len().to_string(), "at most 20 keys"));
    }
    for (key, value) in metadata {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if key.is_empty() || key.len() > 64 || !key.bytes().all(legal) {
            return Err(Error::invalid_field("metadata", key, "keys of 1 to 64 bytes from [a-zA-Z0-9._-]"));
        }
        if value.len() > 256 || value.contains('\0') {
            return Err(Error::invalid_field(
                &format!("metadata.{key}"),
                value,
                "at most 256 bytes without NUL",
            ));
        }
    }
    Ok(())
}

/// Checks a skill: a name, `repo:name`, `repo:path`, `org/repo:name` or `org/repo:path`.
pub(super) fn check_skill(field: &str, skill: &str) -> Result<(), Error> {
    let (repo, path) = skill.split_once(':').map_or((None, skill), |(r, p)| (Some(r), p));
    let legal = |part: &str| {
        !part.is_empty() && part.len() <= 256 && !part.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if legal(path) && !path.split('/').any(|p| p == "..") && repo.is_none_or(legal) {
        return Ok(());
    }
    Err(Error::invalid_field(field, skill, "a skill such as owner/repo:name"))
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The identity that the run executes as; team runs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_identity_uid: Option<String>,
    /// The team member, by e-mail or id, in whose name the run is made; for keys of agents that may do so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Files for the agent, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentInput>,
    /// Pictures in the spelling of older clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageInput>,
    /// Names an uploaded workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_snapshot_token: Option<String>,
    /// Whether the end-of-run snapshot is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_disabled: Option<bool>,
}

/// A picture in the spelling of older clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageInput {
    /// Its bytes in Base64.
    pub data: String,
    /// Its media type.
    pub mime_type: String,
}

impl CreateRun {
    /// All files for the agent, the older spelling included.
    #[must_use]
    pub fn all_attachments(&self) -> Vec<AttachmentInput> {
        let images = self.images.iter().enumerate().map(|(i, image)| AttachmentInput {
            file_name: format!("image-{}.{}", i + 1, image.mime_type.rsplit('/').next().unwrap_or("bin")),
            mime_type: image.mime_type.clone(),
            data: image.data.clone(),
        });
        self.attachments.iter().cloned().chain(images).collect()
    }

    /// Whether something other than the prompt says what to do.
    fn has_other_task(&self) -> bool {
        self.skill.is_some()
            || self.conversation_id.is_some()
            || self.config.as_ref().is_some_and(AgentConfig::names_skill)
    }
}

impl Validate for CreateRun {
    fn validate(&self) -> Result<(), Error> {
        let prompt = self.prompt.as_deref().unwrap_or_default();
        if self.has_other_task() {
            check_length("prompt", prompt)?;
        } else {
            check_prompt(prompt)?;
        }
        if let Some(mode) = &self.mode {
            mode.require_known("mode")?;
        }
        if let Some(skill) = &self.skill {
            check_skill("skill", skill)?;
        }
        if let Some(title) = &self.title
            && title.len() > 1024
        {
            return Err(Error::invalid_field("title", title, "at most 1024 bytes"));
        }
        check_metadata(&self.metadata)?;
        let files = self.all_attachments();
        if files.len() > MAX_ATTACHMENTS {
            return Err(Error::invalid_field(
                "attachments",
                &files.len().to_string(),
                &format!("at most {MAX_ATTACHMENTS} files"),
            ));
        }
        files.iter().enumerate().try_for_each(|(i, file)| file.check(i))?;
        if self.team == Some(false) && (self.agent_identity_uid.is_some() || self.on_behalf_of.is_some()) {
            return Err(Error::invalid(
                "team: it must not be false with agent_identity_uid or on_behalf_of, which are for team runs",
            ));
        }
        self.config.as_ref().map_or(Ok(()), AgentConfig::validate)
    }
}

/// A run was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Runs of the agents of this factory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factory_uid: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// How to go on.
    pub page_info: PageInfo,
}

/// Whether and how a list goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageInfo {
    /// Whether there is more.
    pub has_next_page: bool,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

super::by_id! { run_id: RunId;
    /// Get one run.
    GetRun;
    /// Get the conversation of a run.
    GetRunConversation;
}

/// Cancel a run. Answers with the run's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CancelRun {
    /// Which one.
    pub run_id: RunId,
    /// (+) Cancel it also while it waits for a human, where the published API refuses to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}
impl Validate for CancelRun {}
