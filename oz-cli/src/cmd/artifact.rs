//! `oz artifact`: files that runs leave behind.

mod download;
mod get;
mod name;
mod transfer;
mod upload;

pub(super) use name::media_type;

use super::Outcome;
use crate::{cli::Global, connection};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ArtifactCommand {
    /// Show an artifact
    Get(get::GetArgs),
    /// Download an artifact into a file
    Download(download::DownloadArgs),
    /// Add a file to a run
    Upload(upload::UploadArgs),
}

pub(crate) async fn run(command: ArtifactCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        ArtifactCommand::Get(args) => get::run(&client, args, format).await,
        ArtifactCommand::Download(args) => download::run(&client, args, format).await,
        ArtifactCommand::Upload(args) => upload::run(&client, args, format).await,
    }
}
