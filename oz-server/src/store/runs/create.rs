//! How a run is made: whose it is, what it inherits from its agent, its environment and its parent, and its rows.

use super::super::{
    Db, Result, StoreError,
    accounts::{Member, find_member},
    args, budgets, files, identities, json, log, mcp_servers, memory, micros, objects, queues, to_json,
};
use super::{
    inherit::{equip, find_runner, inherit, prepare},
    profile,
};
use crate::store::executions;
use oz_core::{
    ConversationId, Error, ErrorCode, ExecutionId, RunId, RunState, Timestamp,
    api::Identity,
    config::{AgentConfig, child},
    environment::EnvironmentConfig,
    event::EventType,
    run::{ExecutionLocation, RunMode, RunSource, ScheduleRef},
};
use std::collections::BTreeMap;

/// How deep runs may start runs.
const MAX_DEPTH: i64 = 5;

/// Files that come with a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct WithFiles {
    /// Attachments whose bytes are stored already.
    pub(crate) attachments: Vec<files::NewFile>,
    /// Names a workspace that was uploaded before.
    pub(crate) snapshot_token: Option<String>,
}

/// A run to be made.
#[derive(Clone)]
pub(crate) struct NewRun {
    pub(crate) run_id: RunId,
    pub(crate) conversation_id: ConversationId,
    /// Who asks.
    pub(crate) member: Member,
    pub(crate) personal: bool,
    /// Made from the prompt when absent.
    pub(crate) title: Option<String>,
    pub(crate) prompt: String,
    pub(crate) config: AgentConfig,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) source: RunSource,
    pub(crate) parent: Option<i64>,
    pub(crate) agent_uid: Option<String>,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) mode: Option<RunMode>,
    /// Whether its conversation has begun before.
    pub(crate) continues: bool,
    pub(crate) schedule: Option<ScheduleRef>,
    pub(crate) files: WithFiles,
    /// Set for a run that its creator's machine executes: its execution and the digest of its token.
    pub(crate) local: Option<(ExecutionId, String)>,
}

impl NewRun {
    /// A run with nothing but who asks for it and its ids.
    pub(crate) fn by(member: Member, run_id: RunId, conversation_id: ConversationId) -> Self {
        Self {
            run_id,
            conversation_id,
            member,
            personal: false,
            title: None,
            prompt: String::new(),
            config: AgentConfig::default(),
            metadata: BTreeMap::new(),
            source: RunSource::Api,
            parent: None,
            agent_uid: None,
            on_behalf_of: None,
            mode: None,
            continues: false,
            schedule: None,
            files: WithFiles::default(),
            local: None,
        }
    }
}

struct Parent {
    run_no: i64,
    depth: i64,
    root: i64,
    personal: bool,
    metadata: BTreeMap<String, String>,
    config: AgentConfig,
}

fn parent(db: &Db<'_>, run_no: i64) -> Result<Parent> {
    db.one(
        "SELECT r.depth, COALESCE(r.root_run_no, r.run_no), r.personal, i.metadata, i.config
         FROM runs r JOIN run_inputs i ON i.run_no = r.run_no WHERE r.run_no = ?1",
        args![run_no],
        |row| {
            Ok(Parent {
                run_no,
                depth: row.get(0)?,
                root: row.get(1)?,
                personal: row.get(2)?,
                metadata: json(row.get(3)?)?,
                config: json(row.get(4)?)?,
            })
        },
    )
}

/// Checks that an agent may execute a run, and returns it.
pub(in crate::store) fn check_agent(
    db: &Db<'_>,
    who: &Member,
    personal: bool,
    field: &str,
    uid: Option<&str>,
) -> Result<Option<Identity>> {
    let Some(uid) = uid.filter(|uid| !uid.is_empty()) else { return Ok(None) };
    if personal {
        let text = format!("{field}: only what belongs to the team can run as one of its agents");
        return Err(Error::invalid(text).into());
    }
    if !who.is_person() && who.principal.uid != uid {
        let text = format!("{field}: the key of an agent can only run as that agent");
        return Err(Error::new(ErrorCode::NotAuthorized, text).into());
    }
    identities::find(db, &who.team_id.0, uid)
        .map(Some)
        .map_err(|_| Error::invalid_field(field, uid, "an agent of the team").into())
}

