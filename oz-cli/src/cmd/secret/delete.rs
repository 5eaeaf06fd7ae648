//! `oz secret delete`: deletes a secret.

use super::find::{Whose, find};
use crate::{
    cli::Format,
    cmd::{Outcome, confirm::confirm},
    out,
};
use clap::Args;
use oz_client::Client;

/// Delete a secret; no later run gets it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz secret delete METABASE_API_KEY
  oz secret delete METABASE_API_KEY --personal --force")]
pub(crate) struct DeleteArgs {
    /// Its name
    name: String,
    /// Don't ask
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    whose: Whose,
}

pub(super) async fn run(client: &Client, args: &DeleteArgs, format: Format) -> Outcome {
    let secret = find(client, &args.name, &args.whose).await?;
    if !confirm("delete", "secret", &secret.name, args.force)? {
        return Ok(true);
    }
    client.secrets().delete(secret.uid.as_str()).await?;
    match format {
        Format::Pretty => out::line(format!("Secret '{}' deleted.", out::one_line(&secret.name, 128))),
        _ => out::deleted("uid", "Secret", &secret.uid, format)?,
    }
    Ok(true)
}
