//! Conversations: what was said in the runs that share an id, and in the conversation that it was forked from.

use super::{
    Db, Result, Store, StoreError,
    accounts::{Caller, Member, find_member},
    args,
    executions::HAS_AGENT,
    id, log, micros, resume, runs,
};
use oz_core::{
    ConversationId, Error, ExecutionId, RunId, Timestamp, conversation::Conversation,
    transcript::TranscriptEntry,
};

/// How many forks of forks are followed.
const MAX_FORKS: usize = 32;

struct Fork {
    from: Option<ConversationId>,
    at: i64,
}

/// The row of a forked or renamed conversation that `caller` may see.
fn fork(db: &Db<'_>, caller: &Caller, conversation: ConversationId) -> Result<Option<Fork>> {
    let Caller::Key(member) = caller else { return Ok(None) };
    db.first(
        "SELECT forked_from, forked_at FROM conversations
         WHERE conversation_id = ?1 AND team_id = ?2 AND (personal = 0 OR owner_id = ?3)",
        args![conversation.to_string(), &member.team_id.0, &member.principal.uid],
        |row| Ok(Fork { from: row.get::<Option<&str>>(0)?.map(id).transpose()?, at: row.get(1)? }),
    )
}

/// Checks that `caller` may go on with a conversation.
pub(super) fn require(db: &Db<'_>, caller: &Caller, conversation: ConversationId) -> Result<()> {
    let known = runs::find_conversation(db, caller, conversation)?.is_some()
        || fork(db, caller, conversation)?.is_some();
    if known { Ok(()) } else { Err(Error::not_found("conversation", conversation).into()) }
}

fn said(
    db: &Db<'_>,
    conversation: ConversationId,
    until: i64,
    entries: &mut Vec<TranscriptEntry>,
) -> Result<()> {
    let runs = db.rows(
        "SELECT run_no, run_id FROM runs WHERE conversation_id = ?1 ORDER BY run_no",
        args![conversation.to_string()],
        |row| Ok((row.get::<i64>(0)?, id::<RunId>(row.get(1)?)?)),
    )?;
    for (run_no, run_id) in runs {
        entries.extend(log::transcript(db, run_no, run_id, 0, until, i64::MAX)?);
    }
    Ok(())
}

impl Store {
    /// A conversation that `caller` may see.
    pub(crate) async fn conversation(
        &self,
        caller: Caller,
        conversation: ConversationId,
    ) -> Result<Conversation> {
        self.engine
            .read_long(move |db| {
                require(db, &caller, conversation)?;
                // From the conversation back to where its forks began.
                let mut chain = vec![(conversation, i64::MAX)];
                while let Some((last, _)) = chain.last().copied()
                    && chain.len() < MAX_FORKS
                    && let Some(Fork { from: Some(from), at }) = fork(db, &caller, last)?
                {
                    chain.push((from, at));
                }
                let mut entries = Vec::new();
                for (part, until) in chain.into_iter().rev() {
                    said(db, part, until, &mut entries)?;
                }
                Ok(Conversation::from_transcript(conversation, &entries))
            })
            .await
    }

    /// Checks that `caller` may see a conversation, and go on with it.
    pub(crate) async fn require_conversation(
        &self,
        caller: Caller,
        conversation: ConversationId,
    ) -> Result<()> {
        self.engine.read(move |db| require(db, &caller, conversation)).await
    }

    /// Makes a conversation that begins as a copy of another. `saved` is the original's raw transcript and the file that
    /// holds a copy of its bytes.
    pub(crate) async fn fork_conversation(
        &self,
        who: Member,
        conversation: ConversationId,
        title: Option<String>,
        saved: Option<(String, String)>,
        now: Timestamp,
    ) -> Result<ConversationId> {
        self.engine
            .write(move |db| {
                let caller = Caller::Key(who.clone());
                require(db, &caller, conversation)?;
                let last: i64 =
                    db.one("SELECT COALESCE(MAX(sequence), 0) FROM log", args![], |row| row.get(0))?;
                let personal: i64 = db.one(
                    "SELECT COALESCE(MAX(personal), 0) FROM runs WHERE conversation_id = ?1",
                    args![conversation.to_string()],
                    |row| row.get(0),
                )?;
                let forked = ConversationId::mint(now);
                db.execute(
                    "INSERT INTO conversations (conversation_id, team_id, owner_id, personal, title, forked_from, forked_at,
                       created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    args![
                        forked.to_string(),
                        &who.team_id.0,
                        &who.principal.uid,
                        personal,
                        title.as_deref(),
                        conversation.to_string(),
                        last,
                        micros(now)
                    ],
                )?;
                if let Some((file_id, copy)) = &saved {
                    resume::copy(db, file_id, copy, forked, now)?;
                }
                Ok(forked)
            })
            .await
    }

