//! Messages between runs: one row per recipient, and an event for each in the recipient's log.

use super::{
    Db, Result, Store, StoreError, accounts::Caller, args, engine::Row, id, log, micros, runs, timestamp,
};
use oz_core::{
    Error, RunId, RunState, Timestamp,
    api::{ListMessages, Message, MessageHeader, SendMessage},
    event::EventType,
};

const COLUMNS: &str = "m.message_id, m.sender_run_id, m.subject, m.sent_at, m.delivered_at, m.read_at";

fn header(row: &Row<'_>) -> Result<MessageHeader> {
    let time = |i| -> Result<Option<Timestamp>> { row.get::<Option<i64>>(i)?.map(timestamp).transpose() };
    Ok(MessageHeader {
        message_id: row.get(0)?,
        sender_run_id: id(row.get(1)?)?,
        subject: row.get(2)?,
        sent_at: timestamp(row.get(3)?)?,
        delivered_at: time(4)?,
        read_at: time(5)?,
    })
}

/// The run that got a message, if `caller` may act for it.
fn recipient(db: &Db<'_>, caller: &Caller, message_id: &str) -> Result<i64> {
    let missing = || StoreError::Refused(Error::not_found("message", message_id));
    let run: Option<String> = db.first(
        "SELECT r.run_id FROM messages m JOIN runs r ON r.run_no = m.run_no WHERE m.message_id = ?1",
        args![message_id],
        |row| row.get(0),
    )?;
    let run_id: RunId = id(&run.ok_or_else(missing)?)?;
    // A parent sees its children but does not read their mail.
    if let Caller::Run(who) = caller
        && who.run_id != run_id
    {
        return Err(missing());
    }
    Ok(runs::find_run(db, caller, run_id).map_err(|_| missing())?.run_no)
}

impl Store {
    /// Sends a message to every recipient, or to none. Returns the ids in the order of the recipients.
    pub(crate) async fn send_message(
        &self,
        caller: Caller,
        message: SendMessage,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.engine
            .write(move |db| {
                let sender = runs::find_run(db, &caller, message.sender_run_id).map_err(|_| {
                    let text = message.sender_run_id.to_string();
                    StoreError::Refused(Error::invalid_field("sender_run_id", &text, "a run that you can see"))
                })?;
                let mut ids = Vec::with_capacity(message.to.len());
                for to in &message.to {
                    let (run_no, state) = match &caller {
                        Caller::Run(_) => runs::find_relative(db, sender.run_no, *to)?,
                        caller => {
                            let run_no = runs::find_run(db, caller, *to)?.run_no;
                            let state = db.one(
                                "SELECT state FROM runs WHERE run_no = ?1",
                                args![run_no],
                                |row| Ok(RunState::from(row.get::<&str>(0)?)),
                            )?;
                            (run_no, state)
                        }
                    };
                    if state.is_terminal() {
                        let text = format!("to: run '{to}' is {state} and takes no messages");
                        return Err(Error::unsupported(text).into());
                    }
                    let message_id = uuid::Uuid::now_v7().to_string();
                    let sequence =
                        log::append_event(db, run_no, &EventType::NewMessage, Some(&message_id), None, now)?;
                    db.execute(
                        "INSERT INTO messages (message_id, run_no, sender_run_id, subject, body, sequence, sent_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        args![
                            &message_id,
                            run_no,
                            message.sender_run_id.to_string(),
                            &message.subject,
                            &message.body,
                            sequence,
                            micros(now)
                        ],
                    )?;
                    ids.push(message_id);
                }
                Ok(ids)
            })
            .await
    }

    /// The messages that a run got, newest first.
    pub(crate) async fn messages(&self, caller: Caller, query: ListMessages) -> Result<Vec<MessageHeader>> {
        self.engine
            .read(move |db| {
                let run = runs::find_run(db, &caller, query.run_id)?;
                db.rows(
                    &format!(
                        "SELECT {COLUMNS} FROM messages m WHERE m.run_no = ?1 AND m.sent_at >= ?2
                         AND (?3 = 0 OR m.read_at IS NULL) ORDER BY m.sequence DESC LIMIT ?4"
                    ),
                    args![
                        run.run_no,
                        query.since.map_or(i64::MIN, micros),
                        i64::from(query.unread == Some(true)),
                        query.limit.unwrap_or(50)
                    ],
                    header,
                )
            })
            .await
    }

    /// Reads a message and marks it.
    pub(crate) async fn read_message(
        &self,
        caller: Caller,
        message_id: String,
        now: Timestamp,
    ) -> Result<Message> {
        self.engine
            .write(move |db| {
                recipient(db, &caller, &message_id)?;
                db.execute(
                    "UPDATE messages SET read_at = COALESCE(read_at, ?2) WHERE message_id = ?1",
                    args![&message_id, micros(now)],
                )?;
                db.one(
                    &format!("SELECT {COLUMNS}, m.body FROM messages m WHERE m.message_id = ?1"),
                    args![&message_id],
                    |row| Ok(Message { header: header(row)?, body: row.get(6)? }),
                )
            })
            .await
    }

    /// Marks a message as delivered; the first time stands.
    pub(crate) async fn message_delivered(
        &self,
        caller: Caller,
        message_id: String,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                recipient(db, &caller, &message_id)?;
                db.execute(
                    "UPDATE messages SET delivered_at = COALESCE(delivered_at, ?2) WHERE message_id = ?1",
                    args![&message_id, micros(now)],
                )?;
                Ok(())
            })
            .await
    }
}
