//! `oz agent`: the ways to start an agent.

mod config;
mod machine;
mod options;
mod run;
mod run_cloud;

use super::Outcome;
use crate::cli::Global;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum AgentCommand {
    /// Run an agent on this machine
    #[command(alias = "r")]
    Run(Box<run::AgentRunArgs>),
    /// Dispatch a run to a worker
    #[command(aliases = ["ra", "run-ambient"])]
    RunCloud(Box<run_cloud::RunCloudArgs>),
}

pub(crate) async fn run(command: AgentCommand, global: &Global) -> Outcome {
    match command {
        AgentCommand::Run(args) => run::run(*args, global).await,
        AgentCommand::RunCloud(args) => run_cloud::run(*args, global).await,
    }
}
