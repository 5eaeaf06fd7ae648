//! `oz prompt update`: changes a saved prompt.

use super::{read, text::Text};
use crate::{cli::Format, cmd::Outcome, error::CliError, out::table::print_one};
use clap::Args;
use oz_client::Client;
use oz_core::api::{SavedPrompt, UpdateSavedPrompt};

/// Change a saved prompt. What is not named stays.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  oz prompt update ID -f review.md
  oz prompt update ID -n review --remove-description")]
pub(crate) struct UpdateArgs {
    /// The prompt
    id: String,
    /// Its name
    #[arg(short, long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", conflicts_with = "remove_description")]
    description: Option<String>,
    /// Remove its description
    #[arg(long)]
    remove_description: bool,
    #[command(flatten)]
    text: Text,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let before = read::prompt(client, &args.id).await?;
    let request = request(before, args)?;
    print_one(&client.saved_prompts().update(&request).await?, format, |prompt| {
        format!("Saved prompt {} updated", prompt.uid)
    })?;
    Ok(true)
}

fn request(before: SavedPrompt, args: UpdateArgs) -> Result<UpdateSavedPrompt, CliError> {
    let mut config = before.config.clone();
    config.name = args.name.unwrap_or(config.name);
    config.description = args.description.or(config.description).filter(|_| !args.remove_description);
    config.prompt = args.text.given()?.unwrap_or(config.prompt);
    if config == before.config {
        return Err(CliError::new("No updates requested"));
    }
    Ok(UpdateSavedPrompt { uid: before.uid, config, revision: Some(before.revision) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn what_is_not_named_stays() {
        let before = || -> SavedPrompt {
            from_value(json!({ "uid": "s1", "config": { "name": "n", "description": "d", "prompt": "p" },
                "created_at": "2026-03-02T08:00:00Z", "last_updated": "2026-03-02T08:00:00Z", "revision": 2 }))
            .unwrap()
        };
        let changed = |args| request(before(), args).map(|request| serde_json::to_value(request).unwrap());
        let text = Text { prompt: Some("q".into()), file: None };
        assert_eq!(
            changed(UpdateArgs { text, remove_description: true, ..UpdateArgs::default() }).unwrap(),
            json!({ "uid": "s1", "revision": 2, "config": { "name": "n", "prompt": "q" } })
        );
        assert_eq!(
            changed(UpdateArgs { name: Some("m".into()), ..UpdateArgs::default() }).unwrap(),
            json!({ "uid": "s1", "revision": 2, "config": { "name": "m", "description": "d", "prompt": "p" } })
        );
        assert!(changed(UpdateArgs::default()).unwrap_err().to_string().contains("No updates requested"));
    }
}
