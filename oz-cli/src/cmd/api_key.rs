//! `oz api-key`: keys of people and agents.

mod create;
mod expire;
mod list;

use super::Outcome;
use crate::{cli::Global, connection};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ApiKeyCommand {
    /// List your keys and those of the team's agents
    List(list::ListArgs),
    /// Make a key; its value is shown once
    Create(create::CreateArgs),
    /// End a key at once
    #[command(visible_alias = "delete")]
    Expire(expire::ExpireArgs),
}

pub(crate) async fn run(command: ApiKeyCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        ApiKeyCommand::List(args) => list::run(&client, &args, format).await,
        ApiKeyCommand::Create(args) => create::run(&client, args, format).await,
        ApiKeyCommand::Expire(args) => expire::run(&client, &args, format).await,
    }
}