/// Checks that what a configuration refers to is there and may be used. Returns its environment.
pub(in crate::store) fn check_config(
    db: &Db<'_>,
    who: &Member,
    personal: bool,
    config: &AgentConfig,
) -> Result<Option<EnvironmentConfig>> {
    for store in &config.memory_stores {
        if !memory::is_visible(db, who, &store.uid)? {
            let text = "a memory store that you can see";
            return Err(Error::invalid_field("config.memory_stores.uid", &store.uid, text).into());
        }
    }
    mcp_servers::check(db, &who.team_id.0, &who.principal.uid, config)?;
    find_runner(db, who, personal, config)?;
    let Some(uid) = config.environment_id.as_deref().filter(|uid| !uid.is_empty()) else { return Ok(None) };
    let found: Result<objects::Object<EnvironmentConfig>> =
        objects::find(db, objects::Kind::Environment, who, uid);
    let environment = match found {
        Ok(environment) => environment,
        Err(StoreError::Refused(_)) => {
            let text = "an environment that you can see";
            return Err(Error::invalid_field("config.environment_id", uid, text).into());
        }
        Err(e) => return Err(e),
    };
    if !personal && environment.scope.kind.as_str() == "User" {
        let text = "an environment of the team, because the run belongs to the team";
        return Err(Error::invalid_field("config.environment_id", uid, text).into());
    }
    Ok(Some(environment.body))
}

/// The first line of a prompt, as a title.
fn title(new: &NewRun) -> String {
    if let Some(title) = new.title.as_deref().filter(|t| !t.trim().is_empty()) {
        return title.to_owned();
    }
    let skill = new.config.skill_spec.as_ref().or_else(|| new.config.skills.first());
    let fallback = skill.map_or("Run", |s| s.as_str());
    let line = new.prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(fallback);
    let mut title: String = line.chars().take(80).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    title
}

/// In whose name a run is made.
fn creator(db: &Db<'_>, new: &NewRun) -> Result<String> {
    let Some(target) = new.on_behalf_of.as_deref().filter(|t| !t.is_empty()) else {
        return Ok(new.member.principal.uid.clone());
    };
    let refused =
        |text: &str| Err(Error::new(ErrorCode::NotAuthorized, format!("on_behalf_of: {text}")).into());
    if new.member.is_person() {
        return refused("only the key of an agent can name another person");
    }
    let agent = identities::find(db, &new.member.team_id.0, &new.member.principal.uid)?;
    if agent.profile.on_behalf_of_enabled != Some(true) {
        return refused("this agent may not; an admin can allow it with on_behalf_of_enabled");
    }
    let target_member = find_member(db, &new.member.team_id.0, target)?.filter(Member::is_person);
    match target_member {
        Some(member) => Ok(member.principal.uid),
        None => {
            Err(Error::invalid_field("on_behalf_of", target, "an e-mail address or id of a team member")
                .into())
        }
    }
}

/// Makes a run. Returns its number.
pub(in crate::store) fn create(db: &Db<'_>, new: &NewRun, now: Timestamp) -> Result<i64> {
    let parent = new.parent.map(|run_no| parent(db, run_no)).transpose()?;
    if let Some(parent) = parent.as_ref().filter(|p| p.depth + 1 >= MAX_DEPTH) {
        let text =
            format!("parent_run_id: it is {} runs deep; at most {MAX_DEPTH} are allowed", parent.depth + 1);
        return Err(Error::invalid(text).into());
    }
    let personal = new.personal || parent.as_ref().is_some_and(|p| p.personal);
    let agent = check_agent(db, &new.member, personal, "agent_identity_uid", new.agent_uid.as_deref())?;
    // The key of an agent runs as that agent, whether or not it says so.
    let agent = match agent {
        None if !new.member.is_person() => {
            identities::find(db, &new.member.team_id.0, &new.member.principal.uid).ok()
        }
        agent => agent,
    };
    let creator = creator(db, new)?;
    let executor = agent.as_ref().map_or_else(|| creator.clone(), |a| a.uid.clone());
    let mut config = new.config.clone();
    if let Some(parent) = &parent {
        child::check_programs(&config, &parent.config)?;
    }
    // What the run chose comes before what its agent brings along. A run of its creator's machine was worked out there.
    if new.local.is_none() {
        profile::inherit(db, &new.member, personal, &mut config)?;
    }
    if let Some(agent) = &agent {
        inherit(&mut config, agent);
    }
    config.environment_id = config.environment_id.filter(|uid| !uid.is_empty());
    if let Some(environment) = check_config(db, &new.member, personal, &config)? {
        prepare(&mut config, environment);
    }
    if let Some(runner) = find_runner(db, &new.member, personal, &config)? {
        equip(&mut config, runner);
    }
    // Whatever it got and from whom, it goes no further than the run that started it.
    if let Some(parent) = &parent {
        config = child::within(config, &parent.config);
    }
    // What it got may be older than the rules of this version.
    config
        .validate()
        .map_err(|e| Error::invalid(format!("{} (after what its agent and environment add)", e.detail)))?;
    if new.local.is_none() && config.host().is_none() && !config.worker_labels.is_empty() {
        let names: Vec<&str> = config.worker_labels.keys().map(String::as_str).collect();
        let expected = "none without config.worker_host: the control plane's own worker has no labels";
        return Err(Error::invalid_field("config.worker_labels", &names.join(", "), expected).into());
    }
    let skill = config.skill_spec.clone().or_else(|| config.skills.first().cloned());
    // Responses name the first skill here, whichever way it was given.
    config.skill_spec.clone_from(&skill);
    if config.name.is_none() {
        config.name = skill.as_deref().and_then(|s| oz_core::run::AgentSkill::of_spec(s).name);
    }
    let mut metadata = parent.as_ref().map(|p| p.metadata.clone()).unwrap_or_default();
    metadata.extend(new.metadata.clone());
    let limit = budgets::admit(db, &new.member.team_id.0, &mut config.limits, now)?;
    let made = Made { creator, executor, personal, skill, config, metadata };
    let run_no = insert(db, new, &made, parent.as_ref(), now)?;
    budgets::limit(db, run_no, limit)?;
    Ok(run_no)
}

