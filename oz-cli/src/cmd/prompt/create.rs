//! `oz prompt create`: saves a prompt.

use super::text::Text;
use crate::{
    cli::{Format, Owner},
    cmd::Outcome,
    out::table::print_one,
};
use clap::Args;
use oz_client::Client;
use oz_core::api::{CreateSavedPrompt, SavedPromptConfig};

/// Save a prompt: that of --prompt, of a file, or of standard input.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz prompt create -n triage -p \"Look at the newest failures of CI and fix what is easy.\"
  oz prompt create -n review -f review.md --description \"for every change\" --personal
  oz prompt create -n review < review.md")]
pub(crate) struct CreateArgs {
    /// Its name
    #[arg(short, long)]
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let prompt = args.text.or_standard_input()?;
    let config = SavedPromptConfig { name: args.name, description: args.description, prompt };
    let request = CreateSavedPrompt { config, team: args.owner.team() };
    print_one(&client.saved_prompts().create(&request).await?, format, |prompt| {
        format!("Saved prompt created with ID: {}", prompt.uid)
    })?;
    Ok(true)
}
