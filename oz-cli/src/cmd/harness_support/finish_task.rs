//! `oz harness-support finish-task`: ends the run.

use super::told;
use crate::{cli::Format, cmd::Outcome};
use clap::{Args, ValueEnum};
use oz_client::Client;
use oz_core::api::FinishTask;

/// Whether the agent did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    /// It did
    Success,
    /// It did not
    Failure,
}

/// End the run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz harness-support finish-task --status success --summary \"Fixed the parser; all tests pass.\"")]
pub(super) struct FinishTaskArgs {
    /// Whether the agent did what it was asked
    #[arg(long)]
    status: Status,
    /// What it did
    #[arg(long, value_name = "TEXT")]
    summary: String,
}

pub(super) async fn run(client: &Client, args: FinishTaskArgs, format: Format) -> Outcome {
    client.send(&FinishTask { success: args.status == Status::Success, summary: args.summary }).await?;
    told("Task finished.", format)
}
