//! Changing an agent identity.

use super::{AgentType, MemoryInput, check_lists, check_name, check_text};
use crate::{
    Error,
    api::{MAX_PROMPT_BYTES, Validate},
    config::{
        CredentialStrategy, HarnessAuthSecrets, HarnessConfig, HarnessType, InferenceProviders,
        McpServerConfig, SecretRef, check_mcp_servers,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Change an agent identity. What is absent or null stays; an empty string, list or object clears; anything else
/// replaces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateIdentity {
    /// The identity.
    pub uid: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its default runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_runner_uid: Option<String>,
    /// Its attached stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryInput>,
    /// Secrets that its runs get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// Its skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
    /// Which part it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The model of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// Deprecated: the type of its harness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_harness: Option<String>,
    /// The harness of its runs; `{}` clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<HarnessPatch>,
    /// The secrets that log its harness in; `{}` clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_auth_secrets: Option<HarnessAuthSecrets>,
    /// Whose credentials its runs get; empty clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_strategy: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Instructions that come before each prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The environment of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// Where its model calls go; `{}` clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_providers: Option<InferenceProviders>,
    /// MCP servers by name; `{}` clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_servers: Option<BTreeMap<String, McpServerConfig>>,
    /// Whether its keys may make runs in the name of team members; admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of_enabled: Option<bool>,
    /// The worker of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_host: Option<String>,
}

/// A harness, or nothing when all is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HarnessPatch {
    /// Which harness.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<HarnessType>,
    /// The model it should use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// How hard the model should think.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
}

impl HarnessPatch {
    /// The harness, unless this clears it.
    #[must_use]
    pub fn into_harness(self) -> Option<HarnessConfig> {
        if self == Self::default() {
            return None;
        }
        let kind = self.kind.unwrap_or(HarnessType::Oz);
        Some(HarnessConfig {
            kind,
            model_id: self.model_id,
            reasoning_level: self.reasoning_level,
            command: None,
        })
    }
}

impl Validate for UpdateIdentity {
    fn validate(&self) -> Result<(), Error> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        check_lists(self.secrets.as_deref(), self.skills.as_deref(), self.memory.as_ref())?;
        if let Some(kind) = &self.agent_type {
            kind.require_known("agent_type")?;
        }
        if let Some(strategy) = self.credential_strategy.as_deref().filter(|s| !s.is_empty()) {
            CredentialStrategy::from(strategy).require_known("credential_strategy")?;
        }
        check_text("description", self.description.as_ref(), 4096)?;
        check_text("prompt", self.prompt.as_ref(), MAX_PROMPT_BYTES)?;
        self.mcp_servers.as_ref().map_or(Ok(()), |servers| check_mcp_servers("mcp_servers", servers))
    }
}
