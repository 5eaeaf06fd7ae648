//! Leases that several servers share. The database's clock rules; a server writes down together what it heard in the
//! last moment.

use super::{Db, Result, Store, args, executions::HAS_AGENT, id};
use oz_core::ExecutionId;
use std::time::Duration;

/// Now, by the database's clock, in microseconds. Only PostgreSQL has shared leases.
fn clock(db: &Db<'_>) -> Result<i64> {
    db.one("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", args![], |row| {
        row.get(0)
    })
}

/// A lease to be written down: the execution, its run, and how long it holds.
pub(crate) type Renewal = (ExecutionId, i64, Duration);

impl Store {
    /// Prolongs leases; never shortens one.
    pub(crate) async fn renew_leases(&self, renewals: Vec<Renewal>) -> Result<()> {
        self.engine
            .write(move |db| {
                let now = clock(db)?;
                for (execution_id, run_no, length) in &renewals {
                    let until = now + i64::try_from(length.as_micros()).unwrap_or(i64::MAX / 2);
                    db.execute(
                        "INSERT INTO leases (execution_id, run_no, expires_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT (execution_id) DO UPDATE SET expires_at =
                           CASE WHEN leases.expires_at > excluded.expires_at THEN leases.expires_at ELSE excluded.expires_at END",
                        args![execution_id.to_string(), *run_no, until],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// The live executions whose lease has run out. One that has none yet gets one of `length`.
    pub(crate) async fn expired_leases(&self, length: Duration) -> Result<Vec<(ExecutionId, i64)>> {
        let without = self
            .engine
            .read(|db| {
                db.rows(
                    &format!(
                        "SELECT r.execution_id, r.run_no FROM runs r WHERE {HAS_AGENT}
                         AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.execution_id = r.execution_id)"
                    ),
                    args![],
                    |row| Ok((id(row.get(0)?)?, row.get(1)?)),
                )
            })
            .await?;
        if !without.is_empty() {
            self.renew_leases(without.into_iter().map(|(e, n): (ExecutionId, i64)| (e, n, length)).collect())
                .await?;
        }
        self.engine
            .read(|db| {
                let now = clock(db)?;
                db.rows(
                    &format!(
                        "SELECT l.execution_id, l.run_no FROM leases l JOIN runs r ON r.run_no = l.run_no
                         AND r.execution_id = l.execution_id
                         WHERE l.expires_at <= ?1 AND {HAS_AGENT} ORDER BY l.run_no"
                    ),
                    args![now],
                    |row| Ok((id(row.get(0)?)?, row.get(1)?)),
                )
            })
            .await
    }

    /// Forgets the leases of executions that are over.
    pub(crate) async fn forget_leases(&self) -> Result<()> {
        self.engine
            .write(|db| {
                db.execute(
                    &format!(
                        "DELETE FROM leases WHERE NOT EXISTS (SELECT 1 FROM runs r
                         WHERE r.execution_id = leases.execution_id AND {HAS_AGENT})"
                    ),
                    args![],
                )?;
                Ok(())
            })
            .await
    }
}
