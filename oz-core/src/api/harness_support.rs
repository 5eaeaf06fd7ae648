//! Requests that the agent process of a run makes; the run follows from its token.

use super::Validate;
use crate::{
    Error, ErrorCode, ExecutionId, Open, RunId, RunState, Timestamp, artifact::Artifact,
    harness::HarnessEvent, run::StatusMessage, run::machine::Cause, usage::Usage,
};
use serde::{Deserialize, Serialize};

/// Read what the agent of this run is to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetOwnRun {}
impl Validate for GetOwnRun {}

/// Change the state of this run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateRun {
    /// The new state: INPROGRESS when the agent begins, or the one in which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_state: Option<RunState>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<StatusMessage>,
    /// What this execution used in total. Only what neither its transcript nor an earlier total told of is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}
impl Validate for UpdateRun {
    fn validate(&self) -> Result<(), Error> {
        match &self.task_state {
            None | Some(RunState::InProgress) => Ok(()),
            Some(state) if Cause::ending_in(state).is_some() => Ok(()),
            Some(state) => Err(Error::invalid_field(
                "task_state",
                state.as_str(),
                "one of INPROGRESS, BLOCKED, SUCCEEDED, FAILED, ERROR, CANCELLED",
            )),
        }
    }
}

/// Where this run stands, so that its agent learns of a cancellation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunStatus {
    /// The state.
    pub state: RunState,
    /// Follow-ups that the agent has not got yet, oldest first. One that it can't take while it works stays for its
    /// next execution.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followups: Vec<Followup>,
}

impl RunStatus {
    /// A state without anything for the agent.
    #[must_use]
    pub fn of(state: RunState) -> Self {
        Self { state, followups: Vec::new() }
    }
}

/// (+) Where this run stands, as soon as there is something that its agent does not know: a follow-up, or its end. It is
/// a sign of life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetRunStatus {
    /// How long to wait for news, in seconds, at most 20; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<i64>,
    /// Follow-ups that the agent knows of already, separated by commas: they are no news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}
impl Validate for GetRunStatus {
    fn validate(&self) -> Result<(), Error> {
        match self.wait_seconds {
            Some(seconds) if !(0..=20).contains(&seconds) => {
                Err(Error::invalid_field("wait_seconds", &seconds.to_string(), "0 to 20"))
            }
            _ => Ok(()),
        }
    }
}

/// More for a working agent to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Followup {
    /// Its id, by which the agent says that it got it.
    pub followup_id: String,
    /// What else to do.
    pub message: String,
    /// Whether the agent is to leave what it is at.
    #[serde(default)]
    pub interrupt: bool,
}

/// Append to the transcript of this run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AppendTranscript {
    /// The new entries, at most 1,000. An entry whose number this execution has sent before is ignored, so that a
    /// repeated call adds nothing.
    pub entries: Vec<NewEntry>,
    /// Follow-ups that the agent has got; they are not given to it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received_followups: Vec<String>,
}
impl Validate for AppendTranscript {
    fn validate(&self) -> Result<(), Error> {
        if self.entries.len() > 1000 {
            let count = self.entries.len().to_string();
            return Err(Error::invalid_field("entries", &count, "at most 1000 entries"));
        }
        Ok(())
    }
}

/// A new transcript entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewEntry {
    /// Counted by the agent from 1 within its execution.
    pub number: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: Open<HarnessEvent>,
}

/// Report an artifact of this run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportArtifact {
    /// What it is; a pull request or an external reference.
    #[serde(flatten)]
    pub artifact: Open<Artifact>,
}
impl Validate for ReportArtifact {
    fn validate(&self) -> Result<(), Error> {
        match self.artifact.clone().require_known("artifact_type")? {
            Artifact::PullRequest { .. } => Ok(()),
            Artifact::ExternalReference { reference_type, url, .. } => {
                if reference_type.is_empty() || reference_type.len() > 256 {
                    return Err(Error::invalid_field(
                        "data.reference_type",
                        &reference_type,
                        "1 to 256 bytes",
                    ));
                }
                if url.is_empty() || url.len() > 2048 {
                    return Err(Error::invalid_field("data.url", &url, "1 to 2048 bytes"));
                }
                Ok(())
            }
            other => Err(Error::invalid_field(
                "artifact_type",
                other.kind().as_str(),
                "PULL_REQUEST or EXTERNAL_REFERENCE",
            )),
        }
    }
}

