//! `oz run message watch`: prints the messages of a run as they come.

use crate::{cli::Format, cmd::Outcome, error::CliError, out, signals};
use clap::Args;
use futures_util::StreamExt as _;
use oz_client::Client;
use oz_core::{
    RunId, Timestamp,
    api::{Message, MessageHeader, ReadMessage},
    event::EventType,
    transcript::LogItem,
};
use serde::Serialize;
use std::pin::pin;

/// Print the messages of a run as they come, as JSON Lines, until the run has ended. What is printed counts as read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run message watch 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --output-format ndjson")]
pub(crate) struct WatchArgs {
    /// The run
    run_id: String,
    /// Only what comes after this sequence
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    since_sequence: i64,
}

/// A line of the output.
#[derive(Debug, Serialize)]
struct Line {
    sequence: i64,
    message_id: String,
    sender_run_id: RunId,
    subject: String,
    body: String,
    occurred_at: Timestamp,
}

pub(super) async fn run(client: &Client, args: &WatchArgs, format: Format) -> Outcome {
    if format != Format::Ndjson {
        return Err(CliError::new("a stream of messages needs --output-format ndjson"));
    }
    let (run_id, interrupt) = (args.run_id.parse()?, signals::interrupt()?);
    let watched = watch(client, run_id, args.since_sequence);
    interrupt.run_until_cancelled(watched).await.transpose()?;
    Ok(true)
}

async fn watch(client: &Client, run_id: RunId, since: i64) -> Result<(), CliError> {
    let lost = |e: &oz_client::Error| out::note(format!("The connection is lost, trying again: {e}"));
    let mut items = pin!(client.watch_with(run_id, since, lost));
    while let Some(item) = items.next().await {
        let LogItem::Event { event, .. } = item? else { continue };
        if event.event_type != EventType::NewMessage || event.run_id != run_id {
            continue;
        }
        let Some(message_id) = event.ref_id else { continue };
        let message = client.send(&ReadMessage { message_id }).await?;
        out::json_line(&line(event.sequence, event.occurred_at, message))?;
    }
    Ok(())
}

fn line(sequence: i64, occurred_at: Timestamp, message: Message) -> Line {
    let Message { header, body } = message;
    let MessageHeader { message_id, sender_run_id, subject, .. } = header;
    Line { sequence, message_id, sender_run_id, subject, body, occurred_at }
}
