//! Requests of an agent about what it and others remember: the memory stores that its run may use.

use super::Validate;
use crate::{Error, Timestamp};
use serde::{Deserialize, Serialize};

/// How many memories an answer may hold, and how many it holds when nothing is said.
const MOST: u32 = 50;
const USUAL: u32 = 8;
/// The longest query, in bytes.
const QUERY: usize = 65_536;

/// Look for memories in the stores that this run may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SearchOwnMemories {
    /// What they should be about: words, or a whole task; at most 64 KiB.
    pub query: String,
    /// How many to get at most, 1 to 50; 8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl SearchOwnMemories {
    /// How many memories to get at most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.limit.unwrap_or(USUAL) as usize
    }
}

impl Validate for SearchOwnMemories {
    fn validate(&self) -> Result<(), Error> {
        if self.query.len() > QUERY {
            return Err(Error::invalid(format!("query: it must have at most {QUERY} bytes")));
        }
        match self.limit {
            Some(limit) if !(1..=MOST).contains(&limit) => {
                Err(Error::invalid_field("limit", &limit.to_string(), &format!("1 to {MOST}")))
            }
            _ => Ok(()),
        }
    }
}

/// A memory that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryMatch {
    /// Its store.
    pub store_uid: String,
    /// Its id.
    pub memory_id: String,
    /// What is remembered.
    pub content: String,
    /// Its current version, counted from 1.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Memories that were found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryMatchList {
    /// The best match first.
    pub memories: Vec<MemoryMatch>,
}

/// Remember something in a store that this run may write: a new memory, or a new version of one that is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriteOwnMemory {
    /// The store.
    pub store_uid: String,
    /// The memory to change; absent for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_id: Option<String>,
    /// What to remember; at most 64 KiB.
    pub content: String,
    /// The version that the agent has seen; another one is refused with 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Validate for WriteOwnMemory {
    fn validate(&self) -> Result<(), Error> {
        super::memory::check_text("reason", self.reason.as_deref().unwrap_or_default(), 4096)?;
        super::memory::check_content(&self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_bounds() {
        let search = |limit| SearchOwnMemories { query: "q".into(), limit };
        assert_eq!((search(None).most(), search(Some(3)).most()), (8, 3));
        for (limit, good) in
            [(None, true), (Some(1), true), (Some(50), true), (Some(0), false), (Some(51), false)]
        {
            assert_eq!(search(limit).validate().is_ok(), good, "{limit:?}");
        }
        let long = SearchOwnMemories { query: "x".repeat(QUERY + 1), limit: None };
        assert!(long.validate().unwrap_err().detail.starts_with("query:"));
    }
}
