//! Agent identities: service accounts of a team with defaults for their runs.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, insert_user, join, short_id},
    args, json, memory, micros, timestamp, to_json,
};
use oz_core::{
    Error, ErrorCode, Timestamp,
    api::{
        AutoMemory, CreateIdentity, Identity, IdentityMemory, IdentityProfile, MemoryInput, OwnStore,
        UpdateIdentity,
    },
    config::{CredentialStrategy, MemoryAccess, MemoryStoreRef, SecretRef},
};
use serde::{Deserialize, Serialize};

/// What the profile column holds.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    default_runner_uid: String,
    #[serde(default)]
    stores: Vec<MemoryStoreRef>,
    #[serde(default)]
    secrets: Vec<SecretRef>,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    profile: IdentityProfile,
}

const OWN_STORE_INSTRUCTIONS: &str = "Read it before you start; write down what will help next time.";

fn load(db: &Db<'_>, condition: &str, team_id: &str, value: &str) -> Result<Vec<Identity>> {
    db.rows(
        &format!(
            "SELECT a.agent_uid, a.name, a.profile, a.created_at, a.updated_at, a.store_uid, s.description
             FROM agents a LEFT JOIN memory_stores s ON s.store_uid = a.store_uid
             WHERE a.team_id = ?1 AND {condition} ORDER BY a.name"
        ),
        args![team_id, value],
        |row| {
            let stored: Stored = json(row.get(2)?)?;
            let uid: String = row.get(0)?;
            let own = row.get::<Option<String>>(5)?.map(|store| OwnStore {
                uid: store,
                access: MemoryAccess::ReadWrite,
                instructions: OWN_STORE_INSTRUCTIONS.to_owned(),
                owner_type: "service_account".to_owned(),
                owner_uid: uid.clone(),
                description: row.get(6).ok().flatten(),
            });
            Ok(Identity {
                uid,
                name: row.get(1)?,
                available: true,
                created_at: timestamp(row.get(3)?)?,
                updated_at: timestamp(row.get(4)?)?,
                default_runner_uid: stored.default_runner_uid,
                memory: IdentityMemory {
                    attached_stores: stored.stores,
                    auto_memory: AutoMemory { enabled: own.is_some(), store: own },
                },
                secrets: stored.secrets,
                skills: stored.skills,
                profile: stored.profile,
            })
        },
    )
}

/// The identity of a team with this id.
pub(super) fn find(db: &Db<'_>, team_id: &str, uid: &str) -> Result<Identity> {
    load(db, "a.agent_uid = ?2", team_id, uid)?
        .pop()
        .ok_or_else(|| StoreError::Refused(Error::not_found("agent", uid)))
}

/// All identities of a team.
pub(super) fn all(db: &Db<'_>, team_id: &str) -> Result<Vec<Identity>> {
    load(db, "?2 = ''", team_id, "")
}

fn check_name_is_free(db: &Db<'_>, team_id: &str, name: &str, uid: &str) -> Result<()> {
    let taken = db.first(
        "SELECT 1 FROM agents WHERE team_id = ?1 AND name = ?2 AND agent_uid <> ?3",
        args![team_id, name, uid],
        |_| Ok(()),
    )?;
    match taken {
        Some(()) => Err(Error::settled(format!("name: the team has an agent named '{name}' already")).into()),
        None => Ok(()),
    }
}

/// What an identity refers to must be there and belong to the team.
fn check_references(
    db: &Db<'_>,
    team_id: &str,
    environment_id: Option<&str>,
    memory: Option<&MemoryInput>,
) -> Result<()> {
    if let Some(uid) = environment_id.filter(|uid| !uid.is_empty())
        && !super::objects::is_of_team(db, "environment", team_id, uid)?
    {
        return Err(Error::invalid_field("environment_id", uid, "an environment of the team").into());
    }
    for store in memory.and_then(|m| m.attached_stores.as_deref()).unwrap_or_default() {
        if !memory::is_of_team(db, team_id, &store.uid)? {
            let text = "a memory store of the team";
            return Err(Error::invalid_field("memory.attached_stores.uid", &store.uid, text).into());
        }
    }
    Ok(())
}

