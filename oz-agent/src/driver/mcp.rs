//! The MCP servers of a run, ready to be used: shared ones looked up by the control plane, placeholders filled in.

use super::{end::End, keys::Keys};
use oz_core::config::{AgentConfig, McpServerConfig};
use std::collections::BTreeMap;

/// The servers by name.
///
/// # Errors
/// When one can't be used, such as for a secret that the run was not given.
pub(super) fn servers(config: &AgentConfig, keys: &Keys) -> Result<BTreeMap<String, McpServerConfig>, End> {
    let _ = keys;
    match config.mcp_servers.keys().next() {
        Some(name) => Err(End::unprepared(format!(
            "the MCP server '{name}' can't be used: MCP is not available in this build"
        ))),
        None => Ok(BTreeMap::new()),
    }
}
