//! What an agent may do without asking: the settings of a profile, and the one decision that follows from them. Pure.

mod check;
mod decide;
mod leave;
mod settings;
mod shell;
mod within;

pub use decide::{Ask, Verdict, decide};
pub use leave::Leave;

use crate::open::open_enum;
use serde::{Deserialize, Serialize};

open_enum! {
    /// How far an agent may go by itself.
    PermissionLevel {
        /// It decides; what can't be undone or is uncertain is asked.
        AgentDecides = "agent_decides",
        /// It asks each time.
        AlwaysAsk = "always_ask",
        /// It never asks.
        AlwaysAllow = "always_allow",
        /// It never does it.
        Never = "never",
        /// For programs that run already: it asks before it first writes to one.
        AskOnFirstWrite = "ask_on_first_write",
    }
}

open_enum! {
    /// Which commands get the secrets of a run.
    SecretExposure {
        /// All.
        All = "all",
        /// Only those that name them.
        Named = "named",
    }
}

/// What an agent may do without asking. Absent levels mean [`PermissionLevel::AlwaysAllow`]: a run in a sandbox of its own
/// is what agents usually work in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Permissions {
    /// Read files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_files: Option<PermissionLevel>,
    /// Change files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply_code_diffs: Option<PermissionLevel>,
    /// Run commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute_commands: Option<PermissionLevel>,
    /// Write to programs that run already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interact_with_running_commands: Option<PermissionLevel>,
    /// Call MCP servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_mcp_servers: Option<PermissionLevel>,
    /// Fetch pages and search the web; nothing but `always_allow` turns it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_web_tools: Option<PermissionLevel>,
    /// Make plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_plans: Option<PermissionLevel>,
    /// Ask humans questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_questions: Option<PermissionLevel>,
    /// Use a screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer_use: Option<PermissionLevel>,
    /// Commands that run without asking: regular expressions for the whole of each simple command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_allowlist: Vec<String>,
    /// Commands that are asked whatever else holds: regular expressions for the whole of any simple command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command_denylist: Vec<String>,
    /// Directories where files are read and changed without asking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directory_allowlist: Vec<String>,
    /// Directories where files are neither read nor changed without asking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directory_denylist: Vec<String>,
    /// MCP servers, or `server/tool`, that are called without asking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mcp_allowlist: Vec<String>,
    /// MCP servers, or `server/tool`, that are asked whatever else holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mcp_denylist: Vec<String>,
    /// Which commands get the secrets of the run; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<SecretExposure>,
    /// Whether everything is done without asking until the task is done, the lists notwithstanding.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub run_until_completion: bool,
}

#[cfg(test)]
mod tests;