/// What was worked out for a run.
struct Made {
    creator: String,
    executor: String,
    personal: bool,
    skill: Option<String>,
    config: AgentConfig,
    metadata: BTreeMap<String, String>,
}

fn insert(db: &Db<'_>, new: &NewRun, made: &Made, parent: Option<&Parent>, now: Timestamp) -> Result<i64> {
    let at = micros(now);
    let location = if new.local.is_some() { ExecutionLocation::Local } else { ExecutionLocation::Remote };
    // A local run needs no dispatch: its creator's machine has it from the start.
    let state = if new.local.is_some() { RunState::Claimed } else { RunState::Queued };
    let execution = new.local.as_ref().map(|(execution_id, _)| execution_id.to_string());
    let run_no: i64 = db.one(
        "INSERT INTO runs (run_id, team_id, personal, creator_id, executor_id, title, state, source, location, host,
           name, model_id, environment_id, skill_spec, automation_id, parent_run_no, conversation_id, execution_id,
           attempts, created_at, updated_at, queued_at, schedule_id, schedule, mode, depth, root_run_no,
           continued, worker_labels)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?20, ?20,
           ?21, ?22, ?23, ?24, ?25, ?26, ?27)
         RETURNING run_no",
        args![
            new.run_id.to_string(),
            &new.member.team_id.0,
            made.personal,
            &made.creator,
            &made.executor,
            title(new),
            state.as_str(),
            new.source.as_str(),
            location.as_str(),
            made.config.host().unwrap_or_default(),
            made.config.name.as_deref(),
            made.config.model_id.as_deref(),
            made.config.environment_id.as_deref(),
            made.skill.as_deref(),
            made.metadata.get("automation_id"),
            new.parent,
            new.conversation_id.to_string(),
            execution.as_deref(),
            i64::from(new.local.is_some()),
            at,
            new.schedule.as_ref().map(|s| s.schedule_id.as_str()),
            new.schedule.as_ref().map(to_json).transpose()?,
            new.mode.as_ref().map(RunMode::as_str),
            parent.map_or(0, |p| p.depth + 1),
            parent.map(|p| p.root),
            new.continues,
            queues::labels_of(&made.config)?,
        ],
        |row| row.get(0),
    )?;
    db.execute(
        "INSERT INTO run_inputs (run_no, prompt, config, metadata) VALUES (?1, ?2, ?3, ?4)",
        args![run_no, &new.prompt, to_json(&made.config)?, to_json(&made.metadata)?],
    )?;
    for (name, content) in &made.metadata {
        db.execute(
            "INSERT INTO run_labels (run_no, name, content) VALUES (?1, ?2, ?3)",
            args![run_no, name, content],
        )?;
    }
    if let Some((execution_id, token_hash)) = &new.local {
        executions::insert(db, run_no, *execution_id, 1, token_hash, "local", now)?;
    }
    files::give_to_run(db, &new.files, &new.member.team_id.0, run_no, now)?;
    let event = if new.local.is_some() { EventType::RunClaimed } else { EventType::RunQueued };
    log::append_event(db, run_no, &event, None, execution.as_deref(), now)?;
    if let Some(parent) = parent {
        let child = new.run_id.to_string();
        log::append_event(db, parent.run_no, &EventType::ChildAgentStarted, Some(&child), None, now)?;
    }
    db.changed(|c| c.queue = true);
    Ok(run_no)
}
