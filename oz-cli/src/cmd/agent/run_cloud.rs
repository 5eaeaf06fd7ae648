//! `oz agent run-cloud`: dispatches a run to a worker.

use super::{
    attach, config, grants::GrantOptions, options::AgentOptions, placement::PlacementOptions, saved_prompt,
};
use crate::{
    cli::{Format, Global},
    cmd::{Outcome, run::watch},
    connection,
    error::CliError,
    out,
};
use clap::{Arg, ArgGroup, Args};
use oz_core::{
    api::{CreateRun, RunCreated},
    config::{AgentConfig, HarnessAuthSecrets, HarnessType},
    run::RunMode,
};
use std::path::PathBuf;

/// Dispatch a run to a worker.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "saved_prompt", "skill", "file"]),
    override_usage = "oz agent run-cloud [OPTIONS] <--prompt <TEXT>|--skill <SPEC>|--file <PATH>>",
    mut_args = shown,
    after_help = "Examples:
  oz agent run-cloud -p \"fix the failing test\" --repo https://github.com/me/app --wait
  oz agent run-cloud -p \"update the docs\" --host build-1 --max-cost 2 --max-time 30m
  oz agent run-cloud -p \"train it\" --host lab --label gpu=a100 --vcpus 8 --memory-gb 64
  oz agent run-cloud -p \"what is wrong here?\" --attach crash.log -e ENVIRONMENT --mcp servers.json
  oz agent run-cloud --skill me/app:triage --agent UID
  oz agent run-cloud -p \"deploy it\" --secret DEPLOY_TOKEN --git-credential github.com=BOT_TOKEN
  oz agent run-cloud --saved-prompt ID --runner UID
  oz agent run-cloud -f agent.yaml -p \"review this\" --output-format json"
)]
pub(crate) struct RunCloudArgs {
    #[command(flatten)]
    options: AgentOptions,
    #[command(flatten)]
    grants: GrantOptions,
    /// Title of the run
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    placement: PlacementOptions,
    /// The run belongs to the team (default)
    #[arg(long, conflicts_with = "personal")]
    team: bool,
    /// The run is yours alone
    #[arg(long)]
    personal: bool,
    /// The run that starts this one
    #[arg(long, value_name = "RUN_ID")]
    parent_run_id: Option<String>,
    /// Run without an environment, even if the file or the agent has one
    #[arg(long, conflicts_with = "environment")]
    no_environment: bool,
    /// The agent to run as
    #[arg(long, value_name = "UID")]
    agent: Option<String>,
    /// A file for the agent; repeatable, at most 5 of at most 10 MiB each
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    /// The secret that logs Claude Code in
    #[arg(long, value_name = "NAME")]
    claude_auth_secret: Option<String>,
    /// The secret that logs Codex in
    #[arg(long, value_name = "NAME")]
    codex_auth_secret: Option<String>,
    /// Show the run live, until its end; the exit code is then 0 only when it succeeded
    #[arg(long, visible_alias = "follow")]
    wait: bool,
    /// The runner: what to compute on
    #[arg(long, value_name = "UID")]
    runner: Option<String>,
    #[arg(long, hide = true)]
    open: bool,
}

/// What only runs on workers can have.
fn shown(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "mcp" | "conversation" => arg.hide(false),
        "harness" => arg.help("Which agent works: oz, or another that the worker has"),
        _ => arg,
    }
}

pub(super) async fn run(mut args: RunCloudArgs, global: &Global) -> Outcome {
    config::refuse(&[(args.open, "--open")])?;
    let (wait, format) = (args.wait, global.output_format);
    let client = || connection::of(global).client();
    saved_prompt::resolve(&mut args.options, client).await?;
    let request = request(args)?;
    let client = client()?;
    let created = client.runs().create(&request).await?;
    announce(&created, wait, format)?;
    if wait { watch::until_end(&client, created.run_id, 0, format).await } else { Ok(true) }
}

fn request(args: RunCloudArgs) -> Result<CreateRun, CliError> {
    let (prompt, mut config) = config::cloud_task(&args.options)?;
    args.placement.apply(&mut config)?;
    config.runner_id = args.runner.or(config.runner_id);
    args.grants.apply(&mut config)?;
    if args.no_environment {
        // Absent would mean that of the agent.
        config.environment_id = Some(String::new());
    }
    config.harness_auth_secrets = secrets(&config, args.claude_auth_secret, args.codex_auth_secret)?;
    let (prompt, mode) = match prompt.as_deref().and_then(RunMode::called) {
        Some((rest, mode)) => (Some(rest.to_owned()), mode),
        None => (prompt, RunMode::Normal),
    };
    Ok(CreateRun {
        prompt,
        config: Some(config),
        title: args.title,
        team: if args.personal { Some(false) } else { args.team.then_some(true) },
        skill: args.options.skill,
        conversation_id: args.options.conversation.as_deref().map(str::parse).transpose()?,
        parent_run_id: args.parent_run_id.as_deref().map(str::parse).transpose()?,
        mode: Some(mode),
        agent_identity_uid: args.agent,
        attachments: attach::read(&args.attach)?,
        ..CreateRun::default()
    })
}

/// The secrets that log the harness in. One for another harness would be ignored in silence.
fn secrets(
    config: &AgentConfig,
    claude: Option<String>,
    codex: Option<String>,
) -> Result<Option<HarnessAuthSecrets>, CliError> {
    let harness = config.harness_type();
    let wrong = [
        (claude.is_some(), HarnessType::Claude, "--claude-auth-secret"),
        (codex.is_some(), HarnessType::Codex, "--codex-auth-secret"),
    ];
    if let Some((_, wanted, flag)) = wrong.into_iter().find(|(given, wanted, _)| *given && *wanted != harness)
    {
        return Err(CliError::new(format!("{flag} needs --harness {wanted}")));
    }
    let secrets = HarnessAuthSecrets {
        claude_auth_secret_name: claude,
        codex_auth_secret_name: codex,
        ..HarnessAuthSecrets::default()
    };
    Ok((secrets != HarnessAuthSecrets::default()).then_some(secrets))
}

/// Says that a run was made, and how to look at it.
pub(in crate::cmd) fn announce(created: &RunCreated, wait: bool, format: Format) -> Result<(), CliError> {
    match (format.is_json(), wait) {
        (true, true) => out::json_line(created),
        (true, false) => out::json(format, created),
        (false, wait) => {
            out::line(format!("Spawned run {}", created.run_id));
            if created.at_capacity == Some(true) {
                out::line("Every worker is busy: it waits for one.");
            }
            if !wait {
                out::line(format!("View run: oz run watch {}", created.run_id));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
