//! `oz agent profile create`: makes a profile.

use super::settings::{self, Settings};
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    error::CliError,
    out::table::print_one,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::CreateProfile;

/// Make a profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent profile create -n careful --set execute_commands=AlwaysAsk --set web_search_enabled=false
  oz agent profile create -n builder --set 'command_allowlist=[\"cargo .*\", \"git status\"]' --personal
  oz agent profile create -f profile.yaml")]
pub(crate) struct CreateArgs {
    /// Its name; may stand in the file
    #[arg(short, long, required_unless_present = "file")]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    print_one(&client.send(&request(args)?).await?, format, |profile| {
        format!("Profile created with ID: {}", profile.uid)
    })?;
    Ok(true)
}

fn request(args: CreateArgs) -> Result<CreateProfile, CliError> {
    let settings::Read { name, settings } = args.settings.read()?;
    let missing = || CliError::new("the profile has no name, neither in the file nor with --name");
    let name = args.name.or(name).ok_or_else(missing)?;
    Ok(CreateProfile { name, settings, team: args.owner.team() })
}
