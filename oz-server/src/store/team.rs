//! Teams, their people, invitations and keys.

use super::{
    Db, Result, Store, StoreError,
    accounts::{
        Member, NewKey, find_member, insert_key, insert_team, insert_user, join, principal, short_id, suffix,
    },
    args, micros, timestamp,
};
use oz_core::{
    Error, ErrorCode, Timestamp,
    api::{ApiKey, Invitation, KeyScope, Role, Team, TeamJoined, TeamMember},
    principal::PrincipalType,
};

/// How long an invitation can be accepted.
const INVITATION: i64 = 7 * 24 * 3600 * 1_000_000;

fn refused(text: &str) -> StoreError {
    StoreError::Refused(Error::new(ErrorCode::NotAuthorized, text))
}

fn members(db: &Db<'_>, team_id: &str, people_only: bool) -> Result<Vec<TeamMember>> {
    let only = if people_only { "AND u.kind = 'user'" } else { "" };
    db.rows(
        &format!(
            "SELECT u.user_id, u.kind, u.display_name, u.email, m.role FROM memberships m JOIN users u ON u.user_id = m.user_id
             WHERE m.team_id = ?1 {only} ORDER BY u.display_name, u.user_id"
        ),
        args![team_id],
        |row| Ok(TeamMember { principal: principal(row, 0)?, role: Role::from(row.get::<&str>(4)?) }),
    )
}

fn team(db: &Db<'_>, team_id: &str) -> Result<Team> {
    let (name, created_at) =
        db.one("SELECT name, created_at FROM teams WHERE team_id = ?1", args![team_id], |row| {
            Ok((row.get(0)?, timestamp(row.get(1)?)?))
        })?;
    Ok(Team { uid: team_id.to_owned(), name, created_at, members: members(db, team_id, false)? })
}

/// There must be an admin left who can let others in.
fn another_admin(db: &Db<'_>, team_id: &str, user_id: &str) -> Result<()> {
    let others: i64 = db.one(
        "SELECT COUNT(*) FROM memberships WHERE team_id = ?1 AND role = 'admin' AND user_id <> ?2",
        args![team_id, user_id],
        |row| row.get(0),
    )?;
    if others == 0 {
        return Err(Error::settled("a team needs an admin, and this is the last one").into());
    }
    Ok(())
}

fn person(db: &Db<'_>, team_id: &str, uid: &str) -> Result<Member> {
    find_member(db, team_id, uid)?
        .filter(|m| m.is_person() && m.principal.uid == uid)
        .ok_or_else(|| StoreError::Refused(Error::not_found("user", uid)))
}

impl Store {
    /// The team of a member.
    pub(crate) async fn team(&self, who: &Member) -> Result<Team> {
        let team_id = who.team_id.0.clone();
        self.engine.read(move |db| team(db, &team_id)).await
    }

    /// The people of a member's team.
    pub(crate) async fn people(&self, who: &Member) -> Result<Vec<TeamMember>> {
        let team_id = who.team_id.0.clone();
        self.engine.read(move |db| members(db, &team_id, true)).await
    }

    /// Renames a team.
    pub(crate) async fn rename_team(&self, who: &Member, name: String) -> Result<Team> {
        let team_id = who.team_id.0.clone();
        self.engine
            .write(move |db| {
                db.execute("UPDATE teams SET name = ?2 WHERE team_id = ?1", args![&team_id, &name])?;
                team(db, &team_id)
            })
            .await
    }

    /// Makes a team with `who` as its admin, who gets the key `raw` for it.
    pub(crate) async fn create_team(
        &self,
        who: Member,
        name: String,
        (raw, hash): (String, String),
        now: Timestamp,
    ) -> Result<TeamJoined> {
        self.engine
            .write(move |db| {
                let (team_id, user_id) = (short_id(), &who.principal.uid);
                insert_team(db, &team_id, &name, now)?;
                join(db, &team_id, user_id, "admin")?;
                let key = NewKey { name: "first key", hash: &hash, suffix: &suffix(&raw), expires_at: None };
                insert_key(db, &team_id, user_id, user_id, &key, now)?;
                Ok(TeamJoined {
                    team_uid: team_id,
                    team_name: name.clone(),
                    principal: who.principal.clone(),
                    raw_api_key: raw.clone(),
                })
            })
            .await
    }

    /// Changes the role of a person.
    pub(crate) async fn set_role(&self, who: &Member, uid: String, role: Role) -> Result<TeamMember> {
        let team_id = who.team_id.0.clone();
        self.engine
            .write(move |db| {
                let member = person(db, &team_id, &uid)?;
                if role != Role::Admin {
                    another_admin(db, &team_id, &uid)?;
                }
                db.execute(
                    "UPDATE memberships SET role = ?3 WHERE team_id = ?1 AND user_id = ?2",
                    args![&team_id, &uid, role.as_str()],
                )?;
                Ok(TeamMember { principal: member.principal, role: role.clone() })
            })
            .await
    }

