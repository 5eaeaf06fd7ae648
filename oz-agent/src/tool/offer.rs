//! What decides which tools an agent has and what they offer.

use oz_core::{Error, permission::Permissions};
use std::collections::BTreeMap;

/// What is offered to an agent beside the tools that are always there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    /// The names of secrets that commands may ask for.
    pub(super) secrets: Vec<String>,
}

impl Offer {
    /// The offer of a task, where `env` looks up variables of the agent.
    pub(crate) fn new(
        permissions: &Permissions,
        secrets: &BTreeMap<String, String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let _ = (permissions, env);
        Ok(Self { secrets: secrets.keys().cloned().collect() })
    }
}
