//! `oz agent run-cloud`: dispatches a run to a worker.

use super::{
    config::{self, Task},
    options::AgentOptions,
};
use crate::{
    cli::Global,
    cmd::{Outcome, run::watch},
    connection, out,
};
use clap::{ArgGroup, Args};
use oz_core::{api::CreateRun, run::RunMode};
use std::path::PathBuf;

/// Dispatch a run to a worker.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "saved_prompt", "skill", "file"]),
    override_usage = "oz agent run-cloud [OPTIONS] <--prompt <TEXT>|--file <PATH>>",
    after_help = "Examples:
  oz agent run-cloud -p \"fix the failing test\" --repo https://github.com/me/app --wait
  oz agent run-cloud -p \"update the docs\" --host build-1 --max-cost 2 --max-time 30m
  oz agent run-cloud -f agent.yaml -p \"review this\" --output-format json"
)]
pub(crate) struct RunCloudArgs {
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
    parent_run_id: Option<String>,
    /// Run without an environment (default)
    #[arg(long, conflicts_with = "environment")]
    no_environment: bool,
    /// Show the run live, until its end; the exit code is then 0 only when it succeeded
    #[arg(long, visible_alias = "follow")]
    wait: bool,
    #[arg(long, hide = true)]
    runner: Option<String>,
    #[arg(long, hide = true)]
    open: bool,
    #[arg(long, hide = true)]
    agent: Option<String>,
    #[arg(long, hide = true)]
    attach: Vec<PathBuf>,
    #[arg(long, hide = true)]
    claude_auth_secret: Option<String>,
    #[arg(long, hide = true)]
    codex_auth_secret: Option<String>,
}

pub(super) async fn run(args: RunCloudArgs, global: &Global) -> Outcome {
    config::refuse(&[
        (args.runner.is_some(), "--runner"),
        (args.open, "--open"),
        (args.agent.is_some(), "--agent"),
        (!args.attach.is_empty(), "--attach"),
        (args.claude_auth_secret.is_some(), "--claude-auth-secret"),
        (args.codex_auth_secret.is_some(), "--codex-auth-secret"),
    ])?;
    let Task { prompt, mut config } = config::task(&args.options)?;
    config.worker_host = args.host.or(config.worker_host);
    let (prompt, mode) = mode(&prompt);
    let request = CreateRun {
        prompt: Some(prompt.to_owned()),
        config: Some(config),
        title: args.title,
        team: if args.personal { Some(false) } else { args.team.then_some(true) },
        parent_run_id: args.parent_run_id.as_deref().map(str::parse).transpose()?,
        mode: Some(mode),
        ..CreateRun::default()
    };
    let (client, format) = (connection::of(global).client()?, global.output_format);
    let created = client.runs().create(&request).await?;
    match (format.is_json(), args.wait) {
        (true, true) => out::json_line(&created)?,
        (true, false) => out::json(format, &created)?,
        (false, wait) => {
            out::line(format!("Spawned run {}", created.run_id));
            if created.at_capacity == Some(true) {
                out::line("Every worker is busy: it waits for one.");
            }
            if !wait {
                out::line(format!("View run: oz run watch {}", created.run_id));
            }
        }
    }
    if args.wait { watch::until_end(&client, created.run_id, 0, format).await } else { Ok(true) }
}

/// A prompt that begins with `/plan` or `/orchestrate` chooses the mode.
fn mode(prompt: &str) -> (&str, RunMode) {
    [("/plan ", RunMode::Plan), ("/orchestrate ", RunMode::Orchestrate)]
        .into_iter()
        .find_map(|(prefix, mode)| Some((prompt.strip_prefix(prefix)?, mode)))
        .unwrap_or((prompt, RunMode::Normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_may_choose_the_mode() {
        assert_eq!(mode("/plan a b"), ("a b", RunMode::Plan));
        assert_eq!(mode("/orchestrate a"), ("a", RunMode::Orchestrate));
        assert_eq!(mode("/planning"), ("/planning", RunMode::Normal));
    }
}
