//! Files in blob storage, as far as the database knows them: what they are for, and whether their bytes have arrived.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, Workload, short_id},
    args,
    engine::Row,
    micros, runs, timestamp,
};
use oz_core::{ConversationId, Error, RunId, Timestamp};

/// The most files of a run's workspace.
const MAX_SNAPSHOT_FILES: i64 = 100;
/// How long an uploaded workspace waits for its run.
pub(crate) const HANDOFF_VALID: i64 = 24 * 3600;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Attachment,
    Artifact,
    Snapshot,
    Handoff,
    Transcript,
    Blocks,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::Artifact => "artifact",
            Self::Snapshot => "snapshot",
            Self::Handoff => "handoff",
            Self::Transcript => "transcript",
            Self::Blocks => "blocks",
        }
    }
}

/// A file to be listed.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    pub(crate) file_id: String,
    pub(crate) filename: String,
    pub(crate) mime_type: String,
    /// Set when the bytes are stored already.
    pub(crate) size_bytes: Option<i64>,
}

impl NewFile {
    /// A file whose bytes are still to come.
    pub(crate) fn expected(filename: &str, mime_type: &str) -> Self {
        Self {
            file_id: short_id(),
            filename: filename.to_owned(),
            mime_type: mime_type.to_owned(),
            size_bytes: None,
        }
    }
}

/// A listed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFile {
    pub(crate) file_id: String,
    pub(crate) filename: String,
    pub(crate) mime_type: String,
    pub(crate) size_bytes: Option<i64>,
    pub(crate) created_at: Timestamp,
}

const COLUMNS: &str = "f.file_id, f.filename, f.mime_type, f.size_bytes, f.created_at";

fn file(row: &Row<'_>) -> Result<StoredFile> {
    Ok(StoredFile {
        file_id: row.get(0)?,
        filename: row.get(1)?,
        mime_type: row.get(2)?,
        size_bytes: row.get(3)?,
        created_at: timestamp(row.get(4)?)?,
    })
}

/// Where a file belongs.
#[derive(Default, Clone)]
pub(super) struct Place {
    pub(super) run_no: Option<i64>,
    pub(super) conversation_id: Option<String>,
    pub(super) execution_id: Option<String>,
    pub(super) token: Option<String>,
    pub(super) generation: Option<String>,
}

pub(super) fn insert(
    db: &Db<'_>,
    purpose: Purpose,
    team_id: &str,
    place: &Place,
    file: &NewFile,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT INTO files (file_id, purpose, team_id, run_no, conversation_id, execution_id, token, generation, filename,
           mime_type, size_bytes, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        args![
            &file.file_id,
            purpose.as_str(),
            team_id,
            place.run_no,
            place.conversation_id.as_deref(),
            place.execution_id.as_deref(),
            place.token.as_deref(),
            place.generation.as_deref(),
            &file.filename,
            &file.mime_type,
            file.size_bytes,
            micros(now)
        ],
    )?;
    Ok(())
}

/// Lists the files that come with a new run, and gives it the workspace that was uploaded for it.
pub(super) fn give_to_run(
    db: &Db<'_>,
    files: &runs::WithFiles,
    team_id: &str,
    run_no: i64,
    now: Timestamp,
) -> Result<()> {
    for file in &files.attachments {
        let place = Place { run_no: Some(run_no), ..Place::default() };
        insert(db, Purpose::Attachment, team_id, &place, file, now)?;
    }
    let Some(token) = &files.snapshot_token else { return Ok(()) };
    let given = db.execute(
        "UPDATE files SET run_no = ?1 WHERE token = ?2 AND team_id = ?3 AND run_no IS NULL AND created_at > ?4",
        args![run_no, token, team_id, micros(now) - HANDOFF_VALID * 1_000_000],
    )?;
    if given == 0 {
        let text = "a token of handoff/upload-snapshot that was not used and has not run out";
        return Err(Error::invalid_field("initial_snapshot_token", token, text).into());
    }
    Ok(())
}

impl Store {
    /// A file by its id. Checks nothing: for callers that have shown a signature.
    pub(crate) async fn file(&self, file_id: String) -> Result<StoredFile> {
        self.engine.read(move |db| find(db, &file_id)).await
    }

