//! Who calls: credentials and whom they belong to. Keys are stored as SHA-256 digests; they are random 256-bit values,
//! so a slow hash would add nothing.

use super::{Db, Result, Store, args, engine::Row, micros};
use oz_core::{
    ExecutionId, RunId, RunState, TeamId, Timestamp,
    principal::{Principal, PrincipalType},
    run::RunSource,
};

/// Who a credential belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Caller {
    /// Nobody: an endpoint that is open to all.
    Nobody,
    /// A person or an agent with a key.
    Key(Member),
    /// The agent process of one execution.
    Run(Workload),
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) principal: Principal,
    pub(crate) team_id: TeamId,
    pub(crate) team_name: String,
    pub(crate) admin: bool,
    /// The key that was shown; empty for a member that is only thought of.
    pub(crate) key_uid: String,
    /// When the key was last used, as far as it is recorded.
    pub(crate) key_used_at: Option<i64>,
    /// What made the call, as it says itself.
    pub(crate) source: RunSource,
}

impl Member {
    /// Whether it is a person rather than an agent.
    pub(crate) fn is_person(&self) -> bool {
        self.principal.kind == PrincipalType::User
    }
}

/// The execution that a workload token belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workload {
    pub(crate) run_no: i64,
    pub(crate) run_id: RunId,
    pub(crate) execution_id: ExecutionId,
    pub(crate) state: RunState,
    pub(crate) team_id: TeamId,
    /// Whether follow-ups wait that no execution has got yet.
    pub(crate) has_more: bool,
    /// Whether the run has moved on to another execution or ended: the token no longer opens anything for writing.
    pub(crate) stale: bool,
}

/// What the first start makes.
pub(crate) struct FirstTeam<'a> {
    pub(crate) team_name: &'a str,
    pub(crate) user_name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) key: &'a str,
    pub(crate) key_hash: String,
}

impl Store {
    /// Makes the first team with its admin and key, unless there is a team already. Returns whether it did.
    pub(crate) async fn bootstrap(&self, first: FirstTeam<'_>, now: Timestamp) -> Result<bool> {
        let FirstTeam { team_name, user_name, email, key, key_hash } = first;
        let (team_name, user_name, email) = (team_name.to_owned(), user_name.to_owned(), email.to_owned());
        let suffix = suffix(key);
        self.engine
            .write(move |db| {
                let teams: i64 = db.one("SELECT COUNT(*) FROM teams", args![], |row| row.get(0))?;
                if teams > 0 {
                    return Ok(false);
                }
                let (team_id, user_id) = (short_id(), short_id());
                insert_team(db, &team_id, &team_name, now)?;
                insert_user(db, &user_id, "user", &user_name, Some(&email), now)?;
                join(db, &team_id, &user_id, "admin")?;
                let key = NewKey { name: "first key", hash: &key_hash, suffix: &suffix, expires_at: None };
                insert_key(db, &team_id, &user_id, &user_id, &key, now)?;
                Ok(true)
            })
            .await
    }

    /// Who the credential with this digest belongs to, if anybody.
    pub(crate) async fn caller(&self, hash: &str, now: Timestamp) -> Result<Option<Caller>> {
        let hash = hash.to_owned();
        self.engine
            .read(move |db| {
                if let Some(member) = member(db, &hash, now)? {
                    return Ok(Some(Caller::Key(member)));
                }
                Ok(workload(db, "token_hash", &hash)?.map(Caller::Run))
            })
            .await
    }

    /// The agent of an execution, as it stands now.
    pub(crate) async fn agent_of(&self, execution_id: ExecutionId) -> Result<Caller> {
        self.engine
            .read(move |db| {
                let found = workload(db, "execution_id", &execution_id.to_string())?;
                Ok(found.map_or(Caller::Nobody, Caller::Run))
            })
            .await
    }

    /// Stores a key of a member whatever it looks like.
    #[cfg(test)]
    pub(crate) async fn insert_key_of(&self, who: Member, key: &NewKey<'_>) -> Result<String> {
        let (name, hash, suffix) = (key.name.to_owned(), key.hash.to_owned(), key.suffix.to_owned());
        let expires_at = key.expires_at;
        self.engine
            .write(move |db| {
                let key = NewKey { name: &name, hash: &hash, suffix: &suffix, expires_at };
                insert_key(
                    db,
                    &who.team_id.0,
                    &who.principal.uid,
                    &who.principal.uid,
                    &key,
                    crate::ctx::now(),
                )
            })
            .await
    }

