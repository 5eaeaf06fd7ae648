//! Requests about memory stores and the memories in them.

use super::Validate;
use crate::{Error, Timestamp, config::MemoryAccess};
use serde::{Deserialize, Serialize};

/// A memory store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryStore {
    /// Its id.
    pub uid: String,
    /// `team`, `user` or `service_account`.
    pub owner_type: String,
    /// The owner.
    pub owner_uid: String,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// List memory stores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListMemoryStores {}
impl Validate for ListMemoryStores {}

/// Memory stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryStoreList {
    /// All that the caller may see.
    pub memory_stores: Vec<MemoryStore>,
}

/// Make a memory store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateMemoryStore {
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
}
impl Validate for CreateMemoryStore {
    fn validate(&self) -> Result<(), Error> {
        check_text("description", self.description.as_deref().unwrap_or_default(), 4096)
    }
}

/// Change what a memory store says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateMemoryStore {
    /// The store.
    pub uid: String,
    /// What it holds; null or empty clears.
    #[serde(default)]
    pub description: Option<String>,
}
impl Validate for UpdateMemoryStore {
    fn validate(&self) -> Result<(), Error> {
        check_text("description", self.description.as_deref().unwrap_or_default(), 4096)
    }
}

pub(super) fn check_text(name: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.len() > most {
        return Err(Error::invalid_field(name, text, &format!("at most {most} bytes")));
    }
    Ok(())
}

pub(super) fn check_content(content: &str) -> Result<(), Error> {
    if content.trim().is_empty() {
        return Err(Error::invalid("content: it is required and must not be empty"));
    }
    check_text("content", content, 65_536)
}

/// A memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Memory {
    /// Its id.
    pub uid: String,
    /// What is remembered.
    pub content: String,
    /// Its current version.
    pub version_id: String,
    /// What made it: `MANUAL` or `AGENT`.
    pub source: String,
    /// What it comes from.
    pub source_id: Option<String>,
    /// The run whose agent wrote it last.
    pub source_run_id: Option<String>,
    /// Whether it is deleted.
    pub is_tombstoned: bool,
    /// When it was deleted.
    pub tombstoned_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The memories of a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryList {
    /// Oldest first.
    pub memories: Vec<Memory>,
}

/// Add a memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateMemory {
    /// The store.
    pub uid: String,
    /// What to remember; at most 64 KiB.
    pub content: String,
    /// Ignored for a new memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What makes it; `MANUAL` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
impl Validate for CreateMemory {
    fn validate(&self) -> Result<(), Error> {
        check_text("source", self.source.as_deref().unwrap_or_default(), 64)?;
        check_text("source_id", self.source_id.as_deref().unwrap_or_default(), 256)?;
        check_text("reason", self.reason.as_deref().unwrap_or_default(), 4096)?;
        check_content(&self.content)
    }
}

/// Change a memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateMemory {
    /// The store.
    pub uid: String,
    /// The memory.
    pub memory_id: String,
    /// What to remember; at most 64 KiB.
    pub content: String,
    /// The version that the caller has seen; another one is refused with 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
impl Validate for UpdateMemory {
    fn validate(&self) -> Result<(), Error> {
        check_text("reason", self.reason.as_deref().unwrap_or_default(), 4096)?;
        check_content(&self.content)
    }
}

/// A memory was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryWritten {
    /// The memory.
    pub memory_id: String,
    /// Its new version.
    pub version_id: String,
}

/// A version of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryVersion {
    /// Its id.
    pub uid: String,
    /// Counted from 1.
    pub version: i64,
    /// What was remembered.
    pub content: String,
    /// Why it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// The versions of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryVersionList {
    /// Newest first.
    pub versions: Vec<MemoryVersion>,
}

/// An agent that may use a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreAgent {
    /// The identity.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub access: MemoryAccess,
    /// How it should use the store.
    pub instructions: String,
}

/// The agents that may use a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreAgentList {
    /// By name.
    pub agents: Vec<StoreAgent>,
}

super::by_id! { uid: String;
    /// Get a memory store.
    GetMemoryStore;
    /// List the memories of a store.
    ListMemories;
    /// List the agents that may use a store.
    ListStoreAgents;
}

macro_rules! by_memory {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            /// The store.
            pub uid: String,
            /// The memory.
            pub memory_id: String,
        }
        impl Validate for $name {}
    )*};
}

by_memory! {
    /// Delete a memory; its versions stay.
    DeleteMemory;
    /// List the versions of a memory.
    ListMemoryVersions;
}
