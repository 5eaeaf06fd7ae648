//! `oz model`: models that runs may use.

use super::Outcome;
use crate::{cli::Global, connection, out::table::Listing};
use clap::Subcommand;
use oz_core::api::{ListModels, ModelInfo};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ModelCommand {
    /// List models
    #[command(after_help = "Examples:\n  oz model list")]
    List,
}

const LIST: Listing<ModelInfo, 4> = Listing {
    header: ["ID", "NAME", "PROVIDER", "NOTE"],
    whole: 1,
    row: |model| {
        [
            model.id.clone(),
            model.display_name.clone(),
            model.provider.to_string(),
            model.disable_reason.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]
    },
    none: "No models found.",
};

pub(crate) async fn run(command: &ModelCommand, global: &Global) -> Outcome {
    let ModelCommand::List = command;
    let mut list = connection::of(global).client()?.send(&ListModels {}).await?;
    list.models.sort_by(|a, b| a.id.cmp(&b.id));
    LIST.print(&list, &list.models, global.output_format)?;
    Ok(true)
}