/// The artifact was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactReported {
    /// Its id.
    pub artifact_uid: String,
}

/// End this run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FinishTask {
    /// Whether the agent did what it was asked.
    pub success: bool,
    /// What it did.
    pub summary: String,
}
impl Validate for FinishTask {}

/// Tell that the agent process of this run ends.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportShutdown {
    /// Why, when not as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ShutdownError>,
}
impl Validate for ReportShutdown {}

/// Why an agent process ended early.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShutdownError {
    /// A word, such as `process_exit`.
    pub category: String,
    /// For people.
    #[serde(default)]
    pub message: String,
}

/// Name the conversation of a foreign harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateExternalConversation {
    /// The harness's format, such as `claude_code`.
    pub format: String,
}
impl Validate for CreateExternalConversation {
    fn validate(&self) -> Result<(), Error> {
        if self.format.is_empty() || self.format.len() > 64 {
            return Err(Error::invalid_field("format", &self.format, "1 to 64 bytes"));
        }
        Ok(())
    }
}

/// The conversation of a foreign harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExternalConversation {
    /// Its id.
    pub conversation_id: crate::ConversationId,
}

/// Make the prompt of this run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResolvePrompt {
    /// The skill that the agent found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<ResolvedSkill>,
    /// Where the attachments of the run lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments_dir: Option<String>,
}
impl Validate for ResolvePrompt {}

/// A skill as the agent found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResolvedSkill {
    /// Its name.
    pub name: String,
    /// Its instructions.
    pub content: String,
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The prompt of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromptResolved {
    /// What to do.
    pub prompt: String,
    /// Instructions that come before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// What to say when the harness takes up its earlier conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumption_prompt: Option<String>,
    /// More for the agent to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// (+) The earlier conversation, for a harness of its format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<StoredSession>,
}

/// (+) A conversation as its harness keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoredSession {
    /// The run that left it.
    pub run_id: RunId,
    /// The harness's format, such as `claude_code`.
    pub format: String,
    /// The harness's name for the conversation.
    pub session_id: String,
    /// Where to fetch it; signed, and open for a while.
    pub download_url: String,
}

/// Tell who asked for this run something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotifyUser {
    /// What, in Markdown; at most 64 KiB.
    pub message: String,
}
impl Validate for NotifyUser {
    fn validate(&self) -> Result<(), Error> {
        if self.message.trim().is_empty() || self.message.len() > 65_536 {
            return Err(Error::invalid_field("message", &self.message, "1 to 65536 bytes"));
        }
        Ok(())
    }
}

/// Record a run that its creator's own machine executes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateLocalRun {
    /// What the agent is asked.
    pub prompt: String,
    /// How it is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<crate::config::AgentConfig>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
impl Validate for CreateLocalRun {
    fn validate(&self) -> Result<(), Error> {
        super::check_prompt(&self.prompt)?;
        self.config.as_ref().map_or(Ok(()), crate::config::AgentConfig::validate)
    }
}

/// A local run was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocalRunCreated {
    /// The run.
    pub run_id: RunId,
    /// Its execution.
    pub execution_id: ExecutionId,
    /// The token that the run's agent reports with.
    pub workload_token: String,
}

/// The error code and message with which an agent ended, for [`UpdateRun`].
impl UpdateRun {
    /// The agent begins to work.
    #[must_use]
    pub fn started() -> Self {
        Self { task_state: Some(RunState::InProgress), ..Self::default() }
    }
    /// The run ends with `code`.
    #[must_use]
    pub fn failed(code: ErrorCode, message: String) -> Self {
        Self {
            task_state: Some(code.terminal_state()),
            status_message: Some(StatusMessage::error(code, message)),
            usage: None,
        }
    }
}
