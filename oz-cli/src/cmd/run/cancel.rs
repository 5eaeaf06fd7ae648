//! `oz run cancel`: cancels a run and waits until it is over.

use crate::{cli::Format, cmd::Outcome, out};
use clap::Args;
use oz_client::Client;
use oz_core::RunState;

/// Cancel a run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz run cancel 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
pub(crate) struct CancelArgs {
    /// The run
    run_id: String,
}

pub(super) async fn run(client: &Client, args: &CancelArgs, format: Format) -> Outcome {
    let run_id = args.run_id.parse()?;
    client.runs().cancel(run_id).await?;
    let run = client.runs().wait(run_id).await?;
    if format.is_json() {
        out::json(format, &run)?;
    } else {
        out::line(format!("Run {run_id} is {}.", run.state));
    }
    Ok(run.state == RunState::Cancelled)
}
