//! `oz run message mark-delivered`: says that a message reached the agent.

use crate::{cli::Format, cmd::Outcome, out};
use clap::Args;
use oz_client::Client;
use oz_core::api::MessageDelivered;

/// Say that a message reached the agent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz run message mark-delivered MESSAGE_ID")]
pub(crate) struct MarkDeliveredArgs {
    /// The message
    message_id: String,
}

pub(super) async fn run(client: &Client, args: MarkDeliveredArgs, format: Format) -> Outcome {
    let request = MessageDelivered { message_id: args.message_id };
    client.send(&request).await?;
    let id = &request.message_id;
    if format.is_json() {
        out::json(format, &serde_json::json!({ "message_id": id, "delivered": true }))?;
    } else {
        out::line(format!("Message '{id}' is delivered."));
    }
    Ok(true)
}