    /// Says that the bytes of a file have arrived. Answers with the files that it replaces.
    pub(crate) async fn file_arrived(
        &self,
        file_id: String,
        size: i64,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.engine
            .write(move |db| {
                db.execute("UPDATE files SET size_bytes = ?2 WHERE file_id = ?1", args![&file_id, size])?;
                super::artifacts::arrived(db, &file_id, size, now)?;
                super::resume::replaced(db, &file_id)
            })
            .await
    }

    /// Lists attachments of a run whose bytes are to come.
    pub(crate) async fn expect_attachments(
        &self,
        caller: Caller,
        run_id: RunId,
        files: Vec<NewFile>,
        now: Timestamp,
    ) -> Result<Vec<NewFile>> {
        self.engine
            .write(move |db| {
                let run = runs::find_run(db, &caller, run_id)?;
                let team_id: String =
                    db.one("SELECT team_id FROM runs WHERE run_no = ?1", args![run.run_no], |row| {
                        row.get(0)
                    })?;
                let place = Place { run_no: Some(run.run_no), ..Place::default() };
                files.iter().try_for_each(|f| insert(db, Purpose::Attachment, &team_id, &place, f, now))?;
                Ok(files.clone())
            })
            .await
    }

    /// The attachments of a run whose bytes are there; all, or those with the given ids.
    pub(crate) async fn attachments(
        &self,
        run_no: i64,
        only: Option<Vec<String>>,
    ) -> Result<Vec<StoredFile>> {
        self.engine
            .read(move |db| {
                let mut files = of_run(db, run_no, Purpose::Attachment, "f.size_bytes IS NOT NULL")?;
                if let Some(only) = &only {
                    if let Some(missing) = only.iter().find(|id| files.iter().all(|f| f.file_id != **id)) {
                        return Err(Error::not_found("attachment", missing).into());
                    }
                    files.retain(|f| only.contains(&f.file_id));
                }
                Ok(files)
            })
            .await
    }

