//! Secrets: what is known of them, their sealed values, and the log of what was done with them.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Member, principal, short_id},
    args,
    engine::{Row, Value},
    id, micros,
    objects::scope,
    timestamp,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use oz_core::{
    Error, Timestamp,
    api::{ListSecretLog, PageInfo, Secret, SecretAction, SecretLog, SecretLogEntry},
    secret::SecretKind,
};

/// A value as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedValue {
    pub(crate) key_id: String,
    /// In base64.
    pub(crate) value: String,
}

/// A secret to be stored.
#[derive(Clone)]
pub(crate) struct NewSecret {
    pub(crate) name: String,
    pub(crate) kind: SecretKind,
    pub(crate) description: Option<String>,
    pub(crate) personal: bool,
    pub(crate) sealed: SealedValue,
}

/// Whose a secret of a member is: the id of its team, or its own.
pub(crate) fn owner(who: &Member, personal: bool) -> &str {
    if personal { &who.principal.uid } else { &who.team_id.0 }
}

const VISIBLE: &str = "team_id = ?1 AND (personal = 0 OR owner_id = ?2)";

fn load(db: &Db<'_>, who: &Member, condition: &str, value: &str) -> Result<Vec<Secret>> {
    db.rows(
        &format!(
            "SELECT c.user_id, c.kind, c.display_name, c.email, e.user_id, e.kind, e.display_name, e.email,
               s.secret_uid, s.name, s.kind, s.description, s.personal, s.team_id, s.owner_id, s.created_at,
               s.updated_at, s.last_used_at
             FROM (SELECT * FROM secrets WHERE {VISIBLE}) s
             JOIN users c ON c.user_id = s.created_by JOIN users e ON e.user_id = s.updated_by
             WHERE {condition} ORDER BY s.name, s.personal"
        ),
        args![&who.team_id.0, &who.principal.uid, value],
        secret,
    )
}

fn secret(row: &Row<'_>) -> Result<Secret> {
    Ok(Secret {
        creator: Some(principal(row, 0)?),
        last_editor: Some(principal(row, 4)?),
        uid: row.get(8)?,
        name: row.get(9)?,
        kind: SecretKind::from(row.get::<&str>(10)?),
        description: row.get(11)?,
        scope: scope(row.get(12)?, row.get(13)?, row.get(14)?),
        created_at: timestamp(row.get(15)?)?,
        updated_at: timestamp(row.get(16)?)?,
        last_used_at: row.get::<Option<i64>>(17)?.map(timestamp).transpose()?,
    })
}

fn find(db: &Db<'_>, who: &Member, uid: &str) -> Result<Secret> {
    load(db, who, "s.secret_uid = ?3", uid)?
        .pop()
        .ok_or_else(|| StoreError::Refused(Error::not_found("secret", uid)))
}

/// Something that was done with a secret, to be written down.
pub(super) struct Deed<'a> {
    pub(super) action: SecretAction,
    pub(super) name: &'a str,
    pub(super) team_id: &'a str,
    /// Whether only `owner_id` may read of it.
    pub(super) personal: bool,
    pub(super) owner_id: &'a str,
    /// `None` where there was no such secret.
    pub(super) secret_uid: Option<&'a str>,
    pub(super) actor_id: &'a str,
    pub(super) run: Option<(i64, &'a str)>,
}

/// Writes down what was done; what one execution does again is not written again.
pub(super) fn log(db: &Db<'_>, deed: &Deed<'_>, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO secret_log (occurred_at, action, name, team_id, personal, owner_id, secret_uid, actor_id, run_no,
           execution_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        args![
            micros(now),
            deed.action.as_str(),
            deed.name,
            deed.team_id,
            deed.personal,
            deed.owner_id,
            deed.secret_uid,
            deed.actor_id,
            deed.run.map(|(run_no, _)| run_no),
            deed.run.map(|(_, execution_id)| execution_id),
        ],
    )?;
    Ok(())
}

/// Writes down what a member did with a secret.
fn log_change(
    db: &Db<'_>,
    who: &Member,
    action: SecretAction,
    secret: &Secret,
    now: Timestamp,
) -> Result<()> {
    let personal = secret.scope.kind.as_str() == "User";
    let deed = Deed {
        action,
        name: &secret.name,
        team_id: &who.team_id.0,
        personal,
        owner_id: owner(who, personal),
        secret_uid: Some(&secret.uid),
        actor_id: &who.principal.uid,
        run: None,
    };
    log(db, &deed, now)
}

/// Forgets the secrets of a person who leaves a team.
pub(super) fn forget_person(db: &Db<'_>, team_id: &str, user_id: &str) -> Result<()> {
    db.execute(
        "DELETE FROM secrets WHERE team_id = ?1 AND owner_id = ?2 AND personal = 1",
        args![team_id, user_id],
    )?;
    Ok(())
}

impl Store {
    /// The secrets that a member may see.
    pub(crate) async fn secrets(&self, who: Member) -> Result<Vec<Secret>> {
        self.engine.read(move |db| load(db, &who, "?3 = ''", "")).await
    }

    /// One secret.
    pub(crate) async fn secret(&self, who: Member, uid: String) -> Result<Secret> {
        self.engine.read(move |db| find(db, &who, &uid)).await
    }

