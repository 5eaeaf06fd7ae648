//! `oz run`: looking at runs and steering them.

mod answer;
mod cancel;
mod conversation;
mod followup;
mod get;
mod list;
mod message;
mod requests;
mod transcript;
pub(crate) mod watch;

use super::Outcome;
use crate::{cli::Global, connection};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum RunCommand {
    /// List runs, the last changed first
    List(Box<list::ListArgs>),
    /// Show one run
    Get(get::GetArgs),
    /// Cancel a run
    Cancel(cancel::CancelArgs),
    /// Show a run live, until its end
    Watch(watch::WatchArgs),
    /// Print what a run said and did
    Transcript(transcript::TranscriptArgs),
    /// Give a run more to do
    Followup(followup::FollowupArgs),
    /// List what a run asks and has asked of its team
    Requests(requests::RequestsArgs),
    /// Let the agent of a run do what it asks leave for
    Approve(answer::ApproveArgs),
    /// Refuse the agent of a run what it asks
    Deny(answer::DenyArgs),
    /// Answer a question of the agent of a run
    Answer(answer::AnswerArgs),
    /// Messages between runs
    #[command(
        subcommand,
        after_help = "Examples:
  oz run message list 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e --unread
  oz run message read MESSAGE_ID"
    )]
    Message(message::MessageCommand),
    /// Conversations of runs
    #[command(
        subcommand,
        after_help = "Examples:\n  oz run conversation get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"
    )]
    Conversation(conversation::ConversationCommand),
}

pub(crate) async fn run(command: RunCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        RunCommand::List(args) => list::run(&client, *args, format).await,
        RunCommand::Get(args) => get::run(&client, &args, format).await,
        RunCommand::Cancel(args) => cancel::run(&client, &args, format).await,
        RunCommand::Watch(args) => watch::run(&client, &args, format).await,
        RunCommand::Transcript(args) => transcript::run(&client, &args, format).await,
        RunCommand::Followup(args) => followup::run(&client, args, format).await,
        RunCommand::Requests(args) => requests::run(&client, &args, format).await,
        RunCommand::Approve(args) => answer::approve(&client, args, format).await,
        RunCommand::Deny(args) => answer::deny(&client, args, format).await,
        RunCommand::Answer(args) => answer::answer(&client, args, format).await,
        RunCommand::Message(command) => message::run(&client, command, format).await,
        RunCommand::Conversation(command) => conversation::run(&client, &command).await,
    }
}
