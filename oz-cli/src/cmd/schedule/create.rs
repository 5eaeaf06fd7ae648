//! `oz schedule create`: makes a schedule.

use super::{done, policy::PolicyOptions};
use crate::{
    cli::{Format, Owner},
    cmd::{
        Outcome,
        agent::{config::ConfigFile, grants::GrantOptions, placement::PlacementOptions},
        mcp,
    },
};
use clap::{ArgGroup, Args};
use oz_client::Client;
use oz_core::{api::CreateSchedule, config::AgentConfig, env};
use std::path::PathBuf;

/// Make a schedule.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["prompt", "skill"]),
    after_help = "Examples:
  oz schedule create --name nightly --cron \"0 3 * * *\" -p \"update the dependencies\"
  oz schedule create --name triage --cron \"*/30 9-17 * * 1-5\" --skill me/app:triage -e ENVIRONMENT --personal
  oz schedule create --name report --cron \"0 8 * * 1\" --time-zone Europe/Berlin --overlap skip --missed run-once \
    -p \"write the weekly report\" --secret METABASE_API_KEY"
)]
pub(super) struct CreateArgs {
    /// Its name
    #[arg(long)]
    name: String,
    /// When it fires: five fields of cron, in its time zone
    #[arg(long, value_name = "EXPR")]
    cron: String,
    /// What its runs are to do
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,
    /// The skill of its runs
    #[arg(long, value_name = "SPEC")]
    skill: Option<String>,
    /// The model of its runs
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// The environment of its runs
    #[arg(short, long, value_name = "ID")]
    environment: Option<String>,
    /// Run without an environment (default)
    #[arg(long, conflicts_with = "environment")]
    no_environment: bool,
    /// Configuration file of its runs (YAML or JSON)
    #[arg(short, long, value_name = "PATH", env = env::AGENT_CONFIG_FILE, hide_env_values = true)]
    file: Option<PathBuf>,
    /// An MCP server of its runs: the id of a shared one, a file or JSON; repeatable
    #[arg(long, value_name = "SPEC")]
    mcp: Vec<String>,
    #[command(flatten)]
    placement: PlacementOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    grants: GrantOptions,
    #[command(flatten)]
    owner: Owner,
}

pub(super) async fn run(client: &Client, args: CreateArgs, format: Format) -> Outcome {
    let (prompt, mut config) =
        args.file.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default().into_parts();
    config.skill_spec = args.skill.or(config.skill_spec);
    config.model_id = args.model.or(config.model_id);
    args.placement.apply(&mut config)?;
    config.mcp_servers.extend(mcp::servers(&args.mcp)?);
    config.environment_id =
        if args.no_environment { None } else { args.environment.or(config.environment_id) };
    args.grants.apply(&mut config)?;
    let request = CreateSchedule {
        name: args.name,
        cron_schedule: args.cron,
        time_zone: args.policy.time_zone,
        overlap_policy: args.policy.overlap,
        missed_run_policy: args.policy.missed,
        agent_uid: args.policy.agent,
        prompt: args.prompt.or(prompt),
        agent_config: (config != AgentConfig::default()).then_some(config),
        team: args.owner.team(),
        ..CreateSchedule::default()
    };
    done(&client.send(&request).await?, "created", format)?;
    Ok(true)
}
