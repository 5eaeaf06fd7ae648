//! `oz mcp-relay`: an MCP server for who only talks to programs. Agents start it themselves.

use super::Outcome;
use crate::error::CliError;

pub(crate) async fn run() -> Outcome {
    let env = |name: &str| std::env::var(name).ok();
    oz_agent::mcp::relay(env, tokio::io::stdin(), tokio::io::stdout()).await.map_err(CliError::new)?;
    Ok(true)
}
