//! `oz mcp login`: logs in at an MCP server and keeps what comes of it as a secret, sealed like any other.

mod browser;

use super::shared::find;
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    error::CliError,
    out::{self, table::print_one},
};
use clap::Args;
use jiff::Timestamp;
use oz_agent::oauth::{KnownClient, begin_device};
use oz_client::{Client, NewSecret};
use oz_core::{
    api::{CreateMcpServer, McpServer, UpdateMcpServer},
    config::McpServerConfig,
    principal::ScopeType,
    secret::{McpOauth, SecretKind},
};

/// Log in at an MCP server, for runs that use it. What comes of it is kept as a secret; it belongs to whom the server
/// belongs to, and for a new server to you alone, unless a flag says otherwise. Runs of the team act with a login of the
/// team as the person who logged in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz mcp login tickets
  oz mcp login https://mcp.example.com/mcp --name tickets --team
  oz mcp login tickets --no-browser
  oz mcp login tickets --device")]
pub(crate) struct LoginArgs {
    /// A shared server by its id or name, or the address of one that is not shared yet
    #[arg(value_name = "SERVER|URL")]
    server: String,
    /// What a server that is not shared yet is to be called; its host when absent
    #[arg(long)]
    name: Option<String>,
    /// The secret to keep the login in
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// The id of a client that was registered by hand
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Log in on another device
    #[arg(long, conflicts_with = "no_browser")]
    device: bool,
    /// Don't open a browser, show the address
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: LoginArgs, format: Format) -> Outcome {
    let shared = client.mcp_servers().list().await?.mcp_servers;
    let is_url = args.server.contains("://");
    let known = if is_url {
        shared.iter().find(|server| server.server.url.as_ref() == Some(&args.server))
    } else {
        Some(find(&shared, &args.server)?)
    };
    let (name, mut config) = match known {
        Some(server) => (server.name.clone(), server.server.clone()),
        None => {
            let config = McpServerConfig { url: Some(args.server.clone()), ..McpServerConfig::default() };
            (args.name.clone().unwrap_or_else(|| host(&args.server)), config)
        }
    };
    let Some(url) = config.url.clone() else {
        return Err(CliError::new(format!(
            "the MCP server '{name}' is a program, which logs in by its own variables"
        )));
    };
    let login = log_in(&url, &args).await?;
    let of_team = known.is_some_and(|s| s.scope.as_ref().is_some_and(|scope| scope.kind == ScopeType::Team));
    let team = args.owner.team().unwrap_or(of_team);
    let secret =
        args.secret.or(config.oauth_secret.take()).unwrap_or_else(|| format!("mcp-{}", label(&name)));
    keep(client, &secret, &name, team, &login).await?;
    config.oauth_secret = Some(secret.clone());
    let server = set(client, known, name, config, team).await?;
    print_one(&server, format, |server| {
        format!(
            "Logged in at '{}'. The login is kept in the secret '{secret}'.",
            out::one_line(&server.name, 128)
        )
    })?;
    Ok(true)
}

async fn log_in(url: &str, args: &LoginArgs) -> Result<McpOauth, CliError> {
    let failed =
        |e: String| CliError::new(format!("no login at {}: {}", out::one_line(url, 256), out::plain(&e)));
    let client = args.client_id.clone().map(|id| KnownClient { id, secret: None });
    if !args.device {
        return browser::log_in(url, client, !args.no_browser).await.map_err(failed);
    }
    let device = begin_device(url, client).await.map_err(failed)?;
    out::note(format!(
        "Log in at {} with the code {}",
        out::one_line(&device.address, 2048),
        out::one_line(&device.code, 64)
    ));
    device.finish(|| Timestamp::now().as_second()).await.map_err(failed)
}

/// Seals the login into the secret, which is made when it is not there.
async fn keep(
    client: &Client,
    name: &str,
    server: &str,
    team: bool,
    login: &McpOauth,
) -> Result<(), CliError> {
    let value = serde_json::to_string(login).map_err(CliError::new)?;
    let all = client.secrets().list().await?.secrets;
    let meant = |kind: &ScopeType| if team { *kind == ScopeType::Team } else { *kind == ScopeType::User };
    match all.iter().find(|secret| secret.name == name && meant(&secret.scope.kind)) {
        Some(secret) if secret.kind == SecretKind::McpOauth => {
            client.secrets().update(secret, Some(&value), None).await?;
        }
        Some(_) => {
            let shown = out::one_line(name, 128);
            let message = format!("the secret '{shown}' is there already and is no login of an MCP server");
            return Err(CliError::new(message).hint("name another with --secret"));
        }
        None => {
            let description = Some(format!("login at the MCP server {server}"));
            let (name, kind) = (name.to_owned(), SecretKind::McpOauth);
            client.secrets().create(&NewSecret { name, kind, value, description, personal: !team }).await?;
        }
    }
    Ok(())
}

/// Shares the server, or says of it where its login is.
async fn set(
    client: &Client,
    known: Option<&McpServer>,
    name: String,
    server: McpServerConfig,
    team: bool,
) -> Result<McpServer, CliError> {
    let server = match known {
        Some(McpServer { uid, description, revision, .. }) => {
            let (uid, description, revision) = (uid.clone(), description.clone(), Some(*revision));
            client.mcp_servers().update(&UpdateMcpServer { uid, name, description, server, revision }).await?
        }
        None => {
            let request = CreateMcpServer { name, description: None, server, team: Some(team) };
            client.mcp_servers().create(&request).await?
        }
    };
    Ok(server)
}

/// A name for a server that has none.
fn host(url: &str) -> String {
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "mcp".to_owned())
}

/// A name as names of secrets can hold it.
fn label(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '-' };
    name.chars().map(legal).take(100).collect()
}
