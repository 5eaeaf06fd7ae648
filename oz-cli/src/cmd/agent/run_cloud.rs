//! `oz agent run-cloud`: dispatches a run to a worker.

use super::{
    Outcome,
    config::{ConfigFile, build},
    on_signals,
    run::follow,
};
use crate::{
    cli::{AgentOptions, Global},
    error::CliError,
    out,
};
use clap::Args;
use oz_core::{RunId, api::CreateRun, run::RunMode};

/// Dispatch a run to a worker.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  oz agent run-cloud -p \"fix the failing test\" --repo https://github.com/me/app --wait
  oz agent run-cloud -p \"…\" --host build-1 --max-cost 2 --max-time 30m
  oz agent run-cloud -f agent.yaml -p \"…\" --output-format json")]
pub(crate) struct RunCloudArgs {
    /// What the agent is to do
    #[arg(short, long, required_unless_present = "file")]
    prompt: Option<String>,
    #[command(flatten)]
    options: AgentOptions,
    /// Title of the run
    #[arg(long)]
    title: Option<String>,
    /// The worker to run on
    #[arg(long, value_name = "WORKER_ID")]
    host: Option<String>,
    /// The run belongs to the team (default)
    #[arg(long, conflicts_with = "personal")]
    team: bool,
    /// The run is yours alone
    #[arg(long)]
    personal: bool,
    /// The run that starts this one
    #[arg(long, value_name = "RUN_ID")]
    parent_run_id: Option<RunId>,
    /// The environment to prepare
    #[arg(short, long, value_name = "ID", conflicts_with = "no_environment")]
    environment: Option<String>,
    /// Run without an environment
    #[arg(long)]
    no_environment: bool,
    /// Show the run live, until its end; exit code 0 only when it succeeded
    #[arg(long, visible_alias = "follow")]
    wait: bool,
    #[arg(long, hide = true, conflicts_with = "no_computer_use")]
    computer_use: bool,
    #[arg(long, hide = true)]
    no_computer_use: bool,
}

pub(crate) async fn run(args: RunCloudArgs, global: &Global) -> Outcome {
    let mut file = match &args.options.file {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let prompt = args.prompt.clone().or(file.prompt.take());
    let mut config = build(&args.options, file)?;
    if args.host.is_some() {
        config.worker_host.clone_from(&args.host);
    }
    if args.environment.is_some() {
        config.environment_id.clone_from(&args.environment);
    }
    if args.no_environment {
        config.environment_id = None;
    }
    config.computer_use_enabled = match (args.computer_use, args.no_computer_use) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => config.computer_use_enabled,
    };
    let (prompt, mode) = mode(
        prompt.ok_or_else(|| CliError::new("there is no prompt, neither in the file nor with --prompt"))?,
    );
    let request = CreateRun {
        prompt: Some(prompt),
        config: Some(config),
        title: args.title,
        team: if args.personal { Some(false) } else { args.team.then_some(true) },
        parent_run_id: args.parent_run_id,
        mode: Some(mode),
        ..CreateRun::default()
    };
    let client = global.client()?;
    let created = client.send(&request).await?;
    if global.output_format.is_json() {
        if !args.wait {
            out::json(global.output_format, &created)?;
            return Ok(true);
        }
        out::json_line(&created);
    } else {
        out::line(format!("Spawned run {}", created.run_id));
        if !args.wait {
            out::line(format!("Watch it with: oz run watch {}", created.run_id));
            return Ok(true);
        }
    }
    follow(&client, created.run_id, 0, global, on_signals()?).await
}

/// A prompt that begins with `/plan` or `/orchestrate` chooses the mode.
fn mode(prompt: String) -> (String, RunMode) {
    for (prefix, mode) in [("/plan ", RunMode::Plan), ("/orchestrate ", RunMode::Orchestrate)] {
        if let Some(rest) = prompt.strip_prefix(prefix) {
            return (rest.to_owned(), mode);
        }
    }
    (prompt, RunMode::Normal)
}
