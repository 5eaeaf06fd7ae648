//! `oz mcp logout`: forgets the login at an MCP server.

use super::shared::find;
use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{McpServer, UpdateMcpServer},
    principal::ScopeType,
    secret::SecretKind,
};

/// Forget the login at an MCP server; no later run has it. The server itself may keep it until it ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz mcp logout tickets")]
pub(crate) struct LogoutArgs {
    /// The server, by its id or name
    server: String,
}

pub(super) async fn run(client: &Client, args: LogoutArgs, format: Format) -> Outcome {
    let all = client.mcp_servers().list().await?.mcp_servers;
    let server = find(&all, &args.server)?.clone();
    let McpServer { uid, name, description, server: mut config, revision, scope, .. } = server;
    let Some(secret) = config.oauth_secret.take() else {
        return Err(CliError::new(format!("nobody is logged in at '{}'", out::one_line(&name, 128))));
    };
    let used = |other: &&McpServer| other.uid != uid && other.server.oauth_secret.as_ref() == Some(&secret);
    if all.iter().find(used).is_none() {
        let of_team = scope.is_some_and(|scope| scope.kind == ScopeType::Team);
        let meant = |kind: &ScopeType| (*kind == ScopeType::Team) == of_team;
        let secrets = client.secrets().list().await?.secrets;
        let named = secrets.iter().filter(|s| s.name == secret && s.kind == SecretKind::McpOauth);
        for found in named.filter(|found| meant(&found.scope.kind)) {
            client.secrets().delete(found.uid.as_str()).await?;
        }
    }
    let request = UpdateMcpServer { uid, name, description, server: config, revision: Some(revision) };
    let server = client.mcp_servers().update(&request).await?;
    print_one(&server, format, |server| format!("Logged out at '{}'.", out::one_line(&server.name, 128)))?;
    Ok(true)
}
