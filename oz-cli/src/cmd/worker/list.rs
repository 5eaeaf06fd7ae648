//! `oz worker list`: the workers that are connected.

use super::WorkerArgs;
use crate::{
    cli::Global,
    cmd::Outcome,
    connection,
    out::{jq::JqArgs, worker::LIST},
};
use clap::{Args, Subcommand};

/// Take runs from a control plane on this machine, or look at the workers that do.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct WorkerCommand {
    #[command(flatten)]
    pub(crate) worker: WorkerArgs,
    #[command(subcommand)]
    pub(crate) look: Option<Look>,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Look {
    /// List the workers that are connected
    List(ListArgs),
}

/// List the workers that are connected to the control plane.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz worker list
  oz worker list --output-format ndjson
  oz worker list --jq \".workers[] | select(.draining) | .worker_host\"")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    jq: JqArgs,
}

pub(crate) async fn run(command: WorkerCommand, global: &Global) -> Outcome {
    let Some(Look::List(args)) = command.look else { return super::run(command.worker, global).await };
    let filter = args.jq.compile()?;
    let list = connection::of(global).client()?.account().workers().await?;
    if !filter.print(&list)? {
        LIST.print(&list, &list.workers, global.output_format)?;
    }
    Ok(true)
}