    /// Stores a secret.
    pub(crate) async fn create_secret(&self, who: Member, new: NewSecret, now: Timestamp) -> Result<Secret> {
        self.engine
            .write(move |db| {
                let (uid, owner) = (short_id(), owner(&who, new.personal));
                let stored = db.execute(
                    "INSERT INTO secrets (secret_uid, team_id, personal, owner_id, name, kind, description, key_id,
                       sealed_value, created_by, updated_by, created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?11) ON CONFLICT DO NOTHING",
                    args![
                        &uid,
                        &who.team_id.0,
                        new.personal,
                        owner,
                        &new.name,
                        new.kind.as_str(),
                        new.description.as_deref().filter(|text| !text.is_empty()),
                        &new.sealed.key_id,
                        &new.sealed.value,
                        &who.principal.uid,
                        micros(now),
                    ],
                )?;
                if stored == 0 {
                    let whose = if new.personal { "you have" } else { "the team has" };
                    let text =
                        format!("name: {whose} a secret '{}' already; update that one, or delete it", new.name);
                    return Err(Error::settled(text).into());
                }
                let secret = find(db, &who, &uid)?;
                log_change(db, &who, SecretAction::Created, &secret, now)?;
                Ok(secret)
            })
            .await
    }

    /// Changes the description or the value of a secret; what is absent stays.
    pub(crate) async fn update_secret(
        &self,
        who: Member,
        uid: String,
        description: Option<String>,
        sealed: Option<SealedValue>,
        now: Timestamp,
    ) -> Result<Secret> {
        self.engine
            .write(move |db| {
                let old = find(db, &who, &uid)?;
                if description.is_none() && sealed.is_none() {
                    return Ok(old);
                }
                if let Some(sealed) = &sealed {
                    db.execute(
                        "UPDATE secrets SET key_id = ?2, sealed_value = ?3 WHERE secret_uid = ?1",
                        args![&uid, &sealed.key_id, &sealed.value],
                    )?;
                }
                let description = description.as_ref().or(old.description.as_ref());
                db.execute(
                    "UPDATE secrets SET description = ?2, updated_by = ?3, updated_at = ?4 WHERE secret_uid = ?1",
                    args![
                        &uid,
                        description.filter(|text| !text.is_empty()),
                        &who.principal.uid,
                        micros(now)
                    ],
                )?;
                log_change(db, &who, SecretAction::Updated, &old, now)?;
                find(db, &who, &uid)
            })
            .await
    }

    /// Deletes a secret with its value.
    pub(crate) async fn delete_secret(&self, who: Member, uid: String, now: Timestamp) -> Result<()> {
        self.engine
            .write(move |db| {
                let old = find(db, &who, &uid)?;
                db.execute("DELETE FROM secrets WHERE secret_uid = ?1", args![&uid])?;
                log_change(db, &who, SecretAction::Deleted, &old, now)
            })
            .await
    }

    /// A page of what was done with the secrets that a member may see, newest first.
    pub(crate) async fn secret_log(&self, who: Member, query: ListSecretLog) -> Result<SecretLog> {
        self.engine.read_long(move |db| page(db, &who, &query)).await
    }
}

fn page(db: &Db<'_>, who: &Member, query: &ListSecretLog) -> Result<SecretLog> {
    let wanted = usize::try_from(query.limit.unwrap_or(50)).unwrap_or(50);
    let mut values: Vec<Value<'_>> = vec![(&who.team_id.0).into(), (&who.principal.uid).into()];
    let mut conditions = String::new();
    if let Some(name) = &query.name {
        values.push(name.into());
        conditions += &format!(" AND l.name = ?{}", values.len());
    }
    if let Some(run_id) = query.run_id {
        values.push(run_id.to_string().into());
        conditions += &format!(" AND r.run_id = ?{}", values.len());
    }
    if let Some(text) = &query.cursor {
        values.push(cursor(text)?.into());
        conditions += &format!(" AND l.entry_no < ?{}", values.len());
    }
    values.push(i64::try_from(wanted + 1).unwrap_or(i64::MAX).into());
    let limit = values.len();
    let mut found = db.rows(
        &format!(
            "SELECT u.user_id, u.kind, u.display_name, u.email, l.entry_no, l.occurred_at, l.action, l.name, l.personal,
               l.team_id, l.owner_id, l.secret_uid, r.run_id
             FROM secret_log l JOIN users u ON u.user_id = l.actor_id LEFT JOIN runs r ON r.run_no = l.run_no
             WHERE l.team_id = ?1 AND (l.personal = 0 OR l.owner_id = ?2){conditions}
             ORDER BY l.entry_no DESC LIMIT ?{limit}"
        ),
        &values,
        |row| Ok((row.get::<i64>(4)?, entry(row)?)),
    )?;
    let has_next_page = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor =
        found.last().filter(|_| has_next_page).map(|(no, _)| BASE64_URL_SAFE_NO_PAD.encode(no.to_string()));
    let entries = found.into_iter().map(|(_, entry)| entry).collect();
    Ok(SecretLog { entries, page_info: PageInfo { has_next_page, next_cursor } })
}

fn entry(row: &Row<'_>) -> Result<SecretLogEntry> {
    let was_there = row.get::<Option<&str>>(11)?.is_some();
    let whose = scope(row.get(8)?, row.get(9)?, row.get(10)?);
    Ok(SecretLogEntry {
        actor: Some(principal(row, 0)?),
        at: timestamp(row.get(5)?)?,
        action: SecretAction::from(row.get::<&str>(6)?),
        name: row.get(7)?,
        scope: was_there.then_some(whose),
        run_id: row.get::<Option<&str>>(12)?.map(id).transpose()?,
    })
}

fn cursor(text: &str) -> Result<i64> {
    let number = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    number.ok_or_else(|| {
        StoreError::Refused(Error::invalid_field("cursor", text, "the next_cursor of an earlier page"))
    })
}
