//! Memory stores, the memories in them and their versions.

mod of_run;
mod rank;

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, short_id},
    args,
    engine::Row,
    identities, micros, timestamp,
};
use oz_core::{
    Error, Timestamp,
    api::{
        CreateMemory, CreateMemoryStore, Memory, MemoryStore, MemoryVersion, MemoryWritten, StoreAgent,
        UpdateMemory,
    },
    config::MemoryAccess,
};

const STORE: &str = "s.store_uid, s.owner_type, s.owner_uid, s.description, s.created_at, s.updated_at";
const VISIBLE: &str = "s.team_id = ?1 AND (s.owner_type <> 'user' OR s.owner_uid = ?2)";

fn store(row: &Row<'_>) -> Result<MemoryStore> {
    Ok(MemoryStore {
        uid: row.get(0)?,
        owner_type: row.get(1)?,
        owner_uid: row.get(2)?,
        description: row.get(3)?,
        created_at: timestamp(row.get(4)?)?,
        updated_at: timestamp(row.get(5)?)?,
    })
}

fn find(db: &Db<'_>, who: &Member, uid: &str) -> Result<MemoryStore> {
    db.first(
        &format!("SELECT {STORE} FROM memory_stores s WHERE {VISIBLE} AND s.store_uid = ?3"),
        args![&who.team_id.0, &who.principal.uid, uid],
        store,
    )?
    .ok_or_else(|| StoreError::Refused(Error::not_found("memory store", uid)))
}

