//! What a run gets from its agent, its environment and its runner where it says nothing itself.

use super::super::{Db, Result, StoreError, accounts::Member, objects};
use oz_core::{
    Error,
    api::{Identity, IdentityMemory, RunnerConfig},
    config::{AgentConfig, MemoryStoreRef},
    environment::EnvironmentConfig,
    principal::ScopeType,
    worker::InstanceShape,
};

/// The runner that a configuration names. It must be there and may be used.
pub(super) fn find_runner(
    db: &Db<'_>,
    who: &Member,
    personal: bool,
    config: &AgentConfig,
) -> Result<Option<RunnerConfig>> {
    let Some(uid) = config.runner_id.as_deref().filter(|uid| !uid.is_empty()) else { return Ok(None) };
    let refused = |expected| Err(Error::invalid_field("config.runner_id", uid, expected).into());
    let found: Result<objects::Object<RunnerConfig>> = objects::find(db, objects::Kind::Runner, who, uid);
    match found {
        Ok(runner) if !personal && runner.scope.kind == ScopeType::User => {
            refused("a runner of the team, because the run belongs to the team")
        }
        Ok(runner) => Ok(Some(runner.body)),
        Err(StoreError::Refused(_)) => refused("a runner that you can see"),
        Err(e) => Err(e),
    }
}

/// What a run gets from its runner: commands that come before all others, and an image and a size where nothing else names
/// one.
pub(super) fn equip(config: &mut AgentConfig, runner: RunnerConfig) {
    if config.instance_shape.is_none() {
        let count = |n: u32| Some(i64::from(n));
        config.instance_shape = runner
            .instance_shape
            .map(|shape| InstanceShape { vcpus: count(shape.vcpus), memory_gb: count(shape.memory_gb) });
    }
    config.setup_commands.splice(0..0, runner.setup_commands);
    if config.docker_image.is_none() {
        config.docker_image = runner.docker_image.filter(|image| !image.is_empty());
    }
}

/// What a run gets from its agent where it says nothing itself.
pub(super) fn inherit(config: &mut AgentConfig, agent: &Identity) {
    let profile = &agent.profile;
    let or = |own: &mut Option<String>, theirs: &Option<String>| {
        if own.is_none() {
            own.clone_from(theirs);
        }
    };
    or(&mut config.environment_id, &profile.environment_id);
    or(&mut config.base_prompt, &profile.prompt);
    or(&mut config.worker_host, &profile.worker_host);
    if config.harness.is_none() {
        config.harness.clone_from(&profile.harness);
        or(&mut config.model_id, &profile.base_model);
    }
    if config.harness_auth_secrets.is_none() {
        config.harness_auth_secrets.clone_from(&profile.harness_auth_secrets);
    }
    if config.credential_strategy.is_none() {
        config.credential_strategy.clone_from(&profile.credential_strategy);
    }
    if config.inference_providers.is_none() {
        config.inference_providers.clone_from(&profile.inference_providers);
    }
    remember(config, &agent.memory);
    if !config.names_skill() {
        config.skills.clone_from(&agent.skills);
    }
    for (name, server) in &profile.mcp_servers {
        config.mcp_servers.entry(name.clone()).or_insert_with(|| server.clone());
    }
    if config.runner_id.is_none() && !agent.default_runner_uid.is_empty() {
        config.runner_id = Some(agent.default_runner_uid.clone());
    }
}

/// The memory stores of an agent come after those of its run. Of a store that both name, the run's entry counts.
fn remember(config: &mut AgentConfig, memory: &IdentityMemory) {
    let own = memory.auto_memory.store.as_ref().filter(|_| memory.auto_memory.enabled);
    let own = own.map(|own| MemoryStoreRef {
        uid: own.uid.clone(),
        access: own.access.clone(),
        instructions: own.instructions.clone(),
    });
    for store in memory.attached_stores.iter().cloned().chain(own) {
        if config.memory_stores.iter().all(|known| known.uid != store.uid) {
            config.memory_stores.push(store);
        }
    }
}

/// What a run gets from its environment: its repositories and commands come before those of the run.
pub(super) fn prepare(config: &mut AgentConfig, environment: EnvironmentConfig) {
    let repos = environment.repos();
    let mut commands = environment.setup_commands;
    config.source_repos.splice(0..0, repos);
    commands.append(&mut config.setup_commands);
    config.setup_commands = commands;
    let or = |own: &mut Option<String>, its: Option<String>| {
        if own.is_none() {
            *own = its.filter(|text| !text.trim().is_empty());
        }
    };
    or(&mut config.docker_image, environment.docker_image);
    or(&mut config.worker_host, environment.default_worker_host);
    or(&mut config.runner_id, environment.default_runner_uid);
    for (name, value) in environment.environment_variables {
        config.environment_variables.entry(name).or_insert(value);
    }
    for credential in environment.git_credentials {
        if !config.git_credentials.iter().any(|own| own.host == credential.host) {
            config.git_credentials.push(credential);
        }
    }
    config.setup_timeout_seconds = config.setup_timeout_seconds.or(environment.setup_timeout_seconds);
    if config.providers.is_none() {
        config.providers = environment.providers;
    }
}
