//! What a harness is given.

use super::HostTool;
use crate::{
    Redactor, RunId,
    config::{CommandHarness, Limits, McpServerConfig, Sandbox},
    egress::Network,
    permission::Permissions,
    run::RunMode,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

/// A rules file that applies to a workspace, such as `AGENTS.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rule {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A skill that an agent may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Skill {
    /// Its name.
    pub name: String,
    /// What it is for, and when.
    pub description: String,
    /// Its file, usually `SKILL.md`; what belongs to it lies beside it.
    pub path: PathBuf,
}

/// A harness's conversation, as the harness itself keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SavedSession {
    /// The harness's format, such as `oz`, `claude_code` or `codex`. A harness takes up only its own.
    pub format: String,
    /// Its name for the conversation.
    pub session_id: String,
    /// The conversation: what the harness wrote, byte for byte. This is the raw transcript of a run. In JSON it is text,
    /// where what is no UTF-8 is lost.
    #[serde(with = "text")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub content: Vec<u8>,
}

/// Bytes as text.
mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(deserializer).map(String::into_bytes)
    }
}

impl fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SavedSession");
        shown.field("format", &self.format).field("session_id", &self.session_id);
        shown.field("bytes", &self.content.len()).finish()
    }
}

/// How MCP servers have to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpStartup {
    /// Whether a server that does not start ends the run; it is left out otherwise.
    pub strict: bool,
    /// How long each may take; absent means what its configuration says.
    pub patience: Option<Duration>,
}

/// What a harness is asked to do.
///
/// Its JSON is for harnesses that are written in other languages; it leaves out what only the host of a harness needs.
#[derive(Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// A directory for the harness's own files, outside of the workspace; it exists, nobody else can read it, and it is
    /// gone when the run ends. Command line agents get it as their home.
    pub home: PathBuf,
    /// The `oz` program, for what a harness starts of it.
    #[serde(skip)]
    pub oz: PathBuf,
    /// The model to use; absent means the harness's default.
    pub model_id: Option<String>,
    /// How hard the model should think, in the harness's words.
    pub reasoning_level: Option<String>,
    /// Models to go on with, in order, while the chosen one is not available.
    pub fallback_model_ids: Vec<String>,
    /// When to stop.
    pub limits: Limits,
    /// What the agent may do without asking.
    pub permissions: Permissions,
    /// What the processes of the agent may use and reach.
    #[serde(skip)]
    pub sandbox: Sandbox,
    /// What the agent may reach, and how its processes are started so that it holds.
    #[serde(skip)]
    pub network: Network,
    /// The rules of the workspace, the weakest first.
    pub rules: Vec<Rule>,
    /// The skills in scope.
    pub skills: Vec<Skill>,
    /// MCP servers by name: each with a `command` or an `url`, everything filled in.
    pub mcp_servers: BTreeMap<String, McpServerConfig>,
    /// How these have to start.
    #[serde(skip)]
    pub mcp_startup: McpStartup,
    /// Pictures that came with the task, by their paths.
    pub images: Vec<PathBuf>,
    /// What the host offers beside the harness's own tools.
    #[serde(skip)]
    pub tools: Vec<Arc<dyn HostTool>>,
    /// How to run the harness `command`.
    #[serde(skip)]
    pub command: Option<CommandHarness>,
    /// Whether more is said to it when it has done what it was asked. A harness that can then reports the state `resting`
    /// instead of its end, and listens.
    pub talks: bool,
    /// The conversation to go on with; `prompt` is then its next message.
    pub saved: Option<SavedSession>,
    /// What to say instead of `prompt` when `saved` can't be taken up: the task from its beginning, and what came of it.
    pub retold: Option<String>,
    /// The whole environment of the processes that the agent starts. It may hold secrets of the run.
    pub env: BTreeMap<String, String>,
    /// Variables beside `env` for a command line agent itself: how to log in to its model service, and where that is.
    #[serde(skip)]
    pub auth: BTreeMap<String, String>,
    /// Secrets by variable that are not in `env`: a command gets one when it names it.
    #[serde(skip)]
    pub secrets: BTreeMap<String, String>,
    /// Takes secrets out of what the model is told of tools.
    #[serde(skip)]
    pub redactor: Redactor,
}

impl HarnessTask {
    /// The task from its beginning, for a harness that can't take up what was saved.
    #[must_use]
    pub fn afresh(mut self) -> Self {
        self.saved = None;
        if let Some(retold) = self.retold.take() {
            self.prompt = retold;
            self.more.clear();
        }
        self
    }
}

impl fmt::Debug for HarnessTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment holds secrets.
        let mut shown = f.debug_struct("HarnessTask");
        shown.field("run_id", &self.run_id).field("workspace", &self.workspace).finish_non_exhaustive()
    }
}
