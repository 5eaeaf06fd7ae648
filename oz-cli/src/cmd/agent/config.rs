//! How an agent's task and configuration come about: the file, and over it the flags. What this build can't do is
//! refused here, before anything happens.

mod file;
mod repo;

pub(in crate::cmd) use file::ConfigFile;
pub(in crate::cmd) use repo::repo;

use super::options::AgentOptions;
use crate::{cmd::mcp, error::CliError};
use oz_core::config::{AgentConfig, HarnessConfig, HarnessType, Limits};

/// What an agent is to do, and how.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) prompt: String,
    pub(super) config: AgentConfig,
}

/// What an agent on this machine is to do. A saved prompt has been read before.
pub(super) fn task(options: &AgentOptions) -> Result<Task, CliError> {
    let ConfigFile { prompt, config } = read(options)?;
    refuse(&[
        (options.conversation.is_some(), "--conversation"),
        (config.runner_id.is_some(), "runner_id in the configuration file"),
    ])?;
    let (prompt, mut config) = merged(options, ConfigFile { prompt, config })?;
    if let Some(skill) = &options.skill {
        config.skills.clear();
        config.skill_spec = Some(skill.clone());
    }
    let prompt = match prompt {
        None if config.names_skill() => String::new(),
        Some(prompt) if prompt.trim().is_empty() && !config.names_skill() => {
            return Err(CliError::new("--prompt: it is empty; say what the agent is to do"));
        }
        prompt => prompt.ok_or_else(nothing_to_do)?,
    };
    Ok(Task { prompt, config })
}

/// The prompt, if there is one, and the configuration of an agent on a worker, which may be able to do more than this
/// build. A saved prompt has been read before.
pub(super) fn cloud_task(options: &AgentOptions) -> Result<(Option<String>, AgentConfig), CliError> {
    let (prompt, config) = merged(options, read(options)?)?;
    let otherwise = options.skill.is_some() || options.conversation.is_some() || config.names_skill();
    if prompt.is_none() && !otherwise {
        return Err(nothing_to_do());
    }
    Ok((prompt, config))
}

fn nothing_to_do() -> CliError {
    CliError::new("there is neither a prompt nor a skill, in the file or with --prompt or --skill")
}

fn read(options: &AgentOptions) -> Result<ConfigFile, CliError> {
    Ok(options.file.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default())
}

/// Puts the flags over the file.
fn merged(options: &AgentOptions, file: ConfigFile) -> Result<(Option<String>, AgentConfig), CliError> {
    let (prompt, mut config) = file.into_parts();
    config.name = options.name.clone().or(config.name);
    config.environment_id = options.environment.clone().or(config.environment_id);
    config.mcp_servers.extend(mcp::servers(&options.mcp)?);
    config.computer_use_enabled = match (options.computer_use, options.no_computer_use) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => config.computer_use_enabled,
    };
    let same = |kind: &HarnessType| config.harness.as_ref().is_some_and(|harness| harness.kind == *kind);
    if let Some(kind) = options.harness.clone().filter(|kind| !same(kind)) {
        config.harness = Some(HarnessConfig { kind, ..HarnessConfig::native() });
    }
    match config.harness.as_mut().filter(|harness| harness.kind != HarnessType::Oz) {
        // Other harnesses have models of their own.
        Some(harness) => harness.model_id = options.model.clone().or(harness.model_id.take()),
        None => config.model_id = options.model.clone().or(config.model_id),
    }
    if !options.fallback_models.is_empty() {
        config.fallback_model_ids.clone_from(&options.fallback_models);
    }
    if !options.repos.is_empty() {
        config.source_repos = options.repos.iter().map(|text| repo(text)).collect();
    }
    if !options.setup_commands.is_empty() {
        config.setup_commands.clone_from(&options.setup_commands);
    }
    let from_file = config.limits.unwrap_or_default();
    let limits = Limits {
        max_turns: options.max_turns.or(from_file.max_turns),
        max_tokens: options.max_tokens.or(from_file.max_tokens),
        max_seconds: options.max_time.map(|t| t.as_secs().max(1)).or(from_file.max_seconds),
        max_cost_usd: options.max_cost.or(from_file.max_cost_usd),
    };
    config.limits = (limits != Limits::default()).then_some(limits);
    config.validate()?;
    Ok((options.prompt.clone().or(prompt), config))
}

/// Refuses the first of these that is given. Callers pass more than this build can do, and what it can't do must not
/// be ignored in silence.
pub(super) fn refuse(given: &[(bool, &str)]) -> Result<(), CliError> {
    match given.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(CliError::unsupported(what)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
