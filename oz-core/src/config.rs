//! How an agent is configured: the wire's `AmbientAgentConfig`, with our additions marked (+).

mod agent;
mod check;
pub mod child;

pub use agent::AgentConfig;
pub use check::{
    check_git_credentials, check_mcp_servers, check_repos, check_sandbox, check_setup_timeout, check_shape,
    check_variables, check_worker_labels,
};

use crate::open::open_enum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

open_enum! {
    /// Which agent works on a run.
    HarnessType {
        /// The native agent.
        Oz = "oz",
        /// Claude Code.
        Claude = "claude" | "claude-code",
        /// Codex.
        Codex = "codex",
        /// Gemini CLI.
        Gemini = "gemini",
        /// opencode.
        Opencode = "opencode" | "open-code",
        /// (+) Any program, described by [`CommandHarness`].
        Command = "command",
    }
}

/// The harness of a run and what it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HarnessConfig {
    /// Which harness; `oz` when absent.
    #[serde(rename = "type", default = "native")]
    pub kind: HarnessType,
    /// The model it should use; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// How hard the model should think; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
    /// (+) The program of the harness `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandHarness>,
}

open_enum! {
    /// What a program tells of its work on its standard output.
    CommandOutput {
        /// Text, which is what the agent says.
        Text = "text",
        /// A JSON object per line, each a harness event of ours; other lines are text.
        Events = "events",
        /// The stream of Claude Code.
        ClaudeStreamJson = "claude_stream_json",
        /// The stream of `codex exec --json`.
        CodexJson = "codex_json",
    }
}

/// (+) A program as a harness. Its words may contain `{prompt}`, `{model}`, `{workspace}`, `{home}` and `{session}`; a
/// word with a placeholder that has no value is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandHarness {
    /// Program and arguments of a new conversation.
    pub start: Vec<String>,
    /// Program and arguments that go on with the conversation `{session}`; absent means that it can't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<String>,
    /// Whether the prompt is written to standard input; it is when no word contains `{prompt}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<bool>,
    /// What it tells of its work; `text` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<CommandOutput>,
    /// A regular expression whose first group is the conversation's name, looked for in every line of output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_pattern: Option<String>,
    /// Regular expressions for lines that mean that the program is not logged in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authentication_patterns: Vec<String>,
    /// How to get the program, for who does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_hint: Option<String>,
}

/// (+) What the processes of a run may use and reach.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sandbox {
    /// The most memory of all processes together, in MiB; needs cgroups that the worker may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// The most processor time per second, in processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// The most processes at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_processes: Option<u64>,
    /// Hosts that may be reached, such as `crates.io` or `*.github.com`; absent means all, an empty list none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_allowlist: Option<Vec<String>>,
}

impl HarnessConfig {
    /// The native agent.
    #[must_use]
    pub fn native() -> Self {
        Self { kind: HarnessType::Oz, model_id: None, reasoning_level: None, command: None }
    }
}

fn native() -> HarnessType {
    HarnessType::Oz
}

open_enum! {
    /// Whose credentials a run gets for git and the like.
    CredentialStrategy {
        /// Those of whom it executes as.
        Executor = "EXECUTOR",
        /// Those of who asked for it.
        Creator = "CREATOR",
    }
}

open_enum! {
    /// What an agent may do with a memory store.
    MemoryAccess {
        /// Read and write.
        ReadWrite = "read_write",
        /// Read.
        ReadOnly = "read_only",
    }
}

/// A memory store that an agent may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryStoreRef {
    /// The store.
    pub uid: String,
    /// What the agent may do with it.
    pub access: MemoryAccess,
    /// How the agent should use it.
    pub instructions: String,
}

/// A secret, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretRef {
    /// Its name.
    pub name: String,
}

/// Secrets that log a harness in; only that of the active harness is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HarnessAuthSecrets {
    /// For Claude Code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claude_auth_secret_name: Option<String>,
    /// For Codex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codex_auth_secret_name: Option<String>,
    /// (+) For Gemini CLI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gemini_auth_secret_name: Option<String>,
    /// (+) For opencode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opencode_auth_secret_name: Option<String>,
}

