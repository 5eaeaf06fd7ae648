//! `oz agent profile`: profiles.

mod create;
mod settings;
mod update;

use crate::{
    cli::{Format, Global},
    cmd::{Outcome, confirm::confirm},
    connection,
    out::{self, profile, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::{DeleteProfile, GetProfile, ListProfiles};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ProfileCommand {
    /// List profiles
    #[command(after_help = "Examples:\n  oz agent profile list")]
    List,
    /// Show one profile
    Get(GetArgs),
    /// Make a profile
    Create(create::CreateArgs),
    /// Change a profile
    Update(update::UpdateArgs),
    /// Delete a profile
    Delete(DeleteArgs),
}

/// Show one profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz agent profile get ID")]
pub(crate) struct GetArgs {
    /// The profile
    id: String,
}

/// Delete a profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent profile delete ID
  oz agent profile delete ID --force")]
pub(crate) struct DeleteArgs {
    /// The profile
    id: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(command: ProfileCommand, global: &Global) -> Outcome {
    let format: Format = global.output_format;
    let client = connection::of(global).client()?;
    match command {
        ProfileCommand::List => {
            let list = client.send(&ListProfiles {}).await?;
            profile::LIST.print(&list, &list.profiles, format)?;
        }
        ProfileCommand::Get(GetArgs { id: uid }) => {
            print_one(&client.send(&GetProfile { uid }).await?, format, profile::card)?;
        }
        ProfileCommand::Create(args) => return create::run(&client, args, format).await,
        ProfileCommand::Update(args) => return update::run(&client, args, format).await,
        ProfileCommand::Delete(args) => {
            if confirm("delete", "profile", &args.id, args.force)? {
                let request = DeleteProfile { uid: args.id };
                client.send(&request).await?;
                out::deleted("uid", "Profile", &request.uid, format)?;
            }
        }
    }
    Ok(true)
}
