//! Shared servers by their ids and names.

use super::Servers;
use crate::{error::CliError, out};
use oz_client::Client;
use oz_core::api::McpServer;

/// Puts shared servers in the place of what names them; asks the control plane only when there are any.
pub(in crate::cmd) async fn look_up(
    servers: &mut Servers,
    client: impl FnOnce() -> Result<Client, CliError>,
) -> Result<(), CliError> {
    if servers.values().all(|server| server.warp_id.is_none()) {
        return Ok(());
    }
    let all = client()?.mcp_servers().list().await?.mcp_servers;
    for server in servers.values_mut() {
        if let Some(wanted) = &server.warp_id {
            *server = find(&all, wanted)?.server.clone();
        }
    }
    Ok(())
}

/// The server with this id or name.
pub(super) fn find<'a>(all: &'a [McpServer], wanted: &str) -> Result<&'a McpServer, CliError> {
    let found = all.iter().find(|server| server.uid == wanted);
    found.or_else(|| all.iter().find(|server| server.name == wanted)).ok_or_else(|| {
        let shown = out::one_line(wanted, 128);
        CliError::new(format!("there is no shared MCP server '{shown}'")).hint("see `oz mcp list`")
    })
}
