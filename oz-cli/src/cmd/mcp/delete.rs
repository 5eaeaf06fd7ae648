//! `oz mcp delete`: deletes a shared MCP server.

use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::DeleteMcpServer;

/// Delete a shared MCP server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz mcp delete ID
  oz mcp delete ID --force")]
pub(crate) struct DeleteArgs {
    /// The server
    id: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(client: &Client, args: DeleteArgs, format: Format) -> Outcome {
    if !confirm("delete", "MCP server", &args.id, args.force)? {
        return Ok(true);
    }
    let request = DeleteMcpServer { uid: args.id };
    client.send(&request).await?;
    out::deleted("uuid", "MCP server", &request.uid, format)?;
    Ok(true)
}
