//! `oz team`: the caller's team.

use super::Outcome;
use crate::{
    cli::Global,
    connection,
    out::{self, table::print_one, team},
};
use clap::{Args, Subcommand};
use oz_core::api::{CreateTeam, GetTeam, UpdateTeam};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum TeamCommand {
    /// Show your team
    #[command(after_help = "Examples:\n  oz team get")]
    Get,
    /// Rename your team
    #[command(after_help = "Examples:\n  oz team rename \"Platform\"")]
    Rename(NameArgs),
    /// Make another team, with you as its admin; your key for it is shown once
    #[command(after_help = "Examples:\n  oz team create \"Research\"")]
    Create(NameArgs),
}

/// The name of a team.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name
    name: String,
}

pub(crate) async fn run(command: TeamCommand, global: &Global) -> Outcome {
    let (client, format) = (connection::of(global).client()?, global.output_format);
    match command {
        TeamCommand::Get => print_one(&client.send(&GetTeam {}).await?, format, team::card)?,
        TeamCommand::Rename(NameArgs { name }) => {
            print_one(&client.send(&UpdateTeam { name }).await?, format, team::card)?;
        }
        TeamCommand::Create(NameArgs { name }) => {
            print_one(&client.send(&CreateTeam { name }).await?, format, team::joined)?;
            if !format.is_json() {
                out::note("Keep the key: it is not shown again. With it you work in the new team.");
            }
        }
    }
    Ok(true)
}
