//! `oz artifact get`: shows an artifact.

use crate::{
    cli::Format,
    cmd::Outcome,
    out::{self, artifact},
};
use clap::Args;
use oz_client::Client;
use oz_core::api::GetArtifact;

/// Show an artifact.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz artifact get 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")]
pub(crate) struct GetArgs {
    /// The artifact
    uid: String,
}

pub(super) async fn run(client: &Client, args: GetArgs, format: Format) -> Outcome {
    let artifact = client.send(&GetArtifact { artifact_uid: args.uid }).await?;
    match format {
        Format::Json | Format::Ndjson => out::json(format, &artifact)?,
        Format::Text => out::line(artifact::LIST.text(&[artifact], format)),
        Format::Pretty => out::line(artifact::card(&artifact)),
    }
    Ok(true)
}
