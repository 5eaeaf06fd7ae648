//! The seam between the run driver and an agent. A harness takes a task and returns a stream of normalized events;
//! the native `oz` agent, Claude Code, Codex and any other command line agent sit behind the same trait.

mod driver;
mod host;
mod task;

pub use driver::{DriverEvent, DriverResult};
pub use host::HostTool;
pub use task::{HarnessTask, McpStartup, Rule, SavedSession, Skill};

use crate::{
    Error, ErrorCode, Open,
    artifact::Artifact,
    open::open_enum,
    request::{Answer, Request},
    usage::Usage,
};
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

open_enum! {
    /// The kind of an action, as the public conversation format names it.
    ActionCategory {
        /// Runs a command.
        Command = "command",
        /// Reads or writes files.
        Files = "files",
        /// Searches.
        Search = "search",
        /// Talks to another system.
        Integration = "integration",
        /// Works on documents.
        Documents = "documents",
        /// Uses a computer's screen.
        Computer = "computer",
        /// Reviews code.
        Review = "review",
        /// Uses a skill.
        Skill = "skill",
    }
}

open_enum! {
    /// How an action stands.
    ActionState {
        /// Still going on.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Ended with an error.
        Failed = "failed",
        /// Not permitted.
        Denied = "denied",
    }
}

open_enum! {
    /// Where the agent stands, as the harness reports it.
    AgentState {
        /// The agent began to work.
        Started = "started",
        /// The agent waits for a human.
        Blocked = "blocked",
        /// The agent did what it was asked, and listens for more.
        Resting = "resting",
        /// The agent finished its task.
        Succeeded = "succeeded",
        /// The agent gave up or broke.
        Failed = "failed",
        /// The agent was told to stop.
        Cancelled = "cancelled",
    }
}

impl AgentState {
    /// Whether no event follows this one.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Blocked | Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What a harness or the run driver reports, normalized over all harnesses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HarnessEvent {
    /// What the agent was asked.
    Prompt {
        /// The text.
        text: String,
    },
    /// The agent says something.
    Text {
        /// The text, in Markdown.
        text: String,
    },
    /// A piece of a text that is still being written; the whole follows as [`Text`](Self::Text). For who watches right
    /// now: it is not stored. When a call of a model breaks and is made again, the pieces of the broken one were in vain:
    /// what counts is the text that follows.
    Delta {
        /// The piece.
        text: String,
    },
    /// The agent thinks aloud.
    Reasoning {
        /// The text or its summary.
        text: String,
    },
    /// The agent does something.
    Action {
        /// Links the action to its result.
        id: String,
        /// The kind of action.
        category: ActionCategory,
        /// The tool's name, such as `run_command`.
        name: String,
        /// The arguments, fit to be shown.
        input: Map<String, Value>,
    },
    /// What came of an action.
    ActionResult {
        /// The action's id.
        action_id: String,
        /// The kind of action.
        category: ActionCategory,
        /// The tool's name.
        name: String,
        /// How it ended.
        state: ActionState,
        /// What it returned, shortened where it is long.
        output: Map<String, Value>,
    },
    /// The agent's list of what there is to do changed.
    Tasks {
        /// The whole list.
        tasks: Vec<TaskItem>,
    },
    /// The agent needs a human to go on.
    Request {
        /// What it needs.
        request: Request,
    },
    /// A human, or who stands in for one, answered.
    Answered {
        /// The request.
        request_id: uuid::Uuid,
        /// The answer.
        answer: Answer,
    },
    /// The harness's own conversation has a name, by which it can be taken up again.
    Session {
        /// The harness's format, such as `claude_code`.
        format: String,
        /// The name.
        session_id: String,
    },
    /// The agent left something behind.
    Artifact {
        /// What.
        artifact: Open<Artifact>,
    },
    /// A model call ended.
    Usage {
        /// The model that was called.
        model: String,
        /// What the call used.
        usage: Usage,
    },
    /// The agent's state changed.
    State {
        /// The new state.
        state: AgentState,
        /// Why, or the summary of the work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The platform error code of a failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<ErrorCode>,
    },
    /// A command of the preparation printed something.
    Output {
        /// The step, such as `setup_environment_setup_commands`.
        stage: String,
        /// Whole lines, as they came; what is too much is left out with a word about it.
        text: String,
    },
    /// A step of the run driver, such as cloning a repository, ended.
    Stage {
        /// The step, such as `setup_environment_repo_clone`.
        name: String,
        /// Whether it went well.
        ok: bool,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What it did, or what went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

open_enum! {
    /// How a task of an agent's list stands.
    TaskState {
        /// Not begun.
        Pending = "pending",
        /// The agent is at it.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
        /// Not needed any more.
        Cancelled = "cancelled",
    }
}

/// One task of an agent's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskItem {
    /// What there is to do.
    pub title: String,
    /// How it stands.
    pub state: TaskState,
}

/// An agent that can be driven.
///
/// One value drives one conversation. The stream that [`start`](Harness::start) returns ends with exactly one
/// [`HarnessEvent::State`] whose state [is final](AgentState::is_final); a failure is such an event, never a panic.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The name by which configurations choose it, such as `oz` or `claude`.
    fn name(&self) -> &str;

    /// Starts to work on `task`. The events come as they happen; dropping the stream stops the agent.
    ///
    /// # Errors
    /// When the agent can't start at all, such as a missing program or key.
    async fn start(self: Arc<Self>, task: HarnessTask) -> Result<BoxStream<'static, HarnessEvent>, Error>;

    /// Gives the working agent another message. It reads it between two steps, and the stream tells of that with a
    /// [`HarnessEvent::Prompt`] of the same text; a message that no event tells of was not read.
    ///
    /// # Errors
    /// `operation_not_supported` when the harness can't take messages while it works.
    async fn send(&self, message: String) -> Result<(), Error>;

    /// Answers a [`HarnessEvent::Request`] of the working agent. The stream tells with [`HarnessEvent::Answered`] that the
    /// agent has got it, and also when it needs the answer no more.
    ///
    /// # Errors
    /// `operation_not_supported` when the harness asks nothing; `conflict` when nothing of that id waits.
    async fn answer(&self, request_id: uuid::Uuid, answer: Answer) -> Result<(), Error> {
        let _ = (request_id, answer);
        Err(Error::unsupported(format!("the harness '{}' asks nothing", self.name())))
    }

    /// Ends the step that the agent is at, and lets it read what was sent to it.
    ///
    /// # Errors
    /// `operation_not_supported` when the harness can't be interrupted without ending it.
    async fn interrupt(&self) -> Result<(), Error> {
        Err(Error::unsupported(format!("the harness '{}' can't be interrupted", self.name())))
    }

    /// Ends the step that the agent is at; it does nothing else until it is sent something.
    ///
    /// # Errors
    /// Those of [`interrupt`](Self::interrupt).
    async fn pause(&self) -> Result<(), Error> {
        self.interrupt().await
    }

    /// Nothing more will be sent: an agent that rests, or waits after a pause, ends.
    async fn dismiss(&self) {}

    /// The conversation so far, to be handed to a later harness of the same kind in [`HarnessTask::saved`]. It can be
    /// asked while the agent works and after its stream has ended.
    async fn save(&self) -> Option<SavedSession> {
        None
    }

    /// Asks the agent to stop soon. The stream then ends with [`AgentState::Cancelled`].
    async fn cancel(&self);
}

/// How a harness ended, taken from its last event.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The final state.
    pub state: AgentState,
    /// The summary, or what went wrong.
    pub message: Option<String>,
    /// The platform error code of a failure.
    pub code: Option<ErrorCode>,
}
