//! What a run gets of the secrets of its team and of the person behind it, still sealed: the choice is made anew whenever
//! an execution asks, and written down before anything is opened.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, Workload, find_member},
    args, id, identities, json, mcp_servers, micros,
    objects::{self, Kind},
    runs::require_current,
    secrets::{self, Deed},
    to_json,
};
use oz_core::{
    RunId, Timestamp,
    api::SecretAction,
    config::{AgentConfig, GitCredential, SecretRef, WELL_KNOWN_GIT_SECRETS},
    environment::EnvironmentConfig,
    inference::EndpointConfig,
    principal::PrincipalType,
    run::RunSource,
    secret::{Grant, RunSecrets, SecretKind, has_user_context, placeholders},
};
use std::collections::{BTreeMap, BTreeSet};

/// A secret with its sealed value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredSecret {
    uid: String,
    personal: bool,
    pub(crate) owner_uid: String,
    pub(crate) name: String,
    pub(crate) kind: SecretKind,
    pub(crate) key_id: String,
    pub(crate) value: String,
}

/// What a run gets.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// What becomes variables, and what logs its harness in.
    pub(crate) secrets: Vec<StoredSecret>,
    /// What its MCP servers name and what becomes no variables.
    pub(crate) reserved: Vec<StoredSecret>,
    pub(crate) git: Vec<(GitCredential, StoredSecret)>,
    pub(crate) endpoints: Vec<(EndpointConfig, Option<StoredSecret>)>,
    /// What was asked for by name and not given.
    pub(crate) missing: BTreeSet<String>,
}

type Secrets = BTreeMap<String, StoredSecret>;

/// The facts of a run on which the choice depends.
struct Facts {
    team_id: String,
    personal: bool,
    creator_id: String,
    executor_id: String,
    environment_id: Option<String>,
    config: AgentConfig,
}

fn facts(db: &Db<'_>, run_no: i64) -> Result<Facts> {
    db.one(
        "SELECT r.team_id, r.personal, r.creator_id, r.executor_id, r.environment_id, i.config
         FROM runs r JOIN run_inputs i ON i.run_no = r.run_no WHERE r.run_no = ?1",
        args![run_no],
        |row| {
            Ok(Facts {
                team_id: row.get(0)?,
                personal: row.get(1)?,
                creator_id: row.get(2)?,
                executor_id: row.get(3)?,
                environment_id: row.get(4)?,
                config: json(row.get(5)?)?,
            })
        },
    )
}

/// Whether a run has its creator behind it, and nobody else: the run and all that it comes from were made by persons, and
/// only their creators told them what to do. Otherwise a schedule, or a member of the team, could get at a person's own
/// secrets by way of a child run or a follow-up.
fn has_its_creator_behind_it(db: &Db<'_>, run_no: i64) -> Result<bool> {
    let mut next = Some(run_no);
    while let Some(run_no) = next {
        let (run_id, source, kind, creator, parent, parent_id) = db.one(
            "SELECT r.run_id, r.source, u.kind, r.creator_id, r.parent_run_no, p.run_id
             FROM runs r JOIN users u ON u.user_id = r.creator_id LEFT JOIN runs p ON p.run_no = r.parent_run_no
             WHERE r.run_no = ?1",
            args![run_no],
            |row| {
                Ok((
                    id::<RunId>(row.get(0)?)?.to_string(),
                    RunSource::from(row.get::<&str>(1)?),
                    PrincipalType::from(row.get::<&str>(2)?),
                    row.get::<String>(3)?,
                    row.get::<Option<i64>>(4)?,
                    row.get::<Option<String>>(5)?,
                ))
            },
        )?;
        if !has_user_context(Some(&source), &kind) {
            return Ok(false);
        }
        // A run may tell itself and its children what to do; whether it has a person behind it is asked of it in turn.
        let others = db.first(
            "SELECT 1 FROM followups WHERE run_no = ?1 AND created_by NOT IN (?2, ?3, ?4) LIMIT 1",
            args![run_no, &creator, &run_id, parent_id.as_ref().unwrap_or(&run_id)],
            |_| Ok(()),
        )?;
        if others.is_some() {
            return Ok(false);
        }
        next = parent;
    }
    Ok(true)
}

