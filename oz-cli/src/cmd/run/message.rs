//! `oz run message`: messages between runs.

mod list;
mod mark_delivered;
mod read;
mod send;
mod watch;

use crate::{cli::Format, cmd::Outcome};
use clap::Subcommand;
use oz_client::Client;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum MessageCommand {
    /// Send a message from one run to others of its family
    Send(send::SendArgs),
    /// List the messages that a run got, newest first
    List(list::ListArgs),
    /// Print the messages of a run as they come, as JSON Lines
    Watch(watch::WatchArgs),
    /// Read a message; it counts as read from then on
    Read(read::ReadArgs),
    /// Say that a message reached the agent
    #[command(alias = "delivered")]
    MarkDelivered(mark_delivered::MarkDeliveredArgs),
}

pub(super) async fn run(client: &Client, command: MessageCommand, format: Format) -> Outcome {
    match command {
        MessageCommand::Send(args) => send::run(client, args, format).await,
        MessageCommand::List(args) => list::run(client, &args, format).await,
        MessageCommand::Watch(args) => watch::run(client, &args, format).await,
        MessageCommand::Read(args) => read::run(client, args, format).await,
        MessageCommand::MarkDelivered(args) => mark_delivered::run(client, args, format).await,
    }
}