fn only_admins(who: &Member, wanted: Option<bool>) -> Result<()> {
    if wanted == Some(true) && !who.admin {
        let text = "on_behalf_of_enabled: only an admin of the team may set it";
        return Err(Error::new(ErrorCode::NotAuthorized, text).into());
    }
    Ok(())
}

fn host(host: Option<String>) -> Option<String> {
    host.map(|h| h.trim().to_owned()).filter(|h| !h.is_empty())
}

impl Store {
    /// The identities of a member's team.
    pub(crate) async fn identities(&self, who: &Member) -> Result<Vec<Identity>> {
        let team_id = who.team_id.0.clone();
        self.engine.read(move |db| all(db, &team_id)).await
    }

    /// One identity of a member's team.
    pub(crate) async fn identity(&self, who: &Member, uid: String) -> Result<Identity> {
        let team_id = who.team_id.0.clone();
        self.engine.read(move |db| find(db, &team_id, &uid)).await
    }

    /// Makes an identity.
    pub(crate) async fn create_identity(
        &self,
        who: Member,
        new: CreateIdentity,
        now: Timestamp,
    ) -> Result<Identity> {
        self.engine
            .write(move |db| {
                let team_id = who.team_id.0.as_str();
                only_admins(&who, new.profile.on_behalf_of_enabled)?;
                check_name_is_free(db, team_id, &new.name, "")?;
                check_references(db, team_id, new.profile.environment_id.as_deref(), new.memory.as_ref())?;
                let uid = short_id();
                insert_user(db, &uid, "service_account", &new.name, None, now)?;
                join(db, team_id, &uid, "member")?;
                let memory = new.memory.clone().unwrap_or_default();
                let own = memory.auto_memory.and_then(|m| m.enabled).unwrap_or(true);
                let store = if own {
                    let description = format!("Memory of {}", new.name);
                    Some(memory::insert(db, team_id, "service_account", &uid, Some(&description), now)?.uid)
                } else {
                    None
                };
                let mut profile = new.profile.clone();
                profile.worker_host = host(profile.worker_host);
                profile.on_behalf_of_enabled = Some(profile.on_behalf_of_enabled.unwrap_or(false));
                let stored = Stored {
                    default_runner_uid: new.default_runner_uid.clone().unwrap_or_default(),
                    stores: memory.attached_stores.unwrap_or_default(),
                    secrets: new.secrets.clone().unwrap_or_default(),
                    skills: new.skills.clone().unwrap_or_default(),
                    profile,
                };
                db.execute(
                    "INSERT INTO agents (agent_uid, team_id, name, profile, on_behalf_of, store_uid, created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                    args![
                        &uid,
                        team_id,
                        &new.name,
                        to_json(&stored)?,
                        stored.profile.on_behalf_of_enabled == Some(true),
                        store,
                        micros(now)
                    ],
                )?;
                find(db, team_id, &uid)
            })
            .await
    }

    /// Changes an identity: what is absent stays, what is empty is cleared.
    pub(crate) async fn update_identity(
        &self,
        who: Member,
        change: UpdateIdentity,
        now: Timestamp,
    ) -> Result<Identity> {
        self.engine
            .write(move |db| {
                let team_id = who.team_id.0.as_str();
                let old = find(db, team_id, &change.uid)?;
                only_admins(&who, change.on_behalf_of_enabled)?;
                check_references(db, team_id, change.environment_id.as_deref(), change.memory.as_ref())?;
                let new = patched(old, change.clone());
                check_name_is_free(db, team_id, &new.name, &new.uid)?;
                new.profile.check()?;
                let stored = Stored {
                    default_runner_uid: new.default_runner_uid,
                    stores: new.memory.attached_stores,
                    secrets: new.secrets,
                    skills: new.skills,
                    profile: new.profile,
                };
                db.execute(
                    "UPDATE agents SET name = ?2, profile = ?3, on_behalf_of = ?4, updated_at = ?5 WHERE agent_uid = ?1",
                    args![
                        &new.uid,
                        &new.name,
                        to_json(&stored)?,
                        stored.profile.on_behalf_of_enabled == Some(true),
                        micros(now)
                    ],
                )?;
                db.execute(
                    "UPDATE users SET display_name = ?2 WHERE user_id = ?1",
                    args![&new.uid, &new.name],
                )?;
                find(db, team_id, &new.uid)
            })
            .await
    }

    /// Deletes an identity with its keys and its membership. Its runs keep its name.
    pub(crate) async fn delete_identity(&self, who: Member, uid: String, now: Timestamp) -> Result<()> {
        self.engine
            .write(move |db| {
                find(db, &who.team_id.0, &uid)?;
                super::schedules::forget_waiting(db, "agent_uid = ?1", args![&uid], "its agent was deleted")?;
                for sql in [
                    "DELETE FROM api_keys WHERE user_id = ?1",
                    "DELETE FROM memberships WHERE user_id = ?1",
                    "DELETE FROM agents WHERE agent_uid = ?1",
                    "UPDATE schedules SET enabled = 0, next_run = NULL, last_spawn_error = 'its agent was deleted'
                     WHERE agent_uid = ?1",
                ] {
                    db.execute(sql, args![&uid])?;
                }
                db.execute("UPDATE users SET removed_at = ?2 WHERE user_id = ?1", args![&uid, micros(now)])?;
                Ok(())
            })
            .await
    }
}

