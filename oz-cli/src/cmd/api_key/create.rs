//! `oz api-key create`: makes a key.

use crate::{
    cli::{Format, duration, timestamp},
    cmd::Outcome,
    error::CliError,
    out::{self, api_key, jq::JqArgs, table::print_one},
};
use clap::{ArgGroup, Args};
use oz_client::Client;
use oz_core::{Timestamp, api::CreateApiKey};
use std::time::Duration;

/// Make a key; its value is shown once.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("end").required(true).args(["expires_in", "expires_at", "no_expiration"]),
    after_help = "Examples:
  oz api-key create ci --expires-in 30d
  oz api-key create nightly --agent UID --no-expiration
  oz api-key create ci --expires-in 30d --jq .raw_api_key"
)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// It ends after this time, such as 30d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Option<Duration>,
    /// It ends then
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    expires_at: Option<Timestamp>,
    /// It never ends
    #[arg(long)]
    no_expiration: bool,
    /// It acts as this agent, rather than as you
    #[arg(long, value_name = "UID")]
    agent: Option<String>,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let expires_at = match args.expires_in {
        Some(time) => Some(Timestamp::now().checked_add(time).map_err(CliError::new)?),
        None => args.expires_at,
    };
    let request = CreateApiKey { name: args.name, agent_uid: args.agent, expires_at };
    let created = client.send(&request).await?;
    if filter.print(&created)? {
        return Ok(true);
    }
    print_one(&created, format, api_key::created)?;
    if !format.is_json() {
        out::note("Keep the key: it is not shown again.");
    }
    Ok(true)
}
