//! `oz secret`: what runs may know and nobody can read back.

mod create;
mod delete;
mod find;
mod log;
mod update;
mod value;

use super::Outcome;
use crate::{cli::Global, connection, out::secret};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum SecretCommand {
    /// Make a secret
    Create(Box<create::CreateArgs>),
    /// List secrets, without their values
    #[command(after_help = "Examples:\n  oz secret list")]
    List,
    /// Change the value or the description of a secret
    Update(update::UpdateArgs),
    /// Delete a secret; no later run gets it
    Delete(delete::DeleteArgs),
    /// Show who used which secret when
    Log(log::LogArgs),
}

pub(crate) async fn run(command: SecretCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        SecretCommand::Create(args) => create::run(&client, *args, format).await,
        SecretCommand::List => {
            let list = client.secrets().list().await?;
            secret::LIST.print(&list, &list.secrets, format)?;
            Ok(true)
        }
        SecretCommand::Update(args) => update::run(&client, args, format).await,
        SecretCommand::Delete(args) => delete::run(&client, &args, format).await,
        SecretCommand::Log(args) => log::run(&client, args, format).await,
    }
}
