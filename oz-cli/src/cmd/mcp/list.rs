//! `oz mcp list`: shared MCP servers.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::mcp::{Entry, LIST},
};
use oz_client::Client;
use oz_core::api::ListMcpServers;

pub(super) async fn run(client: &Client, format: Format) -> Outcome {
    let servers = client.send(&ListMcpServers {}).await?.mcp_servers;
    let mut entries: Vec<_> = servers.into_iter().map(Entry::from).collect();
    entries.sort_by(|a, b| a.uuid.cmp(&b.uuid));
    LIST.print(&entries, &entries, format)?;
    Ok(true)
}