/// Whether somebody may give a store to a run: it is of the team, of one of its agents, or that person's own.
pub(super) fn is_visible(db: &Db<'_>, who: &Member, uid: &str) -> Result<bool> {
    match find(db, who, uid) {
        Ok(_) => Ok(true),
        Err(StoreError::Refused(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether a store belongs to a team as a whole.
pub(super) fn is_of_team(db: &Db<'_>, team_id: &str, uid: &str) -> Result<bool> {
    let found = db.first(
        "SELECT 1 FROM memory_stores WHERE store_uid = ?1 AND team_id = ?2 AND owner_type = 'team'",
        args![uid, team_id],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Makes a store.
pub(super) fn insert(
    db: &Db<'_>,
    team_id: &str,
    owner_type: &str,
    owner_uid: &str,
    description: Option<&str>,
    now: Timestamp,
) -> Result<MemoryStore> {
    let uid = short_id();
    db.execute(
        "INSERT INTO memory_stores (store_uid, team_id, owner_type, owner_uid, description, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        args![&uid, team_id, owner_type, owner_uid, description, micros(now)],
    )?;
    Ok(MemoryStore {
        uid,
        owner_type: owner_type.to_owned(),
        owner_uid: owner_uid.to_owned(),
        description: description.map(str::to_owned),
        created_at: now,
        updated_at: now,
    })
}

struct Current {
    version: i64,
    content: String,
}

/// The current version of a memory that is not deleted.
fn current(db: &Db<'_>, store_uid: &str, memory_uid: &str) -> Result<Current> {
    db.first(
        "SELECT version, content FROM memories WHERE store_uid = ?1 AND memory_uid = ?2 AND tombstoned_at IS NULL",
        args![store_uid, memory_uid],
        |row| Ok(Current { version: row.get(0)?, content: row.get(1)? }),
    )?
    .ok_or_else(|| StoreError::Refused(Error::not_found("memory", memory_uid)))
}

fn insert_version(
    db: &Db<'_>,
    memory_uid: &str,
    version: i64,
    content: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<String> {
    let version_id = short_id();
    db.execute(
        "INSERT INTO memory_versions (version_id, memory_uid, version, content, reason, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        args![&version_id, memory_uid, version, content, reason, micros(now)],
    )?;
    Ok(version_id)
}

/// What is written as a memory, by whom and why.
struct Written<'a> {
    content: &'a str,
    reason: Option<&'a str>,
    source: &'a str,
    source_id: Option<&'a str>,
    /// The run whose agent writes it.
    run_id: Option<&'a str>,
}

/// Adds a memory to a store.
fn add(db: &Db<'_>, store_uid: &str, new: &Written<'_>, now: Timestamp) -> Result<MemoryWritten> {
    let memory_id = short_id();
    db.execute(
        "INSERT INTO memories (memory_uid, store_uid, content, version, version_id, source, source_id, source_run_id,
           created_at, updated_at) VALUES (?1, ?2, ?3, 1, '', ?4, ?5, ?6, ?7, ?7)",
        args![&memory_id, store_uid, new.content, new.source, new.source_id, new.run_id, micros(now)],
    )?;
    let version_id = insert_version(db, &memory_id, 1, new.content, new.reason, now)?;
    db.execute("UPDATE memories SET version_id = ?2 WHERE memory_uid = ?1", args![&memory_id, &version_id])?;
    Ok(MemoryWritten { memory_id, version_id })
}

/// Gives a memory a new version, unless it is not at the one that the caller has seen.
fn change(
    db: &Db<'_>,
    store_uid: &str,
    memory_id: &str,
    seen: Option<i64>,
    new: &Written<'_>,
    now: Timestamp,
) -> Result<MemoryWritten> {
    let old = current(db, store_uid, memory_id)?;
    if let Some(seen) = seen.filter(|v| *v != old.version) {
        let text = format!("version: it is {} now, not {seen}; read it again", old.version);
        return Err(Error::settled(text).into());
    }
    let version = old.version + 1;
    let version_id = insert_version(db, memory_id, version, new.content, new.reason, now)?;
    db.execute(
        "UPDATE memories SET content = ?2, version = ?3, version_id = ?4, updated_at = ?5 WHERE memory_uid = ?1",
        args![memory_id, new.content, version, &version_id, micros(now)],
    )?;
    if let Some(run_id) = new.run_id {
        db.execute("UPDATE memories SET source_run_id = ?2 WHERE memory_uid = ?1", args![memory_id, run_id])?;
    }
    Ok(MemoryWritten { memory_id: memory_id.to_owned(), version_id })
}

impl Store {
    /// The memory stores that a member may see.
    pub(crate) async fn memory_stores(&self, who: Member) -> Result<Vec<MemoryStore>> {
        self.engine
            .read(move |db| {
                db.rows(
                    &format!("SELECT {STORE} FROM memory_stores s WHERE {VISIBLE} ORDER BY s.created_at, s.store_uid"),
                    args![&who.team_id.0, &who.principal.uid],
                    store,
                )
            })
            .await
    }

    /// One memory store.
    pub(crate) async fn memory_store(&self, who: Member, uid: String) -> Result<MemoryStore> {
        self.engine.read(move |db| find(db, &who, &uid)).await
    }

    /// Makes a memory store of the team or of a person.
    pub(crate) async fn create_memory_store(
        &self,
        who: Member,
        new: CreateMemoryStore,
        now: Timestamp,
    ) -> Result<MemoryStore> {
        self.engine
            .write(move |db| {
                let (kind, owner) = if new.team == Some(false) {
                    (who.principal.kind.as_str(), who.principal.uid.as_str())
                } else {
                    ("team", who.team_id.0.as_str())
                };
                insert(db, &who.team_id.0, kind, owner, new.description.as_deref(), now)
            })
            .await
    }

    /// Changes what a store says of itself.
    pub(crate) async fn update_memory_store(
        &self,
        who: Member,
        uid: String,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<MemoryStore> {
        self.engine
            .write(move |db| {
                find(db, &who, &uid)?;
                let description = description.as_deref().filter(|d| !d.is_empty());
                db.execute(
                    "UPDATE memory_stores SET description = ?2, updated_at = ?3 WHERE store_uid = ?1",
                    args![&uid, description, micros(now)],
                )?;
                find(db, &who, &uid)
            })
            .await
    }

    /// The agents that may use a store.
    pub(crate) async fn store_agents(&self, who: Member, uid: String) -> Result<Vec<StoreAgent>> {
        self.engine
            .read(move |db| {
                find(db, &who, &uid)?;
                let identities = identities::all(db, &who.team_id.0)?;
                Ok(identities
                    .into_iter()
                    .filter_map(|agent| {
                        let own = agent.memory.auto_memory.store.filter(|s| s.uid == uid);
                        let attached = agent.memory.attached_stores.into_iter().find(|s| s.uid == uid);
                        let (access, instructions) = match (own, attached) {
                            (Some(own), _) => (MemoryAccess::ReadWrite, own.instructions),
                            (None, Some(attached)) => (attached.access, attached.instructions),
                            (None, None) => return None,
                        };
                        Some(StoreAgent { uid: agent.uid, name: agent.name, access, instructions })
                    })
                    .collect())
            })
            .await
    }

    /// The memories of a store, oldest first; deleted ones are marked.
    pub(crate) async fn memories(&self, who: Member, uid: String) -> Result<Vec<Memory>> {
        self.engine
            .read(move |db| {
                find(db, &who, &uid)?;
                db.rows(
                    "SELECT memory_uid, content, version_id, source, source_id, source_run_id, tombstoned_at, created_at,
                       updated_at FROM memories WHERE store_uid = ?1 ORDER BY created_at, memory_uid",
                    args![&uid],
                    |row| {
                        let tombstoned_at = row.get::<Option<i64>>(6)?.map(timestamp).transpose()?;
                        Ok(Memory {
                            uid: row.get(0)?,
                            content: row.get(1)?,
                            version_id: row.get(2)?,
                            source: row.get(3)?,
                            source_id: row.get(4)?,
                            source_run_id: row.get(5)?,
                            is_tombstoned: tombstoned_at.is_some(),
                            tombstoned_at,
                            created_at: timestamp(row.get(7)?)?,
                            updated_at: timestamp(row.get(8)?)?,
                        })
                    },
                )
            })
            .await
    }

    /// Adds a memory.
    pub(crate) async fn create_memory(
        &self,
        who: Member,
        new: CreateMemory,
        now: Timestamp,
    ) -> Result<MemoryWritten> {
        self.engine
            .write(move |db| {
                find(db, &who, &new.uid)?;
                let written = Written {
                    content: &new.content,
                    reason: new.reason.as_deref(),
                    source: new.source.as_deref().unwrap_or("MANUAL"),
                    source_id: new.source_id.as_deref(),
                    run_id: None,
                };
                add(db, &new.uid, &written, now)
            })
            .await
    }

    /// Changes a memory; refused when it is not at the version that the caller has seen.
    pub(crate) async fn update_memory(
        &self,
        who: Member,
        new: UpdateMemory,
        now: Timestamp,
    ) -> Result<MemoryWritten> {
        self.engine
            .write(move |db| {
                find(db, &who, &new.uid)?;
                let written = Written {
                    content: &new.content,
                    reason: new.reason.as_deref(),
                    source: "MANUAL",
                    source_id: None,
                    run_id: None,
                };
                change(db, &new.uid, &new.memory_id, new.version, &written, now)
            })
            .await
    }

    /// Deletes a memory; its versions stay.
    pub(crate) async fn delete_memory(
        &self,
        who: Member,
        uid: String,
        memory_id: String,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                find(db, &who, &uid)?;
                let old = current(db, &uid, &memory_id)?;
                insert_version(db, &memory_id, old.version + 1, &old.content, Some("deleted"), now)?;
                db.execute(
                    "UPDATE memories SET tombstoned_at = ?2, version = version + 1, updated_at = ?2 WHERE memory_uid = ?1",
                    args![&memory_id, micros(now)],
                )?;
                Ok(())
            })
            .await
    }

    /// The versions of a memory, newest first.
    pub(crate) async fn memory_versions(
        &self,
        who: Member,
        uid: String,
        memory_id: String,
    ) -> Result<Vec<MemoryVersion>> {
        self.engine
            .read(move |db| {
                find(db, &who, &uid)?;
                let versions = db.rows(
                    "SELECT v.version_id, v.version, v.content, v.reason, v.created_at
                     FROM memory_versions v JOIN memories m ON m.memory_uid = v.memory_uid
                     WHERE m.store_uid = ?1 AND m.memory_uid = ?2 ORDER BY v.version DESC",
                    args![&uid, &memory_id],
                    |row| {
                        Ok(MemoryVersion {
                            uid: row.get(0)?,
                            version: row.get(1)?,
                            content: row.get(2)?,
                            reason: row.get(3)?,
                            created_at: timestamp(row.get(4)?)?,
                        })
                    },
                )?;
                if versions.is_empty() {
                    return Err(Error::not_found("memory", &memory_id).into());
                }
                Ok(versions)
            })
            .await
    }
}
