//! How an agent is configured: the wire's `AmbientAgentConfig`, with our additions marked (+).

use crate::{Error, open::open_enum};
use schemars::JsonSchema;
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
    }
}

/// The harness of a run and what it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HarnessConfig {
    /// Which harness.
    #[serde(rename = "type")]
    pub kind: HarnessType,
    /// The model it should use; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// How hard the model should think; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
}

/// (+) When a run must stop. Absent means no limit but the harness's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// One MCP server: exactly one of `warp_id`, `command` and `url`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Address of an HTTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers for the address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// How an agent is configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentConfig {
    /// Label that groups runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model, passed through to the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Instructions that come before the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_prompt: Option<String>,
    /// The environment to prepare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// The skill to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_spec: Option<String>,
    /// The skills to run, in order; excludes `skill_spec`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// MCP servers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_servers: BTreeMap<String, McpServerConfig>,
    /// Whether the agent may use a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_use_enabled: Option<bool>,
    /// Minutes that an idle session stays open, 1 to 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_minutes: Option<i32>,
    /// The self-hosted worker to run on; absent or `warp` means a worker of the control plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_host: Option<String>,
    /// The harness; absent means `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<HarnessConfig>,
    /// Whether the end-of-run snapshot is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_disabled: Option<bool>,
    /// (+) Repositories to clone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_repos: Vec<SourceRepo>,
    /// (+) Commands to run, in order, before the agent starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup_commands: Vec<String>,
    /// (+) When the run must stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

impl AgentConfig {
    /// The harness, `oz` unless another is chosen.
    #[must_use]
    pub fn harness_type(&self) -> HarnessType {
        self.harness.as_ref().map_or(HarnessType::Oz, |h| h.kind.clone())
    }

    /// The worker host in its canonical form: `None` means a worker of the control plane.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.worker_host.as_deref().map(str::trim).filter(|host| !host.is_empty() && *host != "warp")
    }

    /// Checks what the types can't.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `config` and its value.
    pub fn validate(&self) -> Result<(), Error> {
        if let Some(harness) = &self.harness {
            harness.kind.require_known("config.harness.type")?;
        }
        if let Some(minutes) = self.idle_timeout_minutes
            && !(1..=60).contains(&minutes)
        {
            return Err(Error::invalid_field("config.idle_timeout_minutes", &minutes.to_string(), "1 to 60"));
        }
        if self.skill_spec.is_some() && !self.skills.is_empty() {
            return Err(Error::invalid(
                "config.skill_spec and config.skills exclude each other; send one of them",
            ));
        }
        for (name, server) in &self.mcp_servers {
            let kinds = [server.warp_id.is_some(), server.command.is_some(), server.url.is_some()];
            if kinds.iter().filter(|set| **set).count() != 1 {
                return Err(Error::invalid(format!(
                    "config.mcp_servers.{name} must have exactly one of warp_id, command and url"
                )));
            }
        }
        for (i, repo) in self.source_repos.iter().enumerate() {
            if repo.url.is_empty() || repo.url.starts_with('-') || repo.url.contains("::") {
                let field = format!("config.source_repos[{i}].url");
                return Err(Error::invalid_field(&field, &repo.url, "an HTTPS or SSH address or a path"));
            }
            if let Some(reference) = &repo.checkout_ref
                && (reference.is_empty() || reference.starts_with('-'))
            {
                let field = format!("config.source_repos[{i}].checkout_ref");
                return Err(Error::invalid_field(&field, reference, "a branch, tag or commit"));
            }
        }
        if let Some(limits) = &self.limits
            && let Some(cost) = limits.max_cost_usd
            && !(cost.is_finite() && cost > 0.0)
        {
            return Err(Error::invalid_field("config.limits.max_cost_usd", &cost.to_string(), "more than 0"));
        }
        Ok(())
    }
}
