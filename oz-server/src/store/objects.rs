//! Environments, MCP servers, profiles, saved prompts, runners and model services: named JSON bodies of a team or a
//! person, with a revision.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, principal, short_id},
    args,
    engine::Row,
    micros, timestamp, to_json,
};
use oz_core::{
    Error, RunState, Timestamp,
    api::LastTask,
    principal::{Principal, Scope, ScopeType},
};
use serde::{Serialize, de::DeserializeOwned};

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Environment,
    McpServer,
    Profile,
    SavedPrompt,
    Runner,
    ModelEndpoint,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::McpServer => "mcp_server",
            Self::Profile => "profile",
            Self::SavedPrompt => "saved_prompt",
            Self::Runner => "runner",
            Self::ModelEndpoint => "model_endpoint",
        }
    }
    fn named(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::McpServer => "MCP server",
            Self::Profile => "profile",
            Self::SavedPrompt => "saved prompt",
            Self::Runner => "runner",
            Self::ModelEndpoint => "model service",
        }
    }
}

/// A stored object.
pub(crate) struct Object<T> {
    pub(crate) uid: String,
    pub(crate) name: String,
    pub(crate) body: T,
    pub(crate) revision: i64,
    pub(crate) scope: Scope,
    pub(crate) creator: Principal,
    pub(crate) editor: Principal,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// An object to be stored.
#[derive(Clone)]
pub(crate) struct NewObject {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) body: String,
    pub(crate) personal: bool,
}

impl NewObject {
    pub(crate) fn new<T: Serialize>(kind: Kind, name: String, body: &T, team: Option<bool>) -> Result<Self> {
        Ok(Self { kind, name, body: to_json(body)?, personal: team == Some(false) })
    }
}

/// What belongs to a team or to one of its people.
pub(super) fn scope(personal: bool, team_id: String, owner_id: String) -> Scope {
    if personal {
        Scope { kind: ScopeType::User, uid: Some(owner_id) }
    } else {
        Scope { kind: ScopeType::Team, uid: Some(team_id) }
    }
}

pub(super) const VISIBLE: &str = "o.team_id = ?1 AND (o.personal = 0 OR o.owner_id = ?2)";

fn load<T: DeserializeOwned>(
    db: &Db<'_>,
    kind: Kind,
    who: &Member,
    condition: &str,
    value: &str,
) -> Result<Vec<Object<T>>> {
    db.rows(
        &format!(
            "SELECT u.user_id, u.kind, u.display_name, u.email, e.user_id, e.kind, e.display_name, e.email,
               o.object_uid, o.name, o.body, o.revision, o.personal, o.team_id, o.owner_id, o.created_at, o.updated_at
             FROM objects o JOIN users u ON u.user_id = o.owner_id JOIN users e ON e.user_id = o.updated_by
             WHERE {VISIBLE} AND o.kind = ?3 AND {condition} ORDER BY o.name, o.object_uid"
        ),
        args![&who.team_id.0, &who.principal.uid, kind.as_str(), value],
        object,
    )
}

fn object<T: DeserializeOwned>(row: &Row<'_>) -> Result<Object<T>> {
    Ok(Object {
        creator: principal(row, 0)?,
        editor: principal(row, 4)?,
        uid: row.get(8)?,
        name: row.get(9)?,
        body: super::json(row.get(10)?)?,
        revision: row.get(11)?,
        scope: scope(row.get(12)?, row.get(13)?, row.get(14)?),
        created_at: timestamp(row.get(15)?)?,
        updated_at: timestamp(row.get(16)?)?,
    })
}

/// One object that `who` may see.
pub(super) fn find<T: DeserializeOwned>(
    db: &Db<'_>,
    kind: Kind,
    who: &Member,
    uid: &str,
) -> Result<Object<T>> {
    load(db, kind, who, "o.object_uid = ?4", uid)?
        .pop()
        .ok_or_else(|| StoreError::Refused(Error::not_found(kind.named(), uid)))
}

/// What the objects of a kind hold that a run may use, with whether they are personal: those of its team, and those of
/// one person. Only the one with the id `uid`, if that is given.
pub(super) fn bodies<T: DeserializeOwned>(
    db: &Db<'_>,
    kind: Kind,
    team_id: &str,
    person: Option<&str>,
    uid: Option<&str>,
) -> Result<Vec<(bool, T)>> {
    db.rows(
        &format!(
            "SELECT o.personal, o.body FROM objects o WHERE {VISIBLE} AND o.kind = ?3
               AND (?4 = '' OR o.object_uid = ?4) ORDER BY o.personal, o.name, o.object_uid"
        ),
        args![team_id, person.unwrap_or_default(), kind.as_str(), uid.unwrap_or_default()],
        |row| Ok((row.get(0)?, super::json(row.get(1)?)?)),
    )
}

