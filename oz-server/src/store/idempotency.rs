//! Answers to calls that named themselves with an `Idempotency-Key`, so that a repeated call does nothing twice.

use super::{Result, Store, args, micros};
use oz_core::Timestamp;

/// How long an answer is kept.
const KEPT: i64 = 24 * 3600 * 1_000_000;
/// A call without an answer for this long was lost with its server.
const LOST: i64 = 60 * 1_000_000;

/// What is known of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is new: go on, and say how it ended.
    Nothing,
    /// It was answered.
    Answer { status: u16, body: String },
    /// It is under way.
    UnderWay,
    /// The key belongs to another call.
    Another,
}

impl Store {
    /// Looks a call up and takes note of it when it is new.
    pub(crate) async fn begin_call(
        &self,
        owner: String,
        key: String,
        fingerprint: String,
        now: Timestamp,
    ) -> Result<Known> {
        self.engine
            .write(move |db| {
                let at = micros(now);
                db.execute(
                    "DELETE FROM idempotency WHERE created_at < ?1 OR (status IS NULL AND created_at < ?2)",
                    args![at - KEPT, at - LOST],
                )?;
                let found = db.first(
                    "SELECT fingerprint, status, body FROM idempotency WHERE owner = ?1 AND key = ?2",
                    args![&owner, &key],
                    |row| {
                        Ok((
                            row.get::<String>(0)?,
                            row.get::<Option<i64>>(1)?,
                            row.get::<Option<String>>(2)?,
                        ))
                    },
                )?;
                Ok(match found {
                    Some((print, _, _)) if print != fingerprint => Known::Another,
                    Some((_, Some(status), body)) => Known::Answer {
                        status: u16::try_from(status).unwrap_or(200),
                        body: body.unwrap_or_default(),
                    },
                    Some((_, None, _)) => Known::UnderWay,
                    None => {
                        db.execute(
                            "INSERT INTO idempotency (owner, key, fingerprint, created_at) VALUES (?1, ?2, ?3, ?4)",
                            args![&owner, &key, &fingerprint, at],
                        )?;
                        Known::Nothing
                    }
                })
            })
            .await
    }

    /// Keeps the answer of a call; `None` forgets the call, because it changed nothing.
    pub(crate) async fn end_call(
        &self,
        owner: String,
        key: String,
        answer: Option<(u16, String)>,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                match &answer {
                    Some((status, body)) => db.execute(
                        "UPDATE idempotency SET status = ?3, body = ?4 WHERE owner = ?1 AND key = ?2",
                        args![&owner, &key, i64::from(*status), body],
                    )?,
                    None => db.execute(
                        "DELETE FROM idempotency WHERE owner = ?1 AND key = ?2",
                        args![&owner, &key],
                    )?,
                };
                Ok(())
            })
            .await
    }
}
