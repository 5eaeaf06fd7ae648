//! `oz mcp-relay`: an MCP server for who only talks to programs. Agents start it themselves.

use super::Outcome;
use crate::error::CliError;
use std::{io, os::fd::AsFd};
use tokio::fs::File;

pub(crate) async fn run() -> Outcome {
    let env = |name: &str| std::env::var(name).ok();
    let (input, output) = (file(io::stdin())?, file(io::stdout())?);
    oz_agent::mcp::relay(env, input, output).await.map_err(CliError::new)?;
    Ok(true)
}

fn file(stream: impl AsFd) -> io::Result<File> {
    Ok(File::from_std(stream.as_fd().try_clone_to_owned()?.into()))
}
