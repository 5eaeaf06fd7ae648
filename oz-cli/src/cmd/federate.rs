//! `oz federate`: proving to other services which run this is. Works inside a run only.

mod gcp;
mod issue_token;
mod token;

use super::Outcome;
use crate::cli::Global;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum FederateCommand {
    /// Print an OpenID Connect token of this run
    IssueToken(issue_token::IssueTokenArgs),
    /// Print an OpenID Connect token of this run as Google's libraries expect it
    #[command(hide = true)]
    IssueGcpToken(gcp::IssueGcpTokenArgs),
}

pub(crate) async fn run(command: FederateCommand, global: &Global) -> Outcome {
    match command {
        FederateCommand::IssueToken(args) => issue_token::run(args, global).await,
        FederateCommand::IssueGcpToken(args) => gcp::run(args, global).await,
    }
}