/// Whether an object belongs to a team as a whole.
pub(super) fn is_of_team(db: &Db<'_>, kind: &str, team_id: &str, uid: &str) -> Result<bool> {
    let found = db.first(
        "SELECT 1 FROM objects WHERE object_uid = ?1 AND kind = ?2 AND team_id = ?3 AND personal = 0",
        args![uid, kind, team_id],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Refuses a name that stands for another object of the same owner: models are chosen by the name of their service.
fn check_name(db: &Db<'_>, who: &Member, new: &NewObject, personal: bool, uid: &str) -> Result<()> {
    if new.kind != Kind::ModelEndpoint {
        return Ok(());
    }
    let taken = db.first(
        "SELECT 1 FROM objects WHERE team_id = ?1 AND kind = ?2 AND name = ?3 AND personal = ?4
           AND (personal = 0 OR owner_id = ?5) AND object_uid <> ?6",
        args![&who.team_id.0, new.kind.as_str(), &new.name, personal, &who.principal.uid, uid],
        |_| Ok(()),
    )?;
    if taken.is_some() {
        let (name, kind) = (&new.name, new.kind.named());
        return Err(Error::settled(format!("config.name: there is a {kind} '{name}' already")).into());
    }
    Ok(())
}

/// The latest run of an environment.
pub(crate) struct LastRun {
    pub(crate) task: LastTask,
    /// Whether it ended before its agent started.
    pub(crate) setup_failed: bool,
}

impl Store {
    /// The latest run of an environment.
    pub(crate) async fn last_of_environment(&self, team_id: String, uid: String) -> Result<Option<LastRun>> {
        self.engine
            .read(move |db| {
                db.first(
                    "SELECT run_id, title, state, created_at, updated_at, started_at FROM runs
                     WHERE environment_id = ?1 AND team_id = ?2 AND personal = 0 ORDER BY run_no DESC LIMIT 1",
                    args![&uid, &team_id],
                    |row| {
                        let state = RunState::from(row.get::<&str>(2)?);
                        let started_at = row.get::<Option<i64>>(5)?.map(timestamp).transpose()?;
                        let failed = matches!(state, RunState::Failed | RunState::Error);
                        let task = LastTask {
                            id: super::id(row.get(0)?)?,
                            title: row.get(1)?,
                            state,
                            created_at: timestamp(row.get(3)?)?,
                            updated_at: timestamp(row.get(4)?)?,
                            started_at,
                        };
                        Ok(LastRun { task, setup_failed: failed && started_at.is_none() })
                    },
                )
            })
            .await
    }

    /// The objects of a kind that a member may see, by name.
    pub(crate) async fn objects<T>(&self, kind: Kind, who: Member) -> Result<Vec<Object<T>>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.engine.read(move |db| load(db, kind, &who, "?4 = ''", "")).await
    }

    /// One object that a member may see.
    pub(crate) async fn object<T>(&self, kind: Kind, who: Member, uid: String) -> Result<Object<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.engine.read(move |db| find(db, kind, &who, &uid)).await
    }

    /// Makes an object.
    pub(crate) async fn create_object<T>(
        &self,
        who: Member,
        new: NewObject,
        now: Timestamp,
    ) -> Result<Object<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.engine
            .write(move |db| {
                let uid = short_id();
                check_name(db, &who, &new, new.personal, &uid)?;
                db.execute(
                    "INSERT INTO objects (object_uid, kind, team_id, personal, owner_id, name, body, revision, updated_by,
                       created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?5, ?8, ?8)",
                    args![
                        &uid,
                        new.kind.as_str(),
                        &who.team_id.0,
                        new.personal,
                        &who.principal.uid,
                        &new.name,
                        &new.body,
                        micros(now)
                    ],
                )?;
                find(db, new.kind, &who, &uid)
            })
            .await
    }

    /// Replaces an object's name and body; refused when it is not at `revision`.
    pub(crate) async fn update_object<T>(
        &self,
        who: Member,
        uid: String,
        new: NewObject,
        revision: Option<i64>,
        now: Timestamp,
    ) -> Result<Object<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.engine
            .write(move |db| {
                let old: Object<serde::de::IgnoredAny> = find(db, new.kind, &who, &uid)?;
                if let Some(seen) = revision.filter(|r| *r != old.revision) {
                    let text = format!("revision: it is {} now, not {seen}; read it again", old.revision);
                    return Err(Error::settled(text).into());
                }
                check_name(db, &who, &new, old.scope.kind == ScopeType::User, &uid)?;
                db.execute(
                    "UPDATE objects SET name = ?2, body = ?3, revision = revision + 1, updated_by = ?4, updated_at = ?5
                     WHERE object_uid = ?1",
                    args![&uid, &new.name, &new.body, &who.principal.uid, micros(now)],
                )?;
                find(db, new.kind, &who, &uid)
            })
            .await
    }

    /// Deletes an object.
    pub(crate) async fn delete_object(&self, kind: Kind, who: Member, uid: String) -> Result<()> {
        self.engine
            .write(move |db| {
                let _: Object<serde::de::IgnoredAny> = find(db, kind, &who, &uid)?;
                db.execute("DELETE FROM objects WHERE object_uid = ?1", args![&uid])?;
                Ok(())
            })
            .await
    }
}