    /// Records when keys were used.
    pub(crate) async fn keys_used(&self, used: Vec<(String, i64)>) -> Result<()> {
        self.engine
            .write(move |db| {
                for (key_uid, at) in &used {
                    db.execute(
                        "UPDATE api_keys SET last_used_at = ?2 WHERE key_uid = ?1 AND COALESCE(last_used_at, 0) < ?2",
                        args![key_uid, *at],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// A value that was stored under `key`, or `fresh`, which is stored then.
    pub(crate) async fn meta(&self, key: &'static str, fresh: String) -> Result<String> {
        self.engine
            .write(move |db| {
                db.execute(
                    "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
                    args![key, &fresh],
                )?;
                db.one("SELECT value FROM meta WHERE key = ?1", args![key], |row| row.get(0))
            })
            .await
    }
}

const MEMBER: &str = "u.user_id, u.kind, u.display_name, u.email, t.team_id, t.name, m.role";

fn member(db: &Db<'_>, hash: &str, now: Timestamp) -> Result<Option<Member>> {
    db.first(
        &format!(
            "SELECT {MEMBER}, k.key_uid, k.last_used_at
             FROM api_keys k JOIN users u ON u.user_id = k.user_id JOIN teams t ON t.team_id = k.team_id
             JOIN memberships m ON m.team_id = k.team_id AND m.user_id = k.user_id
             WHERE k.key_hash = ?1 AND (k.expires_at IS NULL OR k.expires_at > ?2)"
        ),
        args![hash, micros(now)],
        |row| {
            let member = read_member(row)?;
            Ok(Member { key_uid: row.get(7)?, key_used_at: row.get(8)?, ..member })
        },
    )
}

fn read_member(row: &Row<'_>) -> Result<Member> {
    Ok(Member {
        principal: principal(row, 0)?,
        team_id: TeamId(row.get(4)?),
        team_name: row.get(5)?,
        admin: row.get::<&str>(6)? == "admin",
        key_uid: String::new(),
        key_used_at: None,
        source: RunSource::Api,
    })
}

/// The member of a team with this id, or with this e-mail address.
pub(super) fn find_member(db: &Db<'_>, team_id: &str, who: &str) -> Result<Option<Member>> {
    db.first(
        &format!(
            "SELECT {MEMBER} FROM memberships m JOIN users u ON u.user_id = m.user_id JOIN teams t ON t.team_id = m.team_id
             WHERE m.team_id = ?1 AND (u.user_id = ?2 OR lower(u.email) = lower(?2)) ORDER BY u.created_at LIMIT 1"
        ),
        args![team_id, who],
        read_member,
    )
}

/// Reads a principal from four columns: id, kind, name, e-mail address.
pub(super) fn principal(row: &Row<'_>, at: usize) -> Result<Principal> {
    Ok(Principal {
        kind: PrincipalType::from(row.get::<&str>(at + 1)?),
        uid: row.get(at)?,
        display_name: row.get(at + 2)?,
        email: row.get(at + 3)?,
        photo_url: None,
    })
}

/// The principal with this id.
pub(super) fn principal_of(db: &Db<'_>, user_id: &str) -> Result<Option<Principal>> {
    db.first(
        "SELECT user_id, kind, display_name, email FROM users WHERE user_id = ?1",
        args![user_id],
        |row| principal(row, 0),
    )
}

fn workload(db: &Db<'_>, column: &str, value: &str) -> Result<Option<Workload>> {
    db.first(
        &format!("SELECT r.run_no, r.run_id, e.execution_id, r.execution_id, r.state, r.team_id, r.followups_waiting,
           CASE WHEN e.ended_at IS NULL THEN 0 ELSE 1 END
         FROM executions e JOIN runs r ON r.run_no = e.run_no WHERE e.{column} = ?1"),
        args![value],
        |row| {
            let state = RunState::from(row.get::<&str>(4)?);
            let execution: &str = row.get(2)?;
            let current: Option<&str> = row.get(3)?;
            let elsewhere = state == RunState::Queued || current != Some(execution);
            let stale = state.is_terminal() || elsewhere || row.get(7)?;
            Ok(Workload {
                run_no: row.get(0)?,
                run_id: super::id(row.get(1)?)?,
                execution_id: super::id(execution)?,
                state,
                team_id: TeamId(row.get(5)?),
                has_more: row.get(6)?,
                stale,
            })
        },
    )
}

/// A key to be stored.
pub(crate) struct NewKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) hash: &'a str,
    pub(crate) suffix: &'a str,
    pub(crate) expires_at: Option<Timestamp>,
}

/// The part of a key that is shown.
pub(crate) fn suffix(key: &str) -> String {
    key[key.len().saturating_sub(4)..].to_owned()
}

pub(super) fn insert_team(db: &Db<'_>, team_id: &str, name: &str, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO teams (team_id, name, created_at) VALUES (?1, ?2, ?3)",
        args![team_id, name, micros(now)],
    )?;
    Ok(())
}

pub(super) fn insert_user(
    db: &Db<'_>,
    user_id: &str,
    kind: &str,
    name: &str,
    email: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT INTO users (user_id, kind, display_name, email, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        args![user_id, kind, name, email, micros(now)],
    )?;
    Ok(())
}

pub(super) fn join(db: &Db<'_>, team_id: &str, user_id: &str, role: &str) -> Result<()> {
    db.execute(
        "INSERT INTO memberships (team_id, user_id, role) VALUES (?1, ?2, ?3)",
        args![team_id, user_id, role],
    )?;
    Ok(())
}

/// Stores a key. Returns its id.
pub(super) fn insert_key(
    db: &Db<'_>,
    team_id: &str,
    user_id: &str,
    created_by: &str,
    key: &NewKey<'_>,
    now: Timestamp,
) -> Result<String> {
    let uid = short_id();
    db.execute(
        "INSERT INTO api_keys (key_hash, key_uid, name, suffix, user_id, team_id, created_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        args![
            key.hash,
            &uid,
            key.name,
            key.suffix,
            user_id,
            team_id,
            created_by,
            micros(now),
            key.expires_at.map(micros)
        ],
    )?;
    Ok(uid)
}

/// A new id of 22 letters and digits, as objects have on the wire.
pub(crate) fn short_id() -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut value = uuid::Uuid::new_v4().as_u128();
    let mut id = [b'0'; 22];
    for byte in &mut id {
        *byte = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
    String::from_utf8_lossy(&id).into_owned()
}