/// Text that replaces unless it is absent, and clears when it is empty.
fn text(slot: &mut Option<String>, change: Option<String>) {
    if let Some(change) = change {
        *slot = Some(change).filter(|t| !t.is_empty());
    }
}

fn patched(mut identity: Identity, change: UpdateIdentity) -> Identity {
    if let Some(name) = change.name {
        identity.name = name;
    }
    if let Some(runner) = change.default_runner_uid {
        identity.default_runner_uid = runner;
    }
    if let Some(stores) = change.memory.and_then(|m| m.attached_stores) {
        identity.memory.attached_stores = stores;
    }
    if let Some(secrets) = change.secrets {
        identity.secrets = secrets;
    }
    if let Some(skills) = change.skills {
        identity.skills = skills;
    }
    let profile = &mut identity.profile;
    if let Some(kind) = change.agent_type {
        profile.agent_type = Some(kind);
    }
    text(&mut profile.base_model, change.base_model);
    text(&mut profile.base_harness, change.base_harness);
    text(&mut profile.description, change.description);
    text(&mut profile.prompt, change.prompt);
    text(&mut profile.environment_id, change.environment_id);
    text(&mut profile.worker_host, change.worker_host.map(|h| h.trim().to_owned()));
    if let Some(harness) = change.harness {
        profile.harness = harness.into_harness();
    }
    if let Some(secrets) = change.harness_auth_secrets {
        profile.harness_auth_secrets = Some(secrets).filter(|s| *s != Default::default());
    }
    if let Some(strategy) = change.credential_strategy {
        profile.credential_strategy =
            Some(strategy).filter(|s| !s.is_empty()).map(|s| CredentialStrategy::from(s.as_str()));
    }
    if let Some(providers) = change.inference_providers {
        profile.inference_providers = Some(providers).filter(|p| *p != Default::default());
    }
    if let Some(servers) = change.mcp_servers {
        profile.mcp_servers = servers;
    }
    if let Some(enabled) = change.on_behalf_of_enabled {
        profile.on_behalf_of_enabled = Some(enabled);
    }
    identity
}
