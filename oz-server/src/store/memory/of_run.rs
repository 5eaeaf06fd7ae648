//! What a run's agent reads and writes in the memory stores that its run may use. Which those are was settled when the run
//! was made.

use super::{Written, add, change, rank::rank};
use crate::store::{Db, Result, Store, accounts::Workload, args, json, runs::require_current, timestamp};
use oz_core::{
    Error, ErrorCode, Timestamp,
    api::{MemoryMatch, MemoryWritten, SearchOwnMemories, WriteOwnMemory},
    config::{AgentConfig, MemoryAccess, MemoryStoreRef},
};

/// How much of a store is looked at, in characters; its newest memories count.
const MOST: i64 = 8 << 20;
/// How much an answer may hold, in bytes.
const ANSWER: usize = 256 << 10;

fn stores(db: &Db<'_>, who: &Workload) -> Result<Vec<MemoryStoreRef>> {
    let config: AgentConfig =
        db.one("SELECT config FROM run_inputs WHERE run_no = ?1", args![who.run_no], |row| {
            json(row.get(0)?)
        })?;
    Ok(config.memory_stores)
}

impl Store {
    /// The memories in the stores of the caller's run that fit a query best.
    pub(crate) async fn search_memories(
        &self,
        who: Workload,
        query: SearchOwnMemories,
    ) -> Result<Vec<MemoryMatch>> {
        self.engine
            .read_long(move |db| {
                let mut found = Vec::new();
                for store in stores(db, &who)? {
                    found.extend(newest(db, &who, &store.uid)?);
                }
                let texts: Vec<&str> = found.iter().map(|memory| memory.content.as_str()).collect();
                let best = rank(&query.query, &texts, query.most());
                let mut room = ANSWER;
                let fits = |memory: &&MemoryMatch| {
                    let rest = room.checked_sub(memory.content.len());
                    room = rest.unwrap_or(room);
                    rest.is_some()
                };
                Ok(best.into_iter().filter_map(|i| found.get(i)).filter(fits).cloned().collect())
            })
            .await
    }

    /// Writes into a store of the caller's run. A memory that is not at the version that the agent has seen is left
    /// alone.
    pub(crate) async fn write_own_memory(
        &self,
        who: Workload,
        new: WriteOwnMemory,
        now: Timestamp,
    ) -> Result<MemoryWritten> {
        self.engine
            .write(move |db| {
                require_current(db, who.run_no, who.execution_id)?;
                let uid = new.store_uid.as_str();
                let known = stores(db, &who)?.into_iter().find(|store| store.uid == uid);
                let store = known.ok_or_else(|| Error::not_found("memory store of this run", uid))?;
                if store.access != MemoryAccess::ReadWrite {
                    let text = format!("store_uid: this run may only read the memory store '{uid}'");
                    return Err(Error::new(ErrorCode::NotAuthorized, text).into());
                }
                let run_id = who.run_id.to_string();
                let written = Written {
                    content: &new.content,
                    reason: new.reason.as_deref(),
                    source: "AGENT",
                    source_id: None,
                    run_id: Some(&run_id),
                };
                match &new.memory_id {
                    Some(memory_id) => change(db, uid, memory_id, new.version, &written, now),
                    None => add(db, uid, &written, now),
                }
            })
            .await
    }
}

/// The memories of a store, newest first, as far as they count.
fn newest(db: &Db<'_>, who: &Workload, store_uid: &str) -> Result<Vec<MemoryMatch>> {
    db.rows(
        "SELECT n.memory_uid, n.content, n.version, n.updated_at FROM (
           SELECT m.memory_uid, m.content, m.version, m.updated_at,
             SUM(LENGTH(m.content)) OVER (ORDER BY m.updated_at DESC, m.memory_uid) AS so_far
           FROM memories m JOIN memory_stores s ON s.store_uid = m.store_uid
           WHERE m.store_uid = ?1 AND s.team_id = ?2 AND m.tombstoned_at IS NULL) n
         WHERE n.so_far <= ?3 ORDER BY n.updated_at DESC, n.memory_uid",
        args![store_uid, &who.team_id.0, MOST],
        |row| {
            Ok(MemoryMatch {
                store_uid: store_uid.to_owned(),
                memory_id: row.get(0)?,
                content: row.get(1)?,
                version: row.get(2)?,
                updated_at: timestamp(row.get(3)?)?,
            })
        },
    )
}