/// The secrets of a team, or of one person in it, by name.
fn secrets_of(db: &Db<'_>, team_id: &str, owner_id: &str) -> Result<Secrets> {
    let found = db.rows(
        "SELECT secret_uid, personal, owner_id, name, kind, key_id, sealed_value FROM secrets
         WHERE team_id = ?1 AND owner_id = ?2",
        args![team_id, owner_id],
        |row| {
            Ok(StoredSecret {
                uid: row.get(0)?,
                personal: row.get(1)?,
                owner_uid: row.get(2)?,
                name: row.get(3)?,
                kind: SecretKind::from(row.get::<&str>(4)?),
                key_id: row.get(5)?,
                value: row.get(6)?,
            })
        },
    )?;
    Ok(found.into_iter().map(|secret| (secret.name.clone(), secret)).collect())
}

/// What the environment of a run lists now. One that is gone allows nothing.
fn environment_list(db: &Db<'_>, run: &Facts) -> Result<Option<Vec<SecretRef>>> {
    let Some(uid) = &run.environment_id else { return Ok(None) };
    let found: Vec<(bool, EnvironmentConfig)> =
        objects::bodies(db, Kind::Environment, &run.team_id, Some(&run.creator_id), Some(uid))?;
    Ok(found.into_iter().next().map_or_else(|| Some(Vec::new()), |(_, environment)| environment.secrets))
}

/// The names that the MCP servers of a run ask for, those of shared servers too.
fn named_by_mcp_servers(db: &Db<'_>, run: &Facts) -> Result<BTreeSet<String>> {
    let mut servers = run.config.mcp_servers.clone();
    mcp_servers::resolve(db, &run.team_id, &run.creator_id, &mut servers)?;
    let mut names = BTreeSet::new();
    for server in servers.into_values() {
        let texts = server.env.values().chain(server.headers.values()).chain(&server.args).chain(&server.url);
        names.extend(texts.flat_map(|text| placeholders(text)).map(str::to_owned));
        names.extend(server.oauth_secret);
    }
    Ok(names)
}

/// Whether a secret can be a password or a key by itself.
fn is_one_value(kind: &SecretKind) -> bool {
    matches!(kind, SecretKind::RawValue | SecretKind::AnthropicApiKey | SecretKind::OpenAiApiKey)
}

fn choose(db: &Db<'_>, run_no: i64, run: &Facts) -> Result<Given> {
    let behind = has_its_creator_behind_it(db, run_no)?
        && find_member(db, &run.team_id, &run.creator_id)?.is_some_and(|creator: Member| creator.is_person());
    let person = behind.then_some(run.creator_id.as_str());
    let of_team = secrets_of(db, &run.team_id, &run.team_id)?;
    let mut all = of_team.clone();
    if let Some(person) = person {
        all.extend(secrets_of(db, &run.team_id, person)?);
    }
    let in_scope: BTreeSet<String> = all.keys().cloned().collect();
    let environment = environment_list(db, run)?;
    let agent = match identities::find(db, &run.team_id, &run.executor_id) {
        Ok(agent) => agent.secrets,
        // It executes as a person, or as an agent that is gone.
        Err(StoreError::Refused(_)) => Vec::new(),
        Err(e) => return Err(e),
    };
    let harness = run.config.harness_auth_secret();
    let of_mcp = named_by_mcp_servers(db, run)?;
    let mut named: Vec<String> = of_mcp.iter().cloned().collect();
    named.extend(harness.map(str::to_owned));
    named.extend(run.config.git_credentials.iter().map(|credential| credential.secret.clone()));
    let granted = Grant {
        in_scope: &in_scope,
        run: run.config.secrets.as_deref(),
        environment: environment.as_deref(),
        agent: &agent,
        named: &named,
    }
    .decide();
    let mut given = Given { missing: granted.missing, ..Given::default() };
    for (name, secret) in &all {
        // A login of an MCP server is nothing for commands, whatever the lists say.
        let for_servers = secret.kind == SecretKind::McpOauth;
        if for_servers {
            if of_mcp.contains(name) {
                given.reserved.push(secret.clone());
            }
        } else if granted.injected.contains(name)
            || (granted.reserved.contains(name) && harness == Some(name))
        {
            given.secrets.push(secret.clone());
        } else if granted.reserved.contains(name) && of_mcp.contains(name) {
            given.reserved.push(secret.clone());
        }
    }
    log_git_in(&mut given, &run.config, &all, &granted.injected);
    let endpoints: Vec<(bool, EndpointConfig)> =
        objects::bodies(db, Kind::ModelEndpoint, &run.team_id, person, None)?;
    for (personal, endpoint) in endpoints {
        // A service of the team gets no person's own key: whoever may set its address would get it.
        let known = if personal { &all } else { &of_team };
        let wanted = endpoint.secret.as_ref().map(|secret| secret.name.clone());
        let secret =
            wanted.as_ref().and_then(|name| known.get(name)).filter(|s| is_one_value(&s.kind)).cloned();
        given.missing.extend(wanted.filter(|_| secret.is_none()));
        given.endpoints.push((endpoint, secret));
    }
    Ok(given)
}

