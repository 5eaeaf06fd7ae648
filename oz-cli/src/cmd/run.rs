//! `oz run`: looking at runs and steering them.

mod cancel;
mod get;
mod list;
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
}

pub(crate) async fn run(command: RunCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        RunCommand::List(args) => list::run(&client, *args, format).await,
        RunCommand::Get(args) => get::run(&client, &args, format).await,
        RunCommand::Cancel(args) => cancel::run(&client, &args, format).await,
        RunCommand::Watch(args) => watch::run(&client, &args, format).await,
        RunCommand::Transcript(args) => transcript::run(&client, &args, format).await,
    }
}
