//! `oz prompt`: prompts that are kept to be used again.

mod create;
pub(super) mod read;
mod text;
mod update;

use super::{Outcome, confirm::confirm};
use crate::{
    cli::{Format, Global},
    connection,
    out::{self, prompt, table::print_one},
};
use clap::{Args, Subcommand};
use oz_core::api::{DeleteSavedPrompt, SavedPrompt};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum PromptCommand {
    /// List saved prompts
    #[command(after_help = "Examples:\n  oz prompt list")]
    List,
    /// Show a saved prompt
    Get(GetArgs),
    /// Save a prompt
    Create(create::CreateArgs),
    /// Change a saved prompt
    Update(update::UpdateArgs),
    /// Delete a saved prompt
    Delete(DeleteArgs),
}

/// Show a saved prompt; as `text`, nothing but the prompt.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz prompt get ID
  oz prompt get ID --output-format text > prompt.md")]
pub(crate) struct GetArgs {
    /// The prompt
    id: String,
}

/// Delete a saved prompt.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz prompt delete ID
  oz prompt delete ID --force")]
pub(crate) struct DeleteArgs {
    /// The prompt
    id: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(command: PromptCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        PromptCommand::List => {
            let list = client.saved_prompts().list().await?;
            prompt::LIST.print(&list, &list.saved_prompts, format)?;
        }
        PromptCommand::Get(GetArgs { id }) => {
            let shown = |found: &SavedPrompt| match format {
                Format::Text => found.config.prompt.trim_end().to_owned(),
                _ => prompt::card(found),
            };
            print_one(&read::prompt(&client, &id).await?, format, shown)?;
        }
        PromptCommand::Create(args) => return create::run(&client, args, format).await,
        PromptCommand::Update(args) => return update::run(&client, args, format).await,
        PromptCommand::Delete(args) => {
            if confirm("delete", "saved prompt", &args.id, args.force)? {
                let request = DeleteSavedPrompt { uid: args.id };
                client.send(&request).await?;
                out::deleted("uid", "Saved prompt", &request.uid, format)?;
            }
        }
    }
    Ok(true)
}
