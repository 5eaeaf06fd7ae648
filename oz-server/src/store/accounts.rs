//! Teams, people and their keys. Keys are stored as SHA-256 digests; they are random 256-bit values, so a slow hash
//! would add nothing.

use super::{Result, Store, micros};
use oz_core::{
    ExecutionId, RunId, RunState, TeamId, Timestamp, UserId,
    principal::{Principal, PrincipalType},
    run::RunSource,
};
use rusqlite::{Connection, OptionalExtension as _, params};

/// Who a credential belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Caller {
    /// A person or a service account with a key.
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
    /// What made the call, as it says itself.
    pub(crate) source: RunSource,
}

impl Member {
    pub(crate) fn user_id(&self) -> UserId {
        UserId(self.principal.uid.clone())
    }
}

/// The execution that a workload token belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workload {
    pub(crate) run_no: i64,
    pub(crate) run_id: RunId,
    pub(crate) execution_id: ExecutionId,
    pub(crate) state: RunState,
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
        let suffix = key[key.len().saturating_sub(4)..].to_owned();
        self.engine
            .write(move |db| {
                let teams: i64 = db.query_row("SELECT COUNT(*) FROM teams", [], |row| row.get(0))?;
                if teams > 0 {
                    return Ok(false);
                }
                let (team_id, user_id, now) = (short_id(), short_id(), micros(now));
                db.execute("INSERT INTO teams (team_id, name, created_at) VALUES (?1, ?2, ?3)", params![team_id, team_name, now])?;
                db.execute(
                    "INSERT INTO users (user_id, kind, display_name, email, created_at) VALUES (?1, 'user', ?2, ?3, ?4)",
                    params![user_id, user_name, email, now],
                )?;
                db.execute(
                    "INSERT INTO memberships (team_id, user_id, role) VALUES (?1, ?2, 'admin')",
                    params![team_id, user_id],
                )?;
                db.execute(
                    "INSERT INTO api_keys (key_hash, key_uid, name, suffix, user_id, team_id, created_at)
                     VALUES (?1, ?2, 'first key', ?3, ?4, ?5, ?6)",
                    params![key_hash, short_id(), suffix, user_id, team_id, now],
                )?;
                Ok(true)
            })
            .await
    }

    /// Who the credential with this digest belongs to, if anybody.
    pub(crate) fn caller(&self, hash: &str, now: Timestamp) -> Result<Option<Caller>> {
        self.engine.read_now(|db| {
            if let Some(member) = member(db, hash, now)? {
                return Ok(Some(Caller::Key(member)));
            }
            Ok(workload(db, hash)?.map(Caller::Run))
        })
    }

    /// A value that was stored under `key`, or `fresh`, which is stored then.
    pub(crate) async fn meta(&self, key: &'static str, fresh: String) -> Result<String> {
        self.engine
            .write(move |db| {
                db.execute(
                    "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
                    params![key, fresh],
                )?;
                Ok(db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))?)
            })
            .await
    }
}

fn member(db: &Connection, hash: &str, now: Timestamp) -> Result<Option<Member>> {
    let row = db
        .prepare_cached(
            "SELECT u.user_id, u.kind, u.display_name, u.email, t.team_id, t.name, m.role
             FROM api_keys k JOIN users u ON u.user_id = k.user_id JOIN teams t ON t.team_id = k.team_id
             JOIN memberships m ON m.team_id = k.team_id AND m.user_id = k.user_id
             WHERE k.key_hash = ?1 AND (k.expires_at IS NULL OR k.expires_at > ?2)",
        )?
        .query_row(params![hash, micros(now)], |row| {
            let kind: String = row.get(1)?;
            let role: String = row.get(6)?;
            Ok(Member {
                principal: Principal {
                    kind: PrincipalType::from(kind.as_str()),
                    uid: row.get(0)?,
                    display_name: row.get(2)?,
                    email: row.get(3)?,
                    photo_url: None,
                },
                team_id: TeamId(row.get(4)?),
                team_name: row.get(5)?,
                admin: role == "admin",
                source: RunSource::Api,
            })
        })
        .optional()?;
    Ok(row)
}

fn workload(db: &Connection, hash: &str) -> Result<Option<Workload>> {
    let row: Option<(i64, String, String, Option<String>, String)> = db
        .prepare_cached(
            "SELECT r.run_no, r.run_id, e.execution_id, r.execution_id, r.state
             FROM executions e JOIN runs r ON r.run_no = e.run_no WHERE e.token_hash = ?1",
        )?
        .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((run_no, run_id, execution, current, state)) = row else { return Ok(None) };
    let state = RunState::from(state.as_str());
    let stale = state.is_terminal() || state == RunState::Queued || current.as_ref() != Some(&execution);
    Ok(Some(Workload {
        run_no,
        run_id: super::id(&run_id)?,
        execution_id: super::id(&execution)?,
        state,
        stale,
    }))
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
