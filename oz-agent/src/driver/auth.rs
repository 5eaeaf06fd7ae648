//! How a command line agent logs in to its model service: the secret that the run names for it, else the standard
//! variables of the worker.

use super::keys::Keys;
use oz_core::config::AgentConfig;
use std::collections::BTreeMap;

/// The variables of a command line agent beside those of its commands. `host` is the environment of this process.
pub(super) fn variables(
    config: &AgentConfig,
    keys: &Keys,
    host: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let _ = (config, keys, host);
    BTreeMap::new()
}
