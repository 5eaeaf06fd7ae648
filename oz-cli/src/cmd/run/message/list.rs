//! `oz run message list`: the messages that a run got.

use crate::{
    cli::{Format, timestamp},
    cmd::Outcome,
    out::message,
};
use clap::Args;
use oz_client::Client;
use oz_core::{Timestamp, api::ListMessages};

/// List the messages that a run got, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz run message list 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --unread")]
pub(crate) struct ListArgs {
    /// The run
    run_id: String,
    /// Only unread ones
    #[arg(long)]
    unread: bool,
    /// Sent at or after
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    since: Option<Timestamp>,
    /// At most this many
    #[arg(short = 'L', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

pub(super) async fn run(client: &Client, args: &ListArgs, format: Format) -> Outcome {
    let request = ListMessages {
        run_id: args.run_id.parse()?,
        unread: args.unread.then_some(true),
        since: args.since,
        limit: Some(args.limit),
    };
    let messages = client.send(&request).await?;
    message::LIST.print(&messages, &messages, format)?;
    Ok(true)
}
