//! Configuration files of agents.

use crate::error::CliError;
use oz_core::config::{AgentConfig, HarnessConfig, Limits, McpServerConfig, SourceRepo};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// The keys of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cmd) struct ConfigFile {
    name: Option<String>,
    pub(super) environment_id: Option<String>,
    pub(super) runner_id: Option<String>,
    model_id: Option<String>,
    fallback_model_ids: Vec<String>,
    base_prompt: Option<String>,
    pub(super) mcp_servers: BTreeMap<String, McpServerConfig>,
    host: Option<String>,
    computer_use_enabled: Option<bool>,
    harness: Option<HarnessConfig>,
    pub(super) skill_spec: Option<String>,
    source_repos: Vec<SourceRepo>,
    setup_commands: Vec<String>,
    limits: Option<Limits>,
    prompt: Option<String>,
}

impl ConfigFile {
    /// Reads a file: JSON or YAML by its extension, either by trying otherwise.
    pub(in crate::cmd) fn read(path: &Path) -> Result<Self, CliError> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|e| CliError::new(format!("the configuration file '{shown}' can't be read: {e}")))?;
        let json = || serde_json::from_str(&text).map_err(|e| e.to_string());
        let yaml = || serde_saphyr::from_str(&text).map_err(|e| e.to_string());
        let (kind, parsed) = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => ("JSON", json()),
            Some("yaml" | "yml") => ("YAML", yaml()),
            _ => ("JSON or YAML", json().or_else(|_| yaml())),
        };
        parsed.map_err(|e: String| {
            let reason = e.lines().next().unwrap_or_default();
            CliError::new(format!("the configuration file '{shown}' is not valid {kind}: {reason}"))
        })
    }

    /// The prompt and the configuration, all of it: what can be done with it is for others to say.
    pub(in crate::cmd) fn into_parts(self) -> (Option<String>, AgentConfig) {
        let config = AgentConfig {
            name: self.name,
            environment_id: self.environment_id,
            runner_id: self.runner_id,
            model_id: self.model_id,
            fallback_model_ids: self.fallback_model_ids,
            base_prompt: self.base_prompt,
            mcp_servers: self.mcp_servers,
            worker_host: self.host,
            computer_use_enabled: self.computer_use_enabled,
            harness: self.harness,
            skill_spec: self.skill_spec,
            source_repos: self.source_repos,
            setup_commands: self.setup_commands,
            limits: self.limits,
            ..AgentConfig::default()
        };
        (self.prompt, config)
    }
}