    /// Removes a person from a team, with its keys for the team.
    pub(crate) async fn remove_person(&self, who: &Member, uid: String) -> Result<()> {
        let team_id = who.team_id.0.clone();
        self.engine
            .write(move |db| {
                person(db, &team_id, &uid)?;
                another_admin(db, &team_id, &uid)?;
                db.execute(
                    "DELETE FROM api_keys WHERE team_id = ?1 AND user_id = ?2",
                    args![&team_id, &uid],
                )?;
                super::schedules::forget_waiting(
                    db,
                    "team_id = ?1 AND owner_id = ?2 AND personal = 1",
                    args![&team_id, &uid],
                    "its owner left the team",
                )?;
                db.execute(
                    "UPDATE schedules SET enabled = 0, next_run = NULL, last_spawn_error = 'its owner left the team'
                     WHERE team_id = ?1 AND owner_id = ?2 AND personal = 1",
                    args![&team_id, &uid],
                )?;
                db.execute(
                    "DELETE FROM memberships WHERE team_id = ?1 AND user_id = ?2",
                    args![&team_id, &uid],
                )?;
                super::secrets::forget_person(db, &team_id, &uid)
            })
            .await
    }

    /// Stores an invitation.
    pub(crate) async fn invite(
        &self,
        who: Member,
        email: String,
        role: Role,
        code_hash: String,
        now: Timestamp,
    ) -> Result<Invitation> {
        self.engine
            .write(move |db| {
                if find_member(db, &who.team_id.0, &email)?.is_some() {
                    return Err(Error::settled(format!("email: '{email}' is in the team already")).into());
                }
                let invitation = Invitation {
                    uid: short_id(),
                    email: email.clone(),
                    role: role.clone(),
                    created_at: now,
                    expires_at: timestamp(micros(now) + INVITATION)?,
                };
                db.execute(
                    "INSERT INTO invitations (invitation_uid, code_hash, team_id, email, role, created_by, created_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    args![
                        &invitation.uid,
                        &code_hash,
                        &who.team_id.0,
                        &email,
                        role.as_str(),
                        &who.principal.uid,
                        micros(now),
                        micros(invitation.expires_at),
                    ],
                )?;
                Ok(invitation)
            })
            .await
    }

    /// The open invitations of a team.
    pub(crate) async fn invitations(&self, who: &Member, now: Timestamp) -> Result<Vec<Invitation>> {
        let team_id = who.team_id.0.clone();
        self.engine
            .read(move |db| {
                db.rows(
                    "SELECT invitation_uid, email, role, created_at, expires_at FROM invitations
                     WHERE team_id = ?1 AND expires_at > ?2 ORDER BY created_at DESC, invitation_uid",
                    args![&team_id, micros(now)],
                    |row| {
                        Ok(Invitation {
                            uid: row.get(0)?,
                            email: row.get(1)?,
                            role: Role::from(row.get::<&str>(2)?),
                            created_at: timestamp(row.get(3)?)?,
                            expires_at: timestamp(row.get(4)?)?,
                        })
                    },
                )
            })
            .await
    }

    /// Withdraws an invitation.
    pub(crate) async fn withdraw_invitation(&self, who: &Member, uid: String) -> Result<()> {
        let team_id = who.team_id.0.clone();
        self.engine
            .write(move |db| {
                let gone = db.execute(
                    "DELETE FROM invitations WHERE invitation_uid = ?1 AND team_id = ?2",
                    args![&uid, &team_id],
                )?;
                if gone == 0 {
                    return Err(Error::not_found("invitation", &uid).into());
                }
                Ok(())
            })
            .await
    }

    /// Accepts an invitation: makes the person, unless the server knows it from another team, and its key `raw`.
    pub(crate) async fn accept_invitation(
        &self,
        code_hash: String,
        display_name: Option<String>,
        (raw, hash): (String, String),
        now: Timestamp,
    ) -> Result<TeamJoined> {
        self.engine
            .write(move |db| {
                let invited = db.first(
                    "SELECT i.invitation_uid, i.team_id, i.email, i.role, t.name FROM invitations i
                     JOIN teams t ON t.team_id = i.team_id WHERE i.code_hash = ?1 AND i.expires_at > ?2",
                    args![&code_hash, micros(now)],
                    |row| {
                        Ok((
                            row.get::<String>(0)?,
                            row.get::<String>(1)?,
                            row.get::<String>(2)?,
                            row.get::<String>(3)?,
                            row.get::<String>(4)?,
                        ))
                    },
                )?;
                let Some((uid, team_id, email, role, team_name)) = invited else {
                    return Err(refused("code: it is not valid, was used already or has run out"));
                };
                let known: Option<String> = db.first(
                    "SELECT user_id FROM users WHERE lower(email) = lower(?1) AND kind = 'user' ORDER BY created_at LIMIT 1",
                    args![&email],
                    |row| row.get(0),
                )?;
                let user_id = match known {
                    Some(user_id) => user_id,
                    None => {
                        let user_id = short_id();
                        let name = display_name
                            .as_deref()
                            .unwrap_or_else(|| email.split('@').next().unwrap_or(&email));
                        insert_user(db, &user_id, "user", name, Some(&email), now)?;
                        user_id
                    }
                };
                if find_member(db, &team_id, &user_id)?.is_none() {
                    join(db, &team_id, &user_id, &role)?;
                }
                db.execute("DELETE FROM invitations WHERE invitation_uid = ?1", args![&uid])?;
                let key = NewKey { name: "first key", hash: &hash, suffix: &suffix(&raw), expires_at: None };
                insert_key(db, &team_id, &user_id, &user_id, &key, now)?;
                let principal = super::accounts::principal_of(db, &user_id)?
                    .ok_or_else(|| StoreError::Damaged("a user vanished".into()))?;
                Ok(TeamJoined { team_uid: team_id, team_name, principal, raw_api_key: raw.clone() })
            })
            .await
    }

    /// Makes a key: for the caller, or for an agent of its team.
    pub(crate) async fn create_key(
        &self,
        who: Member,
        name: String,
        agent_uid: Option<String>,
        expires_at: Option<Timestamp>,
        (raw, hash): (String, String),
        now: Timestamp,
    ) -> Result<ApiKey> {
        self.engine
            .write(move |db| {
                let owner = match &agent_uid {
                    None => who.principal.clone(),
                    Some(uid) => {
                        find_member(db, &who.team_id.0, uid)?
                            .filter(|m| !m.is_person())
                            .ok_or_else(|| StoreError::Refused(Error::not_found("agent", uid)))?
                            .principal
                    }
                };
                let suffix = suffix(&raw);
                let key = NewKey { name: &name, hash: &hash, suffix: &suffix, expires_at };
                let uid = insert_key(db, &who.team_id.0, &owner.uid, &who.principal.uid, &key, now)?;
                Ok(ApiKey {
                    uid,
                    name: name.clone(),
                    key_suffix: suffix,
                    scope: scope(&owner.kind),
                    owner,
                    created_at: now,
                    last_used_at: None,
                    expires_at,
                })
            })
            .await
    }

    /// The keys that a person may see: its own and those of the team's agents; an admin sees all of the team.
    pub(crate) async fn keys(&self, who: Member) -> Result<Vec<ApiKey>> {
        self.engine
            .read(move |db| {
                db.rows(
                    "SELECT u.user_id, u.kind, u.display_name, u.email, k.key_uid, k.name, k.suffix, k.created_at,
                       k.last_used_at, k.expires_at
                     FROM api_keys k JOIN users u ON u.user_id = k.user_id
                     WHERE k.team_id = ?1 AND (u.kind <> 'user' OR k.user_id = ?2 OR ?3 = 1) ORDER BY k.name, k.key_uid",
                    args![&who.team_id.0, &who.principal.uid, i64::from(who.admin)],
                    |row| {
                        let owner = principal(row, 0)?;
                        Ok(ApiKey {
                            uid: row.get(4)?,
                            name: row.get(5)?,
                            key_suffix: row.get(6)?,
                            scope: scope(&owner.kind),
                            owner,
                            created_at: timestamp(row.get(7)?)?,
                            last_used_at: row.get::<Option<i64>>(8)?.map(timestamp).transpose()?,
                            expires_at: row.get::<Option<i64>>(9)?.map(timestamp).transpose()?,
                        })
                    },
                )
            })
            .await
    }

    /// Deletes a key that [`keys`](Self::keys) would show.
    pub(crate) async fn delete_key(&self, who: Member, uid: String) -> Result<()> {
        self.engine
            .write(move |db| {
                let gone = db.execute(
                    "DELETE FROM api_keys WHERE key_uid = ?1 AND team_id = ?2 AND (user_id = ?3 OR ?4 = 1 OR user_id IN
                       (SELECT user_id FROM users WHERE kind <> 'user'))",
                    args![&uid, &who.team_id.0, &who.principal.uid, i64::from(who.admin)],
                )?;
                if gone == 0 {
                    return Err(Error::not_found("API key", &uid).into());
                }
                Ok(())
            })
            .await
    }
}

fn scope(kind: &PrincipalType) -> KeyScope {
    if *kind == PrincipalType::User { KeyScope::Personal } else { KeyScope::Team }
}
