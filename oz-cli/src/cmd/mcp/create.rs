//! `oz mcp create`: shares an MCP server.

use crate::{
    cli::{Format, Owner, pair, unique},
    cmd::Outcome,
    error::CliError,
    out::table::print_one,
};
use clap::{ArgGroup, Args};
use oz_client::Client;
use oz_core::{api::CreateMcpServer, config::McpServerConfig};

/// Share an MCP server.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("kind").required(true).args(["command", "url"]),
    after_help = "Examples:
  oz mcp create files --command npx --arg -y --arg @modelcontextprotocol/server-filesystem --arg /srv
  oz mcp create tickets --url https://mcp.example.com --header \"Authorization={{TICKETS_TOKEN}}\" --personal"
)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// The program of a server that speaks over its standard input and output
    #[arg(long, value_name = "PROGRAM")]
    command: Option<String>,
    /// An argument of the program; repeatable
    #[arg(long = "arg", value_name = "ARG", conflicts_with = "url", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable of the program, where `{{NAME}}` stands for a secret; repeatable
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "url", value_parser = pair)]
    env: Vec<(String, String)>,
    /// The address of a server that speaks over HTTP
    #[arg(long)]
    url: Option<String>,
    /// A header for the address, where `{{NAME}}` stands for a secret; repeatable
    #[arg(long = "header", value_name = "NAME=VALUE", conflicts_with = "command", value_parser = pair)]
    headers: Vec<(String, String)>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    print_one(&client.send(&request(args)?).await?, format, |server| {
        format!("MCP server created with ID: {}", server.uid)
    })?;
    Ok(true)
}

fn request(args: CreateArgs) -> Result<CreateMcpServer, CliError> {
    let server = McpServerConfig {
        command: args.command,
        args: args.args,
        env: unique("--env", args.env)?,
        url: args.url,
        headers: unique("--header", args.headers)?,
        ..McpServerConfig::default()
    };
    let (name, description, team) = (args.name, args.description, args.owner.team());
    Ok(CreateMcpServer { name, description, server, team })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;
    use serde_json::{Value, json};

    fn sent(line: &str) -> Result<Value, String> {
        let cli = Cli::try_parse_from(format!("oz mcp create {line}").split(' ')).unwrap();
        let Some(Command::Mcp(crate::cmd::McpCommand::Create(args))) = cli.command else { panic!("{line}") };
        request(*args).map(|request| serde_json::to_value(request).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn flags_are_sent() {
        assert_eq!(
            sent("files --command npx --arg -y --arg x --env K={{V}} --env L=a=b --description d").unwrap(),
            json!({ "name": "files", "description": "d",
                "server": { "command": "npx", "args": ["-y", "x"], "env": { "K": "{{V}}", "L": "a=b" } } })
        );
        assert_eq!(
            sent("tickets --url http://x --header A=b --personal").unwrap(),
            json!({ "name": "tickets", "team": false, "server": { "url": "http://x", "headers": { "A": "b" } } })
        );
        assert_eq!(
            sent("a --url x --header A=b --header A=c").unwrap_err(),
            "Error: --header: 'A' is there twice"
        );
    }
}
