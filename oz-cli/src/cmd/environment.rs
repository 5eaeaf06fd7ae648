//! `oz environment`: what runs find prepared when their agents start.

mod create;
mod delete;
mod image;
mod init;
mod options;
mod removals;
mod repos;
mod update;
mod users;

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    out::{environment, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::{GetEnvironment, ListEnvironments};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum EnvironmentCommand {
    /// List environments, the last changed first
    #[command(after_help = "Examples:\n  oz environment list")]
    List,
    /// Show one environment
    Get(GetArgs),
    /// Make an environment
    Create(Box<create::CreateArgs>),
    /// Change an environment
    Update(Box<update::UpdateArgs>),
    /// Delete an environment
    Delete(delete::DeleteArgs),
    /// Propose an environment for the checkouts on this machine
    Init(init::InitArgs),
    /// Images that environments may use
    #[command(subcommand, after_help = "Examples:\n  oz environment image list")]
    Image(image::ImageCommand),
}

/// Show one environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz environment get ID")]
pub(crate) struct GetArgs {
    /// The environment
    id: String,
}

pub(crate) async fn run(command: EnvironmentCommand, global: &Global) -> Outcome {
    let format = global.output_format;
    let client = || connection::of(global).client();
    match command {
        EnvironmentCommand::List => {
            let list = client()?.send(&ListEnvironments::default()).await?;
            environment::LIST.print(&list, &list.environments, format)?;
            Ok(true)
        }
        EnvironmentCommand::Get(GetArgs { id: uid }) => {
            print_one(&client()?.send(&GetEnvironment { uid }).await?, format, environment::card)?;
            Ok(true)
        }
        EnvironmentCommand::Create(args) => create::run(&client()?, *args, format).await,
        EnvironmentCommand::Update(args) => update::run(&client()?, *args, format).await,
        EnvironmentCommand::Delete(args) => delete::run(&client()?, args, format).await,
        // A proposal alone needs no control plane.
        EnvironmentCommand::Init(args) => init::run(args, global).await,
        EnvironmentCommand::Image(command) => image::run(&client()?, &command, format).await,
    }
}

/// Reads a description, which may have 240 characters.
fn description(text: &str) -> Result<String, String> {
    match text.chars().count() {
        0..=240 => Ok(text.to_owned()),
        count => Err(format!("{count} characters; at most 240 are allowed")),
    }
}
