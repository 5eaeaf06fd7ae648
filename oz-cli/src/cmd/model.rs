//! `oz model`: models that runs may use, and the services that a team adds.

mod add;
mod list;
mod remove;
mod spec;

use super::Outcome;
use crate::{cli::Global, connection, out::model::SERVICES};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ModelCommand {
    /// List models, those of added services too
    #[command(after_help = "Examples:\n  oz model list")]
    List,
    /// Add a model service
    Add(Box<add::AddArgs>),
    /// Remove a model service
    Remove(remove::RemoveArgs),
    /// List the model services that were added
    #[command(after_help = "Examples:\n  oz model services")]
    Services,
}

pub(crate) async fn run(command: ModelCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        ModelCommand::List => list::run(&client, format).await,
        ModelCommand::Add(args) => add::run(&client, *args, format).await,
        ModelCommand::Remove(args) => remove::run(&client, args, format).await,
        ModelCommand::Services => {
            let list = client.model_endpoints().list().await?;
            SERVICES.print(&list, &list.model_endpoints, format)?;
            Ok(true)
        }
    }
}
