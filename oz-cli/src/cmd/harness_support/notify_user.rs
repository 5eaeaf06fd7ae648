//! `oz harness-support notify-user`: tells who asked for the run something.

use super::told;
use crate::{cli::Format, cmd::Outcome};
use clap::Args;
use oz_client::Client;
use oz_core::api::NotifyUser;

/// Tell who asked for the run something.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz harness-support notify-user --message \"The tests pass again.\"")]
pub(super) struct NotifyUserArgs {
    /// What, in Markdown
    #[arg(long, value_name = "TEXT")]
    message: String,
}

pub(super) async fn run(client: &Client, args: NotifyUserArgs, format: Format) -> Outcome {
    client.send(&NotifyUser { message: args.message }).await?;
    told("Notification sent.", format)
}
