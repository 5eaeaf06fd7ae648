//! `oz agent profile`: profiles.

use crate::{cli::Format, cmd::Outcome, out::identity};
use clap::Subcommand;
use oz_client::Client;
use oz_core::api::ListProfiles;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ProfileCommand {
    /// List profiles
    #[command(after_help = "Examples:\n  oz agent profile list")]
    List,
}

pub(super) async fn run(client: &Client, command: &ProfileCommand, format: Format) -> Outcome {
    match command {
        ProfileCommand::List => {
            let list = client.send(&ListProfiles {}).await?;
            identity::PROFILES.print(&list, &list.profiles, format)?;
        }
    }
    Ok(true)
}
