//! `oz agent get`: shows one agent.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{identity, jq::JqArgs, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::GetIdentity;

/// Show one agent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent get UID
  oz agent get UID --jq .prompt")]
pub(crate) struct GetArgs {
    /// The agent
    uid: String,
    #[command(flatten)]
    jq: JqArgs,
}

pub(super) async fn run(client: &Client, args: GetArgs, format: Format) -> Outcome {
    let filter = args.jq.compile()?;
    let agent = client.send(&GetIdentity { uid: args.uid }).await?;
    if !filter.print(&agent)? {
        print_one(&agent, format, identity::card)?;
    }
    Ok(true)
}
