//! A harness that is written in another language: the core's trait on one side, JSON and callbacks on the other.

use crate::{Failure, Kind, Pieces};
use async_trait::async_trait;
use futures_util::{StreamExt as _, future, stream::BoxStream};
use oz_core::{
    Error, ErrorCode, RunId,
    config::{Limits, McpServerConfig},
    harness::{AgentState, Harness, HarnessEvent},
    permission::Permissions,
    run::RunMode,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// What another language brings: a class with these methods. One value drives one conversation.
#[async_trait]
pub trait HarnessHook: Send + Sync {
    /// The name by which transcripts and saved conversations know it.
    fn name(&self) -> &str;

    /// Starts to work on a [`HarnessTask`], as JSON. The stream yields events, each the JSON of a
    /// [`HarnessEvent`]; the last one is of type `state` with a state that is final. Dropping the stream stops the agent.
    ///
    /// # Errors
    /// Why it can't start at all.
    async fn start(&self, task: String) -> Result<Pieces, Failure>;

    /// Gives the working agent another message; an event of type `prompt` with its text says that it was read.
    ///
    /// # Errors
    /// Why it can't be taken now; the message then waits for the next execution.
    async fn send(&self, message: String) -> Result<(), Failure> {
        let _ = message;
        Err(unsupported(self.name(), "take messages while it works"))
    }

    /// Ends the step that the agent is at, and lets it read what was sent to it.
    ///
    /// # Errors
    /// When it can't be interrupted without ending it.
    async fn interrupt(&self) -> Result<(), Failure> {
        Err(unsupported(self.name(), "be interrupted"))
    }

    /// Asks the agent to stop soon. What still works after a moment is dropped.
    async fn cancel(&self) {}
}

fn unsupported(name: &str, what: &str) -> Failure {
    Error::unsupported(format!("the harness '{name}' can't {what}")).into()
}

/// What a harness is asked to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HarnessTask {
    /// The run, where there is one.
    pub run_id: Option<RunId>,
    /// What to do.
    pub prompt: String,
    /// What is said right after that, as messages of their own.
    pub more: Vec<String>,
    /// Instructions that come before the harness's own.
    pub base_prompt: Option<String>,
    /// How to go about it.
    pub mode: RunMode,
    /// The directory to work in; it exists.
    pub workspace: PathBuf,
    /// A private directory for the harness's own files, which is gone when the run ends.
    pub home: PathBuf,
    /// The model to use; the harness's default when absent.
    pub model_id: Option<String>,
    /// How hard the model should think.
    pub reasoning_level: Option<String>,
    /// When to stop.
    pub limits: Limits,
    /// What the agent may do without asking.
    pub permissions: Permissions,
    /// The rules of the workspace, such as `AGENTS.md`, the weakest first: texts by file.
    pub rules: Vec<HarnessFile>,
    /// The skills in scope: what each is for, by file.
    pub skills: Vec<HarnessFile>,
    /// MCP servers by name.
    pub mcp_servers: BTreeMap<String, McpServerConfig>,
    /// Pictures that came with the task.
    pub images: Vec<PathBuf>,
    /// The whole environment of the processes that the agent starts. Holds the secrets of the run.
    pub env: BTreeMap<String, String>,
}

/// A file that a harness is told of.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HarnessFile {
    /// The file.
    pub path: PathBuf,
    /// What it says, or what it is for.
    pub text: String,
}

impl From<oz_core::harness::HarnessTask> for HarnessTask {
    fn from(task: oz_core::harness::HarnessTask) -> Self {
        let file = |path, text| HarnessFile { path, text };
        Self {
            run_id: task.run_id,
            prompt: task.prompt,
            more: task.more,
            base_prompt: task.base_prompt,
            mode: task.mode,
            workspace: task.workspace,
            home: task.home,
            model_id: task.model_id,
            reasoning_level: task.reasoning_level,
            limits: task.limits,
            permissions: task.permissions,
            rules: task.rules.into_iter().map(|rule| file(rule.path, rule.text)).collect(),
            skills: task.skills.into_iter().map(|skill| file(skill.path, skill.description)).collect(),
            mcp_servers: task.mcp_servers,
            images: task.images,
            env: task.env,
        }
    }
}

/// The hook as the driver takes it.
pub(crate) struct Hooked(pub(crate) Arc<dyn HarnessHook>);

#[async_trait]
impl Harness for Hooked {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn start(
        self: Arc<Self>,
        task: oz_core::harness::HarnessTask,
    ) -> Result<BoxStream<'static, HarnessEvent>, Error> {
        // What was saved can't be handed on yet; the task then says all that came before.
        let task = HarnessTask::from(task.afresh());
        let task = serde_json::to_string(&task).map_err(|e| Error::internal(e.to_string()))?;
        let pieces = self.0.start(task).await.map_err(|failure| error(&failure))?;
        let name = self.0.name().to_owned();
        let ended =
            failed(format!("the harness '{name}' ended without an event of type 'state' that is final"));
        let events = pieces
            .map(move |piece| match piece {
                Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|e| {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    failed(format!("the harness '{name}' yielded what is no event: {e}: {text}"))
                }),
                Err(failure) => failed(failure.message),
            })
            .chain(futures_util::stream::once(future::ready(ended)));
        // Nothing follows the end, whatever the other side still says.
        let mut over = false;
        Ok(events
            .take_while(move |event| {
                let goes_on = !over;
                over = is_final(event);
                future::ready(goes_on)
            })
            .boxed())
    }

    async fn send(&self, message: String) -> Result<(), Error> {
        self.0.send(message).await.map_err(|failure| error(&failure))
    }

    async fn interrupt(&self) -> Result<(), Error> {
        self.0.interrupt().await.map_err(|failure| error(&failure))
    }

    async fn cancel(&self) {
        self.0.cancel().await;
    }
}

fn is_final(event: &HarnessEvent) -> bool {
    matches!(event, HarnessEvent::State { state, .. } if state.is_final())
}

fn failed(message: String) -> HarnessEvent {
    HarnessEvent::State {
        state: AgentState::Failed,
        message: Some(message),
        code: Some(ErrorCode::InternalError),
    }
}

/// The failure as an error of the core.
fn error(failure: &Failure) -> Error {
    let code = match (&failure.code, failure.kind) {
        (Some(code), _) => ErrorCode::from(&**code),
        (None, Kind::Config) => ErrorCode::EnvironmentSetupFailed,
        (None, _) => ErrorCode::InternalError,
    };
    Error::new(code, failure.message.clone())
}
