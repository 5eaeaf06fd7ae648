//! `oz integration`: other services that start runs. There are none yet; its commands are parsed as published, so that a
//! script learns what to do instead.

use super::Outcome;
use crate::{
    cli::{Format, Global},
    error::CliError,
    out::table::Listing,
};
use clap::{Args, Subcommand, ValueEnum};
use oz_core::env;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum IntegrationCommand {
    /// Let a service start runs
    Create(CreateArgs),
    /// Change how a service starts runs
    Update(UpdateArgs),
    /// List services that start runs
    #[command(after_help = "Examples:\n  oz integration list")]
    List,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Service {
    Linear,
    Slack,
}

/// What the runs of a service are like.
#[derive(Debug, Args)]
struct Runs {
    /// The model of its runs
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// What its runs are told before their prompt
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Configuration file of its runs (YAML or JSON)
    #[arg(short, long, value_name = "PATH", env = env::AGENT_CONFIG_FILE, hide_env_values = true)]
    file: Option<PathBuf>,
    /// An MCP server of its runs: the id of a shared one, a file or JSON; repeatable
    #[arg(long, value_name = "SPEC")]
    mcp: Vec<String>,
    /// The worker of its runs
    #[arg(long, value_name = "WORKER_ID")]
    host: Option<String>,
    /// The environment of its runs
    #[arg(short, long, value_name = "ID")]
    environment: Option<String>,
}

/// Let a service start runs. This version of the control plane can't do that yet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz integration create linear -e ENVIRONMENT")]
pub(crate) struct CreateArgs {
    /// The service
    service: Service,
    #[command(flatten)]
    runs: Runs,
    /// Run without an environment
    #[arg(long, conflicts_with = "environment")]
    no_environment: bool,
}

/// Change how a service starts runs. This version of the control plane can't do that yet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  oz integration update slack --remove-mcp tickets")]
pub(crate) struct UpdateArgs {
    /// The service
    service: Service,
    #[command(flatten)]
    runs: Runs,
    /// Run without an environment
    #[arg(long, conflicts_with = "environment")]
    remove_environment: bool,
    /// Remove an MCP server; repeatable
    #[arg(long, value_name = "NAME")]
    remove_mcp: Vec<String>,
}

/// A service that starts runs.
#[derive(Serialize)]
struct Entry {
    provider: String,
    description: String,
    status: String,
}

const LIST: Listing<Entry, 3> = Listing {
    header: ["PROVIDER", "DESCRIPTION", "STATUS"],
    whole: 1,
    row: |entry| [entry.provider.clone(), entry.description.clone(), entry.status.clone()],
    none: "No integrations found.",
};

pub(crate) fn run(command: &IntegrationCommand, global: &Global) -> Outcome {
    match command {
        IntegrationCommand::Create(CreateArgs { service, .. })
        | IntegrationCommand::Update(UpdateArgs { service, .. }) => Err(absent(*service)),
        IntegrationCommand::List => {
            let none: [Entry; 0] = [];
            let format: Format = global.output_format;
            LIST.print(&none, &none, format)?;
            Ok(true)
        }
    }
}

fn absent(service: Service) -> CliError {
    let name = match service {
        Service::Linear => "Linear",
        Service::Slack => "Slack",
    };
    CliError::new(format!(
        "this control plane has no integration with {name} yet: start runs by the clock with `oz schedule`, or from a \
         webhook of yours with POST /api/v1/agent/runs"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said_in_one_line() {
        insta::assert_snapshot!(absent(Service::Slack), @"Error: this control plane has no integration with Slack yet: start runs by the clock with `oz schedule`, or from a webhook of yours with POST /api/v1/agent/runs");
    }
}
