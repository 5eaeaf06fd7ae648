//! `oz secret update`: changes the value or the description of a secret. Its name, type and owner stay.

use super::{
    find::{Whose, find},
    value::{self, Input},
};
use crate::{
    cli::Format,
    cmd::Outcome,
    error::CliError,
    out::{self, table::print_one},
};
use clap::Args;
use oz_client::Client;
use oz_core::secret::SecretKind;
use std::path::PathBuf;

/// Change the value or the description of a secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret update METABASE_API_KEY --value
  oz secret update METABASE_API_KEY --value-file key.txt --team
  oz secret update METABASE_API_KEY -d \"rotated 2026-02-26\"")]
pub(crate) struct UpdateArgs {
    /// Its name
    name: String,
    /// Ask for a new value, or read it from standard input
    #[arg(long, conflicts_with = "value_file")]
    value: bool,
    /// Read the new value from this file, as it is
    #[arg(short = 'f', long, value_name = "PATH")]
    value_file: Option<PathBuf>,
    /// What it is for; empty clears
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let input = args.value_file.map(Input::File).or(args.value.then_some(Input::Text));
    if input.is_none() && args.description.is_none() {
        return Err(CliError::new("No updates requested").hint("pass --value, --value-file or --description"));
    }
    let secret = find(client, &args.name, &args.whose).await?;
    if args.value {
        whole(&secret.kind)?;
    }
    let value = match input.map(Input::read) {
        None => None,
        Some(text) => match text? {
            Some(text) => {
                let plain = !value::is_json(&text);
                if secret.kind == SecretKind::OpenAiApiKey && plain {
                    out::note(
                        "The key is for OpenAI's own API; one for another address is JSON with its base_url.",
                    );
                }
                Some(value::of(&secret.kind, text, None)?)
            }
            None => {
                out::note(value::NOTHING);
                return Ok(true);
            }
        },
    };
    if let Some(value) = &value {
        value::warn(&secret.name, &secret.kind, value)?;
    }
    let updated = client.secrets().update(&secret, value.as_deref(), args.description.as_deref()).await?;
    print_one(&updated, format, |secret| format!("Secret '{}' updated.", secret.name))?;
    Ok(true)
}

/// Refuses to ask for a value that has several parts.
fn whole(kind: &SecretKind) -> Result<(), CliError> {
    match kind {
        SecretKind::AnthropicBedrockAccessKey | SecretKind::AnthropicBedrockApiKey => {
            Err(CliError::new("--value can't ask for a Bedrock key, which has several parts")
                .hint("pass its JSON with --value-file, or delete the secret and create it again"))
        }
        _ => Ok(()),
    }
}