/// Where model calls go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InferenceProviders {
    /// Amazon Bedrock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsInference>,
}

/// Model calls over Amazon Bedrock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AwsInference {
    /// Whether it is switched off at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

open_enum! {
    /// What anybody with the link may do in a session.
    PublicAccess {
        /// Watch.
        Viewer = "VIEWER",
        /// Steer.
        Editor = "EDITOR",
    }
}

/// Who may join the session of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionSharing {
    /// What anybody with the link may do; absent means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<PublicAccess>,
}

/// (+) When a run must stop. Absent means no limit but the harness's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// The most model calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// The most tokens, read and written together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// The most seconds of wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
    /// The most US dollars. Only enforceable for models whose price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

/// (+) A git repository that a run works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceRepo {
    /// Anything `git clone` takes: an HTTPS or SSH address or a path on the worker.
    pub url: String,
    /// Branch, tag or commit to check out; absent means the default branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_ref: Option<String>,
}

impl SourceRepo {
    /// The directory name that `git clone` would choose, always one safe path component.
    #[must_use]
    pub fn directory(&self) -> String {
        let name = self.url.trim_end_matches('/').trim_end_matches(".git").trim_end_matches('/');
        let name = name.rsplit(['/', ':']).next().unwrap_or_default();
        let safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
            .collect();
        if safe.is_empty() || safe.starts_with('.') { "repo".to_owned() } else { safe }
    }
}

/// (+) A secret that logs git in to one host. The token goes nowhere else: not into addresses, arguments or files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GitCredential {
    /// The host, such as `github.com`, with its port where that is not the usual one.
    pub host: String,
    /// The secret with the password or token; of a raw value.
    pub secret: String,
    /// The user name; what the host expects beside a token when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl GitCredential {
    /// The user name to log in with.
    #[must_use]
    pub fn user(&self) -> &str {
        match &self.username {
            Some(name) => name,
            None if self.host.contains("gitlab") => "oauth2",
            None if self.host == "bitbucket.org" => "x-token-auth",
            None => "x-access-token",
        }
    }
}

/// The secrets that log git in to well-known hosts wherever a run has them: host and name.
pub const WELL_KNOWN_GIT_SECRETS: &[(&str, &str)] = &[
    ("github.com", "GITHUB_TOKEN"),
    ("github.com", "GH_TOKEN"),
    ("github.com", "GITHUB_ACCESS_TOKEN"),
    ("gitlab.com", "GITLAB_TOKEN"),
    ("bitbucket.org", "BITBUCKET_TOKEN"),
    ("dev.azure.com", "AZURE_DEVOPS_TOKEN"),
];

/// One MCP server: exactly one of `warp_id`, `command` and `url`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct McpServerConfig {
    /// Id of a shared server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warp_id: Option<String>,
    /// Program of a stdio server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Arguments of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment of the program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Directory to start the program in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Address of an HTTP server; some tools write `serverUrl`.
    #[serde(default, alias = "serverUrl", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers for the address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// (+) How to talk to the address; found out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "type")]
    pub transport: Option<McpTransport>,
    /// (+) The secret with the OAuth tokens for the address, as `oz mcp login` keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_secret: Option<String>,
    /// (+) The only tools of the server that are offered; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_tools: Vec<String>,
    /// (+) Tools of the server that are not offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_tools: Vec<String>,
    /// (+) Seconds that the start and each call may take, 1 to 3600; 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
}

open_enum! {
    /// How to talk to an MCP server.
    McpTransport {
        /// Over standard input and output of its program.
        Stdio = "stdio",
        /// Streamable HTTP.
        Http = "http" | "streamable-http" | "streamable_http",
        /// HTTP with server-sent events, the older way.
        Sse = "sse",
    }
}