    /// Renames a conversation, and the runs in it.
    pub(crate) async fn rename_conversation(
        &self,
        who: Member,
        conversation: ConversationId,
        title: String,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                require(db, &Caller::Key(who.clone()), conversation)?;
                db.execute(
                    "UPDATE runs SET title = ?2, updated_at = ?3 WHERE conversation_id = ?1",
                    args![conversation.to_string(), &title, micros(now)],
                )?;
                db.execute(
                    "UPDATE conversations SET title = ?2 WHERE conversation_id = ?1",
                    args![conversation.to_string(), &title],
                )?;
                Ok(())
            })
            .await
    }

    /// The conversation of the session with this id, once the session is over and something was said in it.
    pub(crate) async fn conversation_of_session(
        &self,
        session: uuid::Uuid,
    ) -> Result<Option<ConversationId>> {
        self.engine
            .read(move |db| {
                db.first(
                    "SELECT r.conversation_id FROM executions e JOIN runs r ON r.run_no = e.run_no
                     WHERE e.execution_id = ?1 AND e.ended_at IS NOT NULL
                     AND EXISTS (SELECT 1 FROM log l WHERE l.run_no = r.run_no AND l.payload IS NOT NULL)",
                    args![session.to_string()],
                    |row| id(row.get(0)?),
                )
            })
            .await
    }

    /// The live session of a conversation.
    pub(crate) async fn session_of_conversation(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<ExecutionId>> {
        self.engine
            .read(move |db| {
                db.first(
                    &format!(
                        "SELECT r.execution_id FROM runs r WHERE r.conversation_id = ?1 AND {HAS_AGENT}
                         AND r.state <> 'PENDING' ORDER BY r.run_no DESC LIMIT 1"
                    ),
                    args![conversation.to_string()],
                    |row| id(row.get(0)?),
                )
            })
            .await
    }

    /// In whose name a run may start runs: who asked for it, and the agent that it executes as.
    pub(crate) async fn member_of_run(&self, run_no: i64) -> Result<(Member, Option<String>)> {
        self.engine
            .read(move |db| {
                let (team_id, creator, executor) = db.one(
                    "SELECT team_id, creator_id, executor_id FROM runs WHERE run_no = ?1",
                    args![run_no],
                    |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)),
                )?;
                let member = find_member(db, &team_id, &creator)?.ok_or_else(|| {
                    let text = "who asked for this run is not in the team any more";
                    StoreError::Refused(Error::new(oz_core::ErrorCode::NotAuthorized, text))
                })?;
                let agent = (executor != creator).then_some(executor);
                Ok((member, agent))
            })
            .await
    }

    /// Records something that happened while a run was prepared; the same report twice is one.
    pub(crate) async fn client_event(
        &self,
        caller: Caller,
        event: oz_core::api::ReportClientEvent,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                let run = runs::find_run(db, &caller, event.run_id)?;
                let payload = event.payload.as_ref().map(super::to_json).transpose()?;
                if payload.as_ref().is_some_and(|p| p.len() > 16_384) {
                    return Err(StoreError::Refused(Error::invalid(
                        "payload: at most 16384 bytes are allowed",
                    )));
                }
                db.execute(
                    "INSERT INTO client_events (event_uuid, run_no, event_name, occurred_at, payload)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event_uuid) DO NOTHING",
                    args![
                        event.event_uuid.to_string(),
                        run.run_no,
                        &event.event_name,
                        micros(event.timestamp),
                        payload
                    ],
                )?;
                Ok(())
            })
            .await
    }
}
