//! `oz run message read`: reads a message.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{message, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::ReadMessage;

/// Read a message; it counts as read from then on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz run message read MESSAGE_ID")]
pub(crate) struct ReadArgs {
    /// The message
    message_id: String,
}

pub(super) async fn run(client: &Client, args: ReadArgs, format: Format) -> Outcome {
    print_one(&client.send(&ReadMessage { message_id: args.message_id }).await?, format, message::text)?;
    Ok(true)
}