/// Adds what logs git in: what the configuration says for each host, and otherwise what is known by its name.
fn log_git_in(given: &mut Given, config: &AgentConfig, all: &Secrets, injected: &BTreeSet<String>) {
    let raw = |name: &str| all.get(name).filter(|secret| secret.kind == SecretKind::RawValue);
    for credential in &config.git_credentials {
        match raw(&credential.secret) {
            Some(secret) => given.git.push((credential.clone(), secret.clone())),
            None => {
                given.missing.insert(credential.secret.clone());
            }
        }
    }
    for (host, name) in WELL_KNOWN_GIT_SECRETS {
        let taken =
            config.git_credentials.iter().chain(given.git.iter().map(|(c, _)| c)).any(|c| c.host == *host);
        if let Some(secret) = raw(name).filter(|_| !taken && injected.contains(*name)) {
            let credential =
                GitCredential { host: (*host).to_owned(), secret: (*name).to_owned(), username: None };
            given.git.push((credential, secret.clone()));
        }
    }
}

impl Given {
    /// Every secret in it, once.
    fn used(&self) -> BTreeMap<&str, &StoredSecret> {
        let git = self.git.iter().map(|(_, secret)| secret);
        let endpoints = self.endpoints.iter().filter_map(|(_, secret)| secret.as_ref());
        let all = self.secrets.iter().chain(&self.reserved).chain(git).chain(endpoints);
        all.map(|secret| (secret.uid.as_str(), secret)).collect()
    }
}

/// Writes down what was given and what was not.
fn record(db: &Db<'_>, who: &Workload, run: &Facts, given: &Given, now: Timestamp) -> Result<()> {
    let execution = who.execution_id.to_string();
    let used = given.used();
    for secret in used.values() {
        let deed = Deed {
            action: SecretAction::Used,
            name: &secret.name,
            team_id: &run.team_id,
            personal: secret.personal,
            owner_id: &secret.owner_uid,
            secret_uid: Some(&secret.uid),
            actor_id: &run.executor_id,
            run: Some((who.run_no, &execution)),
        };
        secrets::log(db, &deed, now)?;
        db.execute(
            "UPDATE secrets SET last_used_at = ?2 WHERE secret_uid = ?1",
            args![&secret.uid, micros(now)],
        )?;
    }
    for name in &given.missing {
        let deed = Deed {
            action: SecretAction::Refused,
            name,
            team_id: &run.team_id,
            personal: run.personal,
            owner_id: if run.personal { &run.creator_id } else { &run.team_id },
            secret_uid: None,
            actor_id: &run.executor_id,
            run: Some((who.run_no, &execution)),
        };
        secrets::log(db, &deed, now)?;
    }
    let names: BTreeSet<String> = used.values().map(|secret| secret.name.clone()).collect();
    let became =
        RunSecrets { given: names.into_iter().collect(), missing: given.missing.iter().cloned().collect() };
    db.execute("UPDATE run_inputs SET secrets = ?2 WHERE run_no = ?1", args![who.run_no, to_json(&became)?])?;
    Ok(())
}

impl Store {
    /// What the caller's run gets. It is written down by the time that this returns.
    pub(crate) async fn run_credentials(&self, who: Workload, now: Timestamp) -> Result<Given> {
        self.engine
            .write(move |db| {
                require_current(db, who.run_no, who.execution_id)?;
                let run = facts(db, who.run_no)?;
                let given = choose(db, who.run_no, &run)?;
                record(db, &who, &run, &given, now)?;
                Ok(given)
            })
            .await
    }
}
