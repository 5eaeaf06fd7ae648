//! The conversations of harnesses as they keep them: which one a run goes on with, and what is new since it was saved.

use super::{
    Db, Result, Store,
    accounts::Workload,
    args,
    engine::Row,
    files::{self, NewFile, Place, Purpose, StoredFile},
    id, timestamp,
};
use oz_core::{ConversationId, RunId, Timestamp};

/// A saved conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) file: StoredFile,
    /// The run that saved it.
    pub(crate) run_id: RunId,
    run_no: i64,
    pub(crate) format: String,
    pub(crate) session_id: String,
}

/// What a harness is told that takes up a saved conversation.
pub(crate) struct Resumption {
    pub(crate) saved: Saved,
    pub(crate) prompt: String,
}

/// What an interrupted agent is told when nothing is new.
const INTERRUPTED: &str = "You were interrupted. Look at what is done already, and go on where you stopped.";

const SELECT: &str =
    "SELECT f.file_id, f.filename, f.mime_type, f.size_bytes, f.created_at, o.run_id, o.run_no, f.format,
   f.session_id FROM files f JOIN runs o ON o.run_no = f.run_no";

fn saved(row: &Row<'_>) -> Result<Saved> {
    Ok(Saved {
        file: StoredFile {
            file_id: row.get(0)?,
            filename: row.get(1)?,
            mime_type: row.get(2)?,
            size_bytes: row.get(3)?,
            created_at: timestamp(row.get(4)?)?,
        },
        run_id: id(row.get(5)?)?,
        run_no: row.get(6)?,
        format: row.get(7)?,
        session_id: row.get::<Option<String>>(8)?.unwrap_or_default(),
    })
}

/// The conversation that a run goes on with: its own, or the latest of a run before it.
fn find(db: &Db<'_>, run_no: i64) -> Result<Option<Saved>> {
    db.first(
        &format!(
            "{SELECT} JOIN runs r ON r.conversation_id = f.conversation_id
             WHERE r.run_no = ?1 AND f.run_no <= ?1 AND f.purpose = 'transcript' AND f.format IS NOT NULL
             AND f.size_bytes IS NOT NULL
             ORDER BY CASE WHEN f.run_no = ?1 THEN 0 ELSE 1 END, f.created_at DESC, f.file_id DESC LIMIT 1"
        ),
        args![run_no],
        saved,
    )
}

/// What was asked since a conversation was saved. A follow-up that came at the very time is told once more rather than
/// not at all.
fn news(db: &Db<'_>, run_no: i64, saved: &Saved) -> Result<String> {
    let mut said: Vec<String> = db.rows(
        "SELECT i.prompt FROM runs r JOIN runs o ON o.conversation_id = r.conversation_id
         JOIN run_inputs i ON i.run_no = o.run_no
         WHERE r.run_no = ?1 AND o.run_no > ?2 AND o.run_no <= ?1 ORDER BY o.run_no",
        args![run_no, saved.run_no],
        |row| row.get(0),
    )?;
    // Of another run's conversation nothing of this run is known.
    let since = if saved.run_no == run_no { super::micros(saved.file.created_at) } else { 0 };
    said.extend(db.rows(
        "SELECT message FROM followups WHERE run_no = ?1 AND received_at >= ?2 ORDER BY created_at, followup_id",
        args![run_no, since],
        |row| row.get::<String>(0),
    )?);
    said.retain(|text| !text.trim().is_empty());
    Ok(if said.is_empty() { INTERRUPTED.to_owned() } else { said.join("\n\n") })
}

/// Forgets what a raw transcript that has arrived replaces. Answers with the files whose bytes nobody needs any more.
pub(super) fn replaced(db: &Db<'_>, file_id: &str) -> Result<Vec<String>> {
    let older = db.rows(
        "SELECT o.file_id FROM files f JOIN files o ON o.run_no = f.run_no AND o.purpose = f.purpose
           AND o.conversation_id = f.conversation_id AND o.created_at < f.created_at
         WHERE f.file_id = ?1 AND f.purpose = 'transcript'",
        args![file_id],
        |row| row.get::<String>(0),
    )?;
    for file_id in &older {
        db.execute("DELETE FROM files WHERE file_id = ?1", args![file_id])?;
    }
    Ok(older)
}

/// Gives a forked conversation a copy of what was saved of the original, whose bytes are stored as `copy`.
pub(super) fn copy(
    db: &Db<'_>,
    file_id: &str,
    copy: &str,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<()> {
    db.execute(
        "INSERT INTO files (file_id, purpose, team_id, run_no, conversation_id, filename, mime_type, size_bytes, created_at,
           format, session_id)
         SELECT ?2, purpose, team_id, run_no, ?3, filename, mime_type, size_bytes, ?4, format, session_id
         FROM files WHERE file_id = ?1",
        args![file_id, copy, conversation.to_string(), super::micros(now)],
    )?;
    Ok(())
}

impl Store {
    /// What the agent of a run may go on with, and what it is told then.
    pub(crate) async fn resumption(&self, run_no: i64) -> Result<Option<Resumption>> {
        self.engine
            .read(move |db| {
                let Some(saved) = find(db, run_no)? else { return Ok(None) };
                let prompt = news(db, run_no, &saved)?;
                Ok(Some(Resumption { saved, prompt }))
            })
            .await
    }

    /// The raw transcript of a run: what its harness saved last, in whatever format.
    pub(crate) async fn raw_transcript(&self, run_no: i64) -> Result<Option<StoredFile>> {
        self.engine
            .read(move |db| {
                // A fork's copy is not the run's own.
                let own = "f.size_bytes IS NOT NULL
                   AND f.conversation_id = (SELECT r.conversation_id FROM runs r WHERE r.run_no = f.run_no)";
                let files = files::of_run(db, run_no, Purpose::Transcript, own)?;
                Ok(files.into_iter().next_back())
            })
            .await
    }

    /// Lists the raw transcript of the caller's run in a format, whose bytes are to come.
    pub(crate) async fn expect_session(
        &self,
        who: Workload,
        conversation: ConversationId,
        file: NewFile,
        (format, session_id): (String, Option<String>),
        now: Timestamp,
    ) -> Result<NewFile> {
        self.engine
            .write(move |db| {
                files::require_own(db, &who, conversation)?;
                let place = Place {
                    run_no: Some(who.run_no),
                    conversation_id: Some(conversation.to_string()),
                    execution_id: Some(who.execution_id.to_string()),
                    ..Place::default()
                };
                files::insert(db, Purpose::Transcript, &who.team_id.0, &place, &file, now)?;
                db.execute(
                    "UPDATE files SET format = ?2, session_id = ?3 WHERE file_id = ?1",
                    args![&file.file_id, &format, session_id.as_deref()],
                )?;
                Ok(file.clone())
            })
            .await
    }
}
