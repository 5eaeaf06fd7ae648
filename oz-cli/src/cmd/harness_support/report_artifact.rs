//! `oz harness-support report-artifact`: reports what the run made.

use crate::{cli::Format, cmd::Outcome, out};
use clap::{Args, Subcommand};
use oz_client::Client;
use oz_core::{Open, api::ReportArtifact, artifact::Artifact};

#[derive(Debug, Subcommand)]
pub(super) enum ReportArtifactCommand {
    /// Report a pull request
    PullRequest(PullRequestArgs),
}

/// Report a pull request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz harness-support report-artifact pull-request --url https://github.com/me/app/pull/7 --branch fix")]
pub(super) struct PullRequestArgs {
    /// Its address
    #[arg(long)]
    url: String,
    /// The branch that it comes from
    #[arg(long)]
    branch: String,
}

pub(super) async fn run(client: &Client, command: ReportArtifactCommand, format: Format) -> Outcome {
    let ReportArtifactCommand::PullRequest(args) = command;
    let artifact = Open::Known(Artifact::PullRequest { url: args.url, branch: args.branch });
    let reported = client.send(&ReportArtifact { artifact }).await?;
    if format.is_json() {
        out::json(format, &reported)?;
    } else {
        out::line(format!("Artifact reported: {}", out::plain(&reported.artifact_uid)));
    }
    Ok(true)
}
