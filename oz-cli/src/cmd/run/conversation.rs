//! `oz run conversation`: conversations of runs.

use crate::{cli::Format, cmd::Outcome, out};
use clap::{Args, Subcommand};
use oz_client::Client;
use oz_core::api::GetConversation;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ConversationCommand {
    /// Print a conversation as JSON
    Get(GetArgs),
}

/// Print a conversation as JSON.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz run conversation get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
pub(crate) struct GetArgs {
    /// The conversation
    conversation_id: String,
}

pub(super) async fn run(client: &Client, command: &ConversationCommand) -> Outcome {
    let ConversationCommand::Get(args) = command;
    let request = GetConversation { conversation_id: args.conversation_id.parse()? };
    out::json(Format::Json, &client.send(&request).await?)?;
    Ok(true)
}
