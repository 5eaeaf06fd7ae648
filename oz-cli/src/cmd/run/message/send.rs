//! `oz run message send`: sends a message from one run to others of its family.

use crate::{cli::Format, cmd::Outcome, error::CliError, out};
use clap::Args;
use oz_client::Client;
use oz_core::api::SendMessage;

/// Send a message from one run to others of its family.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run message send --to RUN_ID --subject done --body \"All tests pass.\" --sender-run-id RUN_ID")]
pub(crate) struct SendArgs {
    /// A run that gets it; repeatable, or several apart by commas
    #[arg(long, value_name = "RUN_ID", required = true, value_delimiter = ',')]
    to: Vec<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    subject: String,
    /// What it says
    #[arg(long, value_name = "TEXT")]
    body: String,
    /// The run that sends it
    #[arg(long, value_name = "RUN_ID")]
    sender_run_id: String,
}

pub(super) async fn run(client: &Client, args: SendArgs, format: Format) -> Outcome {
    let sender = &args.sender_run_id;
    let request = SendMessage {
        to: args.to.iter().map(|id| id.parse()).collect::<Result<_, _>>()?,
        subject: args.subject,
        body: args.body,
        sender_run_id: sender.parse()?,
    };
    let sent = client.send(&request).await;
    let sent = sent.map_err(|e| CliError::new(format!("run {sender} can't send the message: {e}")))?;
    if format.is_json() {
        out::json(format, &sent)?;
    } else {
        out::line(format!("Messages sent: {}", sent.message_ids.len()));
        sent.message_ids.iter().for_each(|id| out::line(out::plain(id)));
    }
    Ok(true)
}