    /// Lists the files of a workspace whose run is yet to be made, under `token`.
    pub(crate) async fn expect_handoff(
        &self,
        team_id: String,
        token: String,
        files: Vec<NewFile>,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                let place = Place { token: Some(token.clone()), ..Place::default() };
                files.iter().try_for_each(|f| insert(db, Purpose::Handoff, &team_id, &place, f, now))
            })
            .await
    }

    /// The workspace that a run left behind: of its latest execution that ended, or what it was given.
    pub(crate) async fn handoff(&self, run_no: i64) -> Result<Vec<StoredFile>> {
        self.engine
            .read(move |db| {
                let left = of_run(
                    db,
                    run_no,
                    Purpose::Snapshot,
                    "f.size_bytes IS NOT NULL AND f.execution_id = (SELECT e.execution_id FROM executions e WHERE e.run_no = f.run_no
                     AND e.ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM files g WHERE g.execution_id = e.execution_id
                       AND g.purpose = 'snapshot' AND g.size_bytes IS NOT NULL) ORDER BY e.attempt DESC LIMIT 1)",
                )?;
                if left.is_empty() {
                    return of_run(db, run_no, Purpose::Handoff, "f.size_bytes IS NOT NULL");
                }
                Ok(left)
            })
            .await
    }

    /// Lists files of a run's workspace whose bytes are to come.
    pub(crate) async fn expect_snapshot(
        &self,
        who: Workload,
        generation: Option<String>,
        files: Vec<NewFile>,
        now: Timestamp,
    ) -> Result<Vec<NewFile>> {
        self.engine
            .write(move |db| {
                let known: i64 = db.one(
                    "SELECT COUNT(*) FROM files WHERE run_no = ?1 AND purpose = 'snapshot' AND execution_id = ?2",
                    args![who.run_no, who.execution_id.to_string()],
                    |row| row.get(0),
                )?;
                let count = known + i64::try_from(files.len()).unwrap_or(i64::MAX);
                if count > MAX_SNAPSHOT_FILES {
                    let text = format!("at most {MAX_SNAPSHOT_FILES} files of a run's workspace");
                    return Err(Error::invalid_field("files", &count.to_string(), &text).into());
                }
                let place = Place {
                    run_no: Some(who.run_no),
                    execution_id: Some(who.execution_id.to_string()),
                    generation: generation.clone(),
                    ..Place::default()
                };
                files.iter().try_for_each(|f| insert(db, Purpose::Snapshot, &who.team_id.0, &place, f, now))?;
                Ok(files.clone())
            })
            .await
    }

    /// Declares a checkpoint complete: exactly these files must have arrived. Checkpoints before it are forgotten.
    pub(crate) async fn commit_snapshot(
        &self,
        who: Workload,
        generation: String,
        names: Vec<String>,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                let mut there: Vec<String> = db.rows(
                    "SELECT filename FROM files WHERE run_no = ?1 AND execution_id = ?2 AND generation = ?3
                     AND size_bytes IS NOT NULL ORDER BY filename",
                    args![who.run_no, who.execution_id.to_string(), &generation],
                    |row| row.get(0),
                )?;
                let mut wanted = names.clone();
                wanted.sort();
                wanted.dedup();
                there.dedup();
                if there != wanted {
                    let text = format!("files: uploaded are [{}]", there.join(", "));
                    return Err(Error::settled(text).into());
                }
                db.execute(
                    "DELETE FROM files WHERE run_no = ?1 AND execution_id = ?2 AND purpose = 'snapshot'
                     AND (generation IS NULL OR generation <> ?3)",
                    args![who.run_no, who.execution_id.to_string(), &generation],
                )?;
                Ok(())
            })
            .await
    }

    /// Lists the raw transcript or the blocks of a conversation, whose bytes are to come.
    pub(crate) async fn expect_of_conversation(
        &self,
        who: Workload,
        purpose: Purpose,
        conversation: ConversationId,
        file: NewFile,
        now: Timestamp,
    ) -> Result<NewFile> {
        self.engine
            .write(move |db| {
                require_own(db, &who, conversation)?;
                let place = Place {
                    run_no: Some(who.run_no),
                    conversation_id: Some(conversation.to_string()),
                    execution_id: Some(who.execution_id.to_string()),
                    ..Place::default()
                };
                insert(db, purpose, &who.team_id.0, &place, &file, now)?;
                Ok(file.clone())
            })
            .await
    }

    /// The latest raw transcript or blocks of a conversation that have arrived.
    pub(crate) async fn of_conversation(
        &self,
        purpose: Purpose,
        conversation: ConversationId,
    ) -> Result<Option<StoredFile>> {
        self.engine
            .read(move |db| {
                db.first(
                    &format!(
                        "SELECT {COLUMNS} FROM files f WHERE f.conversation_id = ?1 AND f.purpose = ?2
                         AND f.size_bytes IS NOT NULL ORDER BY f.created_at DESC, f.file_id DESC LIMIT 1"
                    ),
                    args![conversation.to_string(), purpose.as_str()],
                    file,
                )
            })
            .await
    }
}

/// A file by its id.
pub(super) fn find(db: &Db<'_>, file_id: &str) -> Result<StoredFile> {
    db.first(&format!("SELECT {COLUMNS} FROM files f WHERE f.file_id = ?1"), args![file_id], file)?
        .ok_or_else(|| StoreError::Refused(Error::not_found("file", file_id)))
}

/// Checks that a conversation is that of the caller's run.
pub(super) fn require_own(db: &Db<'_>, who: &Workload, conversation: ConversationId) -> Result<()> {
    let own = db.first(
        "SELECT 1 FROM runs WHERE run_no = ?1 AND conversation_id = ?2",
        args![who.run_no, conversation.to_string()],
        |_| Ok(()),
    )?;
    own.ok_or_else(|| StoreError::Refused(Error::not_found("conversation", conversation)))
}

pub(super) fn of_run(db: &Db<'_>, run_no: i64, purpose: Purpose, condition: &str) -> Result<Vec<StoredFile>> {
    db.rows(
        &format!(
            "SELECT {COLUMNS} FROM files f WHERE f.run_no = ?1 AND f.purpose = ?2 AND {condition}
             ORDER BY f.created_at, f.file_id"
        ),
        args![run_no, purpose.as_str()],
        file,
    )
}
