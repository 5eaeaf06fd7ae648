//! `oz agent`: the ways to start an agent, and the agents that have names.

mod attach;
pub(super) mod config;
mod consent;
mod create;
mod delete;
mod get;
pub(super) mod grants;
mod group;
mod list;
mod machine;
mod options;
mod person;
pub(super) mod placement;
mod profile;
mod run;
mod run_cloud;
mod saved_prompt;
mod skills;
mod update;

pub(super) use run_cloud::announce;

use super::Outcome;
use crate::{cli::Global, connection};
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
    /// List the team's agents
    List(list::ListArgs),
    /// Show one agent
    Get(get::GetArgs),
    /// Make an agent
    Create(Box<create::CreateArgs>),
    /// Change an agent
    Update(Box<update::UpdateArgs>),
    /// Delete an agent and its keys
    Delete(delete::DeleteArgs),
    /// List the skills in the repositories that runs have used
    Skills(skills::SkillsArgs),
    /// Profiles: what agents may do without asking
    #[command(
        subcommand,
        after_help = "Examples:\n  oz agent profile list\n  oz agent profile create -n careful --set execute_commands=AlwaysAsk"
    )]
    Profile(profile::ProfileCommand),
}

pub(crate) async fn run(command: AgentCommand, global: &Global) -> Outcome {
    let format = global.output_format;
    let client = || connection::of(global).client();
    match command {
        AgentCommand::Run(args) => Box::pin(run::run(*args, global)).await,
        AgentCommand::RunCloud(args) => run_cloud::run(*args, global).await,
        AgentCommand::List(args) => list::run(&client()?, &args, format).await,
        AgentCommand::Get(args) => get::run(&client()?, args, format).await,
        AgentCommand::Create(args) => create::run(&client()?, *args, format).await,
        AgentCommand::Update(args) => update::run(&client()?, *args, format).await,
        AgentCommand::Delete(args) => delete::run(&client()?, args, format).await,
        AgentCommand::Skills(args) => skills::run(&client()?, args, format).await,
        AgentCommand::Profile(command) => profile::run(command, global).await,
    }
}
