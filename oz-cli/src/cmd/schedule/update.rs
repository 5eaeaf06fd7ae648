//! `oz schedule update`: changes a schedule.

use super::{done, id, policy::PolicyOptions};
use crate::{
    cli::Format,
    cmd::{
        Outcome,
        agent::{config::ConfigFile, placement::PlacementOptions},
        mcp,
    },
    error::CliError,
    out,
};
use clap::Args;
use oz_client::Client;
use oz_core::{
    api::{GetSchedule, Schedule, UpdateSchedule},
    config::AgentConfig,
};
use serde_json::Value;
use std::path::PathBuf;

/// Change a schedule.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  oz schedule update ID --cron \"0 4 * * *\"
  oz schedule update ID --time-zone Europe/Berlin --overlap queue
  oz schedule update ID --skill me/app:triage --remove-environment")]
pub(super) struct UpdateArgs {
    /// The schedule
    id: String,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// When it fires: five fields of cron, in its time zone
    #[arg(long, value_name = "EXPR")]
    cron: Option<String>,
    /// What its runs are to do
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,
    /// The model of its runs
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// The environment of its runs
    #[arg(short, long, value_name = "ID", conflicts_with = "remove_environment")]
    environment: Option<String>,
    /// Run without an environment
    #[arg(long)]
    remove_environment: bool,
    /// The skill of its runs
    #[arg(long, value_name = "SPEC", conflicts_with = "remove_skill")]
    skill: Option<String>,
    /// Run without a skill
    #[arg(long)]
    remove_skill: bool,
    /// Configuration file (YAML or JSON); what it holds replaces what there is
    #[arg(short, long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Add or replace an MCP server: the id of a shared one, a file or JSON; repeatable
    #[arg(long, value_name = "SPEC")]
    mcp: Vec<String>,
    /// Remove an MCP server; repeatable
    #[arg(long, value_name = "NAME")]
    remove_mcp: Vec<String>,
    #[command(flatten)]
    placement: PlacementOptions,
    #[command(flatten)]
    policy: PolicyOptions,
}

pub(super) async fn run(client: &Client, args: UpdateArgs, format: Format) -> Outcome {
    let before = client.send(&GetSchedule { schedule_id: id(args.id.clone())? }).await?;
    let file = args.file.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let request = change(before, args, file)?;
    done(&client.send(&request).await?, "updated", format)?;
    Ok(true)
}

/// The schedule with the file over it, the flags over that, and what is to be removed taken away.
fn change(before: Schedule, args: UpdateArgs, file: ConfigFile) -> Result<UpdateSchedule, CliError> {
    let (prompt, over) = file.into_parts();
    let old = before.agent_config.unwrap_or_default();
    let mut config = merged(&old, &over)?;
    config.model_id = args.model.or(config.model_id);
    args.placement.apply(&mut config)?;
    config.mcp_servers.extend(mcp::servers(&args.mcp)?);
    for name in &args.remove_mcp {
        if config.mcp_servers.remove(name).is_none() {
            out::note(format!("Warning: there is no MCP server '{name}'."));
        }
    }
    config.environment_id =
        if args.remove_environment { None } else { args.environment.or(config.environment_id) };
    config.skill_spec = if args.remove_skill { None } else { args.skill.or(config.skill_spec) };
    let request = UpdateSchedule {
        schedule_id: before.id,
        name: args.name.unwrap_or_else(|| before.name.clone()),
        cron_schedule: args.cron.unwrap_or_else(|| before.cron_schedule.clone()),
        enabled: before.enabled,
        prompt: args.prompt.or(prompt),
        agent_config: (config != old).then_some(config),
        time_zone: args.policy.time_zone,
        overlap_policy: args.policy.overlap,
        missed_run_policy: args.policy.missed,
        agent_uid: args.policy.agent,
        ..UpdateSchedule::default()
    };
    let nothing = UpdateSchedule {
        schedule_id: request.schedule_id.clone(),
        name: before.name,
        cron_schedule: before.cron_schedule,
        enabled: before.enabled,
        ..UpdateSchedule::default()
    };
    if request == nothing {
        return Err(CliError::new("No updates requested"));
    }
    Ok(request)
}

/// A configuration with what another one holds over it.
fn merged(old: &AgentConfig, over: &AgentConfig) -> Result<AgentConfig, CliError> {
    let value = |config| serde_json::to_value(config).map_err(CliError::new);
    let (mut all, over) = (value(old)?, value(over)?);
    if let (Value::Object(all), Value::Object(over)) = (&mut all, over) {
        all.extend(over);
    }
    serde_json::from_value(all).map_err(CliError::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::api::{MissedRunPolicy, OverlapPolicy};
    use serde_json::{from_value, json};

    fn changed(args: UpdateArgs, file: &str) -> Result<Value, String> {
        let config = json!({ "model_id": "old", "environment_id": "e", "skill_spec": "s",
            "mcp_servers": { "a": { "warp_id": "a" }, "b": { "warp_id": "b" } } });
        let before = from_value(
            json!({ "id": "i", "name": "n", "cron_schedule": "0 3 * * *", "enabled": false,
            "prompt": "p", "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z",
            "last_spawn_error": null, "agent_config": config, "history": { "last_ran": null, "next_run": null } }),
        );
        let request = change(before.unwrap(), args, ConfigFile::of_json(file));
        request.map(|request| serde_json::to_value(request).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_not_named_stays() {
        let got =
            changed(UpdateArgs { cron: Some("0 4 * * *".into()), ..UpdateArgs::default() }, "{}").unwrap();
        let expected =
            json!({ "schedule_id": "i", "name": "n", "cron_schedule": "0 4 * * *", "enabled": false });
        assert_eq!(got, expected);
        let policy = PolicyOptions {
            time_zone: Some("Europe/Berlin".into()),
            overlap: Some(OverlapPolicy::Queue),
            missed: Some(MissedRunPolicy::RunOnce),
            agent: Some(String::new()),
        };
        let got = changed(UpdateArgs { policy, ..UpdateArgs::default() }, "{}").unwrap();
        assert_eq!(
            got,
            json!({ "schedule_id": "i", "name": "n", "cron_schedule": "0 3 * * *", "enabled": false, "agent_uid": "",
                "time_zone": "Europe/Berlin", "overlap_policy": "queue", "missed_run_policy": "run_once" })
        );
        assert!(changed(UpdateArgs::default(), "{}").unwrap_err().contains("No updates requested"));
    }

    #[test]
    fn flags_win_over_the_file_and_removals_over_both() {
        let args = UpdateArgs {
            model: Some("flag".into()),
            remove_environment: true,
            mcp: vec!["c".into()],
            remove_mcp: vec!["a".into(), "c".into(), "x".into()],
            ..UpdateArgs::default()
        };
        let got =
            changed(args, r#"{ "model_id": "file", "host": "h", "prompt": "q", "environment_id": "f" }"#);
        let config = json!({ "model_id": "flag", "skill_spec": "s", "worker_host": "h",
            "mcp_servers": { "b": { "warp_id": "b" } } });
        assert_eq!(
            got.unwrap(),
            json!({ "schedule_id": "i", "name": "n", "cron_schedule": "0 3 * * *", "enabled": false, "prompt": "q",
                "agent_config": config })
        );
    }
}
