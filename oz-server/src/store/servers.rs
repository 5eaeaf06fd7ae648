//! The servers that share the database: each tells which workers are connected to it.

use super::{Result, Store, args, json, micros, to_json};
use crate::live::listed::Listed;
use oz_core::Timestamp;

/// A server that was not heard of for this long is gone, and its workers with it.
const GONE: i64 = 15 * 1_000_000;

impl Store {
    /// Tells the workers that are connected to this server; forgets servers that are gone.
    pub(crate) async fn tell_workers(
        &self,
        server_id: String,
        workers: Vec<Listed>,
        now: Timestamp,
    ) -> Result<()> {
        self.engine
            .write(move |db| {
                db.execute("DELETE FROM servers WHERE seen_at < ?1", args![micros(now) - GONE])?;
                db.execute(
                    "INSERT INTO servers (server_id, seen_at, workers) VALUES (?1, ?2, ?3)
                     ON CONFLICT (server_id) DO UPDATE SET seen_at = excluded.seen_at, workers = excluded.workers",
                    args![&server_id, micros(now), to_json(&workers)?],
                )?;
                Ok(())
            })
            .await
    }

    /// Takes this server from the list.
    pub(crate) async fn server_leaves(&self, server_id: String) -> Result<()> {
        self.engine
            .write(move |db| {
                db.execute("DELETE FROM servers WHERE server_id = ?1", args![&server_id])?;
                Ok(())
            })
            .await
    }

    /// The workers that are connected to the other servers.
    pub(crate) async fn workers_elsewhere(&self, server_id: String, now: Timestamp) -> Result<Vec<Listed>> {
        self.engine
            .read(move |db| {
                let lists = db.rows(
                    "SELECT workers FROM servers WHERE server_id <> ?1 AND seen_at >= ?2",
                    args![&server_id, micros(now) - GONE],
                    |row| json::<Vec<Listed>>(row.get(0)?),
                )?;
                Ok(lists.into_iter().flatten().collect())
            })
            .await
    }
}
