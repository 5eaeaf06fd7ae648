//! `oz agent`: the ways to start an agent.

use super::{Outcome, agent_run, run_cloud};
use crate::cli::Global;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum AgentCommand {
    /// Run an agent on this machine
    #[command(alias = "r")]
    Run(Box<agent_run::AgentRunArgs>),
    /// Dispatch a run to a worker
    #[command(aliases = ["ra", "run-ambient"])]
    RunCloud(Box<run_cloud::RunCloudArgs>),
}

pub(crate) async fn run(command: AgentCommand, global: &Global) -> Outcome {
    match command {
        AgentCommand::Run(args) => agent_run::run(*args, global).await,
        AgentCommand::RunCloud(args) => run_cloud::run(*args, global).await,
    }
}
