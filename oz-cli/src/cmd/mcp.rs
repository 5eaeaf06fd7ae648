//! `oz mcp`: MCP servers that a team shares.

mod create;
mod delete;
mod list;
mod login;
mod logout;
mod shared;
mod spec;

pub(super) use shared::look_up;
pub(super) use spec::{Servers, check, named, servers};

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    out::{mcp, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::GetMcpServer;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum McpCommand {
    /// List shared MCP servers
    #[command(after_help = "Examples:\n  oz mcp list")]
    List,
    /// Show a shared MCP server
    Get(GetArgs),
    /// Share an MCP server
    Create(Box<create::CreateArgs>),
    /// Log in at an MCP server, for runs that use it
    Login(login::LoginArgs),
    /// Forget the login at an MCP server
    Logout(logout::LogoutArgs),
    /// Delete a shared MCP server
    Delete(delete::DeleteArgs),
}

/// Show a shared MCP server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz mcp get ID")]
pub(crate) struct GetArgs {
    /// The server
    id: String,
}

pub(crate) async fn run(command: McpCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        McpCommand::List => list::run(&client, format).await,
        McpCommand::Get(GetArgs { id: uid }) => {
            print_one(&client.send(&GetMcpServer { uid }).await?, format, mcp::card)?;
            Ok(true)
        }
        McpCommand::Create(args) => create::run(&client, *args, format).await,
        McpCommand::Login(args) => login::run(&client, args, format).await,
        McpCommand::Logout(args) => logout::run(&client, args, format).await,
        McpCommand::Delete(args) => delete::run(&client, args, format).await,
    }
}
