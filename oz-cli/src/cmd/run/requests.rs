//! `oz run requests`: what the agent of a run needs of a human.

use crate::{cli::Format, cmd::Outcome, out::request};
use clap::Args;
use oz_client::Client;
use oz_core::api::ListRunRequests;

/// List what a run asks and has asked of its team.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run requests 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e
  oz run requests 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --open --output-format json")]
pub(crate) struct RequestsArgs {
    /// The run
    run_id: String,
    /// Only what has no answer yet
    #[arg(long)]
    open: bool,
}

pub(super) async fn run(client: &Client, args: &RequestsArgs, format: Format) -> Outcome {
    let request = ListRunRequests { run_id: args.run_id.parse()?, open: args.open.then_some(true) };
    let found = client.send(&request).await?;
    request::LIST.print(&found, &found.requests, format)?;
    Ok(true)
}
