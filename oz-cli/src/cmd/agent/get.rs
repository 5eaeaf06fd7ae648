//! `oz agent get`: shows one agent.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{identity, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::GetIdentity;

/// Show one agent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz agent get UID")]
pub(crate) struct GetArgs {
    /// The agent
    uid: String,
}

pub(super) async fn run(client: &Client, args: GetArgs, format: Format) -> Outcome {
    print_one(&client.send(&GetIdentity { uid: args.uid }).await?, format, identity::card)?;
    Ok(true)
}
