//! Requests about agent identities: named agents with defaults of their own, which act as service accounts of a team.

mod update;

pub use update::*;

use super::Validate;
use crate::{
    Error, Timestamp,
    config::{
        CredentialStrategy, HarnessAuthSecrets, HarnessConfig, InferenceProviders, McpServerConfig,
        MemoryAccess, MemoryStoreRef, SecretRef, check_mcp_servers,
    },
    open::open_enum,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

open_enum! {
    /// The part that an agent plays in a team of agents.
    AgentType {
        /// Hands out work.
        Foreman = "FOREMAN",
        /// Sorts what comes in.
        Triage = "TRIAGE",
        /// Writes specifications.
        Spec = "SPEC",
        /// Writes code.
        Implement = "IMPLEMENT",
        /// Reviews.
        Review = "REVIEW",
        /// Verifies.
        Verify = "VERIFY",
        /// Anything else.
        Custom = "CUSTOM",
    }
}

/// An agent identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// Its id; also the id of its service account.
    pub uid: String,
    /// Its name, unique in its team.
    pub name: String,
    /// Whether runs may execute as it.
    pub available: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its default runner; empty when there is none.
    #[serde(default)]
    pub default_runner_uid: String,
    /// Its memory.
    pub memory: IdentityMemory,
    /// Secrets that its runs get.
    #[serde(default)]
    pub secrets: Vec<SecretRef>,
    /// Its skills, in order.
    #[serde(default)]
    pub skills: Vec<String>,
    /// The rest of its profile.
    #[serde(flatten)]
    pub profile: IdentityProfile,
}

/// The optional part of an identity's profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IdentityProfile {
    /// Which part it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The model of its runs, for the native harness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// Deprecated: the type of its harness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_harness: Option<String>,
    /// The harness of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<HarnessConfig>,
    /// The secrets that log its harness in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_auth_secrets: Option<HarnessAuthSecrets>,
    /// Whose credentials its runs get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_strategy: Option<CredentialStrategy>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Instructions that come before each prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The environment of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// The factory it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factory_uid: Option<String>,
    /// Where its model calls go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_providers: Option<InferenceProviders>,
    /// MCP servers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_servers: BTreeMap<String, McpServerConfig>,
    /// Whether its keys may make runs in the name of team members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of_enabled: Option<bool>,
    /// The worker of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_host: Option<String>,
}

/// The memory of an identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IdentityMemory {
    /// Stores of the team that it may use.
    #[serde(default)]
    pub attached_stores: Vec<MemoryStoreRef>,
    /// Its own store.
    #[serde(default)]
    pub auto_memory: AutoMemory,
}

/// The store that belongs to an identity alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoMemory {
    /// Whether it has one.
    pub enabled: bool,
    /// The store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<OwnStore>,
}

/// An identity's own store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnStore {
    /// Its id.
    pub uid: String,
    /// What the agent may do with it.
    pub access: MemoryAccess,
    /// How the agent should use it.
    pub instructions: String,
    /// `service_account`.
    pub owner_type: String,
    /// The identity.
    pub owner_uid: String,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Make an agent identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateIdentity {
    /// Its name, unique in the team.
    pub name: String,
    /// Its default runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_runner_uid: Option<String>,
    /// Its memory; an own store is made unless `auto_memory.enabled` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryInput>,
    /// Secrets that its runs get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// Its skills, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skills: Option<Vec<String>>,
    /// The rest of its profile.
    #[serde(flatten)]
    pub profile: IdentityProfile,
}

/// What memory an identity should have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryInput {
    /// Stores of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_stores: Option<Vec<MemoryStoreRef>>,
    /// Whether it gets a store of its own; only when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_memory: Option<AutoMemoryInput>,
}

/// Whether an identity gets a store of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoMemoryInput {
    /// True when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Checks a name: not blank, at most 128 bytes.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err(Error::invalid_field("name", name, "1 to 128 printable bytes"));
    }
    Ok(())
}

/// Checks what an identity refers to: nothing twice, nothing empty.
pub(super) fn check_lists(
    secrets: Option<&[SecretRef]>,
    skills: Option<&[String]>,
    memory: Option<&MemoryInput>,
) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for secret in secrets.unwrap_or_default() {
        if secret.name.trim().is_empty() || !seen.insert(&secret.name) {
            return Err(Error::invalid_field("secrets", &secret.name, "each name once, and not empty"));
        }
    }
    for skill in skills.unwrap_or_default() {
        super::runs::check_skill("skills", skill)?;
    }
    let mut seen = BTreeSet::new();
    for store in memory.and_then(|m| m.attached_stores.as_deref()).unwrap_or_default() {
        store.access.require_known("memory.attached_stores.access")?;
        if store.instructions.trim().is_empty() {
            return Err(Error::invalid("memory.attached_stores.instructions: it must not be empty"));
        }
        if !seen.insert(&store.uid) {
            return Err(Error::invalid_field("memory.attached_stores.uid", &store.uid, "each store once"));
        }
    }
    Ok(())
}

/// Checks a text's length.
pub(super) fn check_text(name: &str, text: Option<&String>, most: usize) -> Result<(), Error> {
    match text {
        Some(text) if text.len() > most => {
            Err(Error::invalid_field(name, text, &format!("at most {most} bytes")))
        }
        _ => Ok(()),
    }
}

impl Validate for CreateIdentity {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        check_lists(self.secrets.as_deref(), self.skills.as_deref(), self.memory.as_ref())?;
        self.profile.check()
    }
}

impl IdentityProfile {
    /// Checks what the types can't.
    ///
    /// # Errors
    /// `invalid_request` that names the field and its value.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(kind) = &self.agent_type {
            kind.require_known("agent_type")?;
        }
        if let Some(strategy) = &self.credential_strategy {
            strategy.require_known("credential_strategy")?;
        }
        check_text("description", self.description.as_ref(), 4096)?;
        check_text("prompt", self.prompt.as_ref(), super::MAX_PROMPT_BYTES)?;
        check_mcp_servers("mcp_servers", &self.mcp_servers)?;
        if let Some(harness) = &self.harness {
            harness.kind.require_known("harness.type")?;
            let other = harness.kind != crate::config::HarnessType::Oz;
            if other && self.base_model.as_deref().is_some_and(|m| !m.is_empty()) {
                return Err(Error::invalid("base_model: it must be empty when harness.type is not oz"));
            }
            if let Some(base) = self.base_harness.as_deref().filter(|b| !b.is_empty())
                && base != harness.kind.as_str()
            {
                return Err(Error::invalid_field(
                    "base_harness",
                    base,
                    "the same as harness.type, or nothing",
                ));
            }
        }
        Ok(())
    }
}

/// List agent identities.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListIdentities {
    /// Only those of this factory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factory_uid: Option<String>,
}
impl Validate for ListIdentities {}

/// Agent identities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IdentityList {
    /// Those of the team, by name.
    pub agents: Vec<Identity>,
}

super::by_id! { uid: String;
    /// Get an agent identity.
    GetIdentity;
    /// Delete an agent identity and its keys.
    DeleteIdentity;
}
