//! A run: one piece of work for one agent, from its creation to its terminal state. A run has one or more executions;
//! a retry after a lost worker and a follow-up to an ended run are new executions of the same run.

pub mod machine;

use crate::{
    ConversationId, ErrorCode, ExecutionId, RunId, Timestamp,
    artifact::ArtifactItem,
    config::AgentConfig,
    open::open_enum,
    principal::{Principal, Scope},
    usage::RequestUsage,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

open_enum! {
    /// Where a run stands. [`machine`] says which state may follow which.
    RunState {
        /// Created; nobody took it yet.
        Queued = "QUEUED",
        /// Offered to a worker.
        Pending = "PENDING",
        /// A worker took it and prepares it.
        Claimed = "CLAIMED",
        /// The agent works.
        InProgress = "INPROGRESS" | "IN_PROGRESS",
        /// The agent waits for a human.
        Blocked = "BLOCKED",
        /// Done.
        Succeeded = "SUCCEEDED",
        /// Ended by something its user can fix.
        Failed = "FAILED",
        /// Ended by the platform.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
    }
}

impl RunState {
    /// Every known state.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Pending,
        Self::Claimed,
        Self::InProgress,
        Self::Blocked,
        Self::Succeeded,
        Self::Failed,
        Self::Error,
        Self::Cancelled,
    ];

    /// Whether the run is over for who waits for it. A state that this version does not know counts as over, so that
    /// nobody waits forever; a blocked run waits for a human and counts as over for pollers.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Queued | Self::Pending | Self::Claimed | Self::InProgress)
    }

    /// Whether the run ended for good.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Error | Self::Cancelled)
    }
}

open_enum! {
    /// What made a run.
    RunSource {
        /// An API call.
        Api = "API" | "AGENT_WEBHOOK",
        /// The command line.
        Cli = "CLI",
        /// A schedule.
        ScheduledAgent = "SCHEDULED_AGENT",
        /// Slack.
        Slack = "SLACK",
        /// Linear.
        Linear = "LINEAR",
        /// Jira.
        Jira = "JIRA",
        /// An agent on the user's own machine.
        Local = "LOCAL",
        /// The web app.
        WebApp = "WEB_APP",
        /// A GitHub Action.
        GithubAction = "GITHUB_ACTION",
        /// A GitHub webhook.
        GithubWebhook = "GITHUB_WEBHOOK",
        /// A GitLab webhook.
        GitlabWebhook = "GITLAB_WEBHOOK",
        /// The desktop application.
        CloudMode = "CLOUD_MODE",
        /// Another run.
        Orchestration = "ORCHESTRATION",
        /// An automatic fix.
        Autofix = "AUTOFIX",
        /// Self-improvement.
        SelfImprovement = "SELF_IMPROVEMENT",
        /// A scorer of runs.
        RunScorer = "RUN_SCORER",
    }
}

open_enum! {
    /// Where the agent of a run works.
    ExecutionLocation {
        /// On the machine of who started it.
        Local = "LOCAL",
        /// On a worker.
        Remote = "REMOTE",
    }
}

open_enum! {
    /// How the agent should go about its task.
    RunMode {
        /// Just do it.
        Normal = "normal",
        /// Plan first.
        Plan = "plan",
        /// Split the work over child runs.
        Orchestrate = "orchestrate",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro makes the enum")]
impl Default for RunMode {
    fn default() -> Self {
        Self::Normal
    }
}

impl RunMode {
    /// What a prompt asks for, and the mode that it chooses by beginning with `/plan` or `/orchestrate`, if it does.
    #[must_use]
    pub fn called(prompt: &str) -> Option<(&str, Self)> {
        [("/plan ", Self::Plan), ("/orchestrate ", Self::Orchestrate)]
            .into_iter()
            .find_map(|(prefix, mode)| Some((prompt.strip_prefix(prefix)?, mode)))
    }
}

/// Why a run is in its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusMessage {
    /// For people: the summary of the work, or the stage, command and exit code of a failure with its last output.
    pub message: String,
    /// Platform error code; only on terminal errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// Whether the same run may succeed when dispatched again; only on terminal errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// When the session of a failed run closes, while it is kept open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_debug_until: Option<Timestamp>,
}

impl StatusMessage {
    /// A message without an error.
    pub fn info(message: impl Into<String>) -> Self {
        Self { message: message.into(), error_code: None, retryable: None, session_debug_until: None }
    }
    /// The message of a run that ends with `code`.
    pub fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        let retryable = Some(code.info().retryable);
        Self { message: message.into(), error_code: Some(code), retryable, session_debug_until: None }
    }
}

/// The schedule that made a run, as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleRef {
    /// Its id.
    pub schedule_id: String,
    /// Its name.
    pub schedule_name: String,
    /// Its cron expression.
    pub cron_schedule: String,
}

/// A run as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The same id under its older name.
    pub task_id: RunId,
    /// What it is about, in a line.
    pub title: String,
    /// Where it stands.
    pub state: RunState,
    /// What the agent was asked.
    pub prompt: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its record last changed.
    pub updated_at: Timestamp,
    /// When the agent began to work.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// How long the agent worked, over all executions, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_time: Option<String>,
    /// Where the agent works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_location: Option<ExecutionLocation>,
    /// Why it is in its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<StatusMessage>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RunSource>,
    /// The schedule that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleRef>,
    /// The live session of the latest execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Where a person can watch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_link: Option<String>,
    /// Where the trigger can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_url: Option<String>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Principal>,
    /// As whom it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<Principal>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_usage: Option<RequestUsage>,
    /// How the agent is configured.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "agent_config_snapshot")]
    pub agent_config: Option<AgentConfig>,
    /// Its conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_run_id: Option<RunId>,
    /// Whether its agent process lives.
    #[serde(default)]
    pub is_sandbox_running: bool,
    /// Whether runs of its type can be cancelled at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_run_type_cancellable: Option<bool>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What it left behind.
    #[serde(default)]
    pub artifacts: Vec<ArtifactItem>,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The cursor that its consumer stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_sequence: Option<i64>,
    /// The runs that it started.
    #[serde(default)]
    pub children: Vec<RunId>,
    /// The skill that says what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_skill: Option<AgentSkill>,
    /// (+) What became of its secrets when it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<crate::secret::RunSecrets>,
    /// (+) How its agent goes about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// (+) What it waits for; only while it is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<crate::request::Request>,
    /// (+) The current or last execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// (+) What keeps it from starting; only while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<InQueue>,
}

/// (+) Where a queued run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InQueue {
    /// Its place among the runs that wait for the same workers, counted from 1; absent far behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Why it waits.
    pub reason: String,
}

/// The skill of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentSkill {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_path: Option<String>,
}

impl AgentSkill {
    /// What a specification such as `owner/repo:path/to/SKILL.md` names.
    #[must_use]
    pub fn of_spec(spec: &str) -> Self {
        let path = spec.rsplit_once(':').map_or(spec, |(_, path)| path);
        let folder = path.trim_end_matches("/SKILL.md");
        Self {
            name: Some(folder.rsplit('/').next().unwrap_or(folder).to_owned()),
            description: None,
            full_path: path.contains('/').then(|| path.to_owned()),
        }
    }
}

/// (+) One attempt to do a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Execution {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Counted from 1.
    pub attempt: u32,
    /// The worker that has or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// When it was offered to a worker.
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}
