//! Queues: the runs that wait for the same workers, oldest first.

use super::{Db, Result, Store, args, executions::HAS_AGENT, id, json, to_json};
use oz_core::{RunId, TeamId, config::AgentConfig};
use std::collections::{BTreeMap, HashMap};

/// How far from its head a place in a queue is counted.
const COUNTED: i64 = 1000;

/// What all runs of one queue want.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Queue {
    /// Empty for the control plane's own workers.
    pub(crate) host: String,
    pub(crate) team_id: TeamId,
    /// The labels that the worker must have.
    pub(crate) labels: BTreeMap<String, String>,
}

/// A run that waits for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) run_no: i64,
    pub(crate) queued_at: i64,
    pub(crate) queue: Queue,
}

/// The queue of a run, and its place there, counted from 1, unless it is far behind.
pub(crate) type Place = (Queue, Option<u32>);

/// The labels that a run asks for, as its row has them.
pub(super) fn labels_of(config: &AgentConfig) -> Result<String> {
    if config.worker_labels.is_empty() { Ok(String::new()) } else { to_json(&config.worker_labels) }
}

impl Queue {
    fn of(host: String, team_id: String, labels: &str) -> Result<Self> {
        let labels = if labels.is_empty() { BTreeMap::new() } else { json(labels)? };
        Ok(Self { host, team_id: TeamId(team_id), labels })
    }

    fn labels(&self) -> Result<String> {
        if self.labels.is_empty() { Ok(String::new()) } else { to_json(&self.labels) }
    }
}

impl Store {
    /// The queues that have something in them. Costs a look-up per queue, however long the queues are.
    pub(crate) async fn queues(&self) -> Result<Vec<Queue>> {
        self.engine
            .read(|db| {
                let mut queues: Vec<Queue> = Vec::new();
                let mut last = (String::new(), String::new(), String::new());
                loop {
                    let next = db.first(
                        "SELECT host, team_id, worker_labels FROM runs
                         WHERE state = 'QUEUED' AND (host, team_id, worker_labels) > (?1, ?2, ?3)
                         ORDER BY host, team_id, worker_labels LIMIT 1",
                        args![&last.0, &last.1, &last.2],
                        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                    )?;
                    let Some(next) = next else { return Ok(queues) };
                    last = next;
                    queues.push(Queue::of(last.0.clone(), last.1.clone(), &last.2)?);
                }
            })
            .await
    }

    /// The first runs of some queues, oldest first, at most `limit` of each.
    pub(crate) async fn waiting(&self, queues: Vec<Queue>, limit: usize) -> Result<Vec<Waiting>> {
        self.engine
            .read(move |db| {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let mut waiting = Vec::new();
                for queue in &queues {
                    waiting.extend(db.rows(
                        "SELECT run_no, queued_at FROM runs
                         WHERE state = 'QUEUED' AND host = ?1 AND team_id = ?2 AND worker_labels = ?3
                         ORDER BY queued_at, run_no LIMIT ?4",
                        args![&queue.host, &queue.team_id.0, queue.labels()?, limit],
                        |row| {
                            Ok(Waiting { run_no: row.get(0)?, queued_at: row.get(1)?, queue: queue.clone() })
                        },
                    )?);
                }
                waiting.sort_by_key(|w| (w.queued_at, w.run_no));
                Ok(waiting)
            })
            .await
    }

    /// Where those of these runs that wait for a worker stand.
    pub(crate) async fn places(&self, runs: Vec<RunId>) -> Result<HashMap<RunId, Place>> {
        self.engine
            .read(move |db| {
                let mut queues: BTreeMap<Queue, Vec<RunId>> = BTreeMap::new();
                for run_id in &runs {
                    let queue = db.first(
                        "SELECT host, team_id, worker_labels FROM runs WHERE run_id = ?1 AND state = 'QUEUED'",
                        args![run_id.to_string()],
                        |row| Queue::of(row.get(0)?, row.get(1)?, row.get(2)?),
                    )?;
                    if let Some(queue) = queue {
                        queues.entry(queue).or_default().push(*run_id);
                    }
                }
                let mut places = HashMap::new();
                for (queue, runs) in queues {
                    let ahead = head(db, &queue)?;
                    let place = |run_id: &RunId| {
                        let at = ahead.iter().position(|other| other == run_id)?;
                        u32::try_from(at + 1).ok()
                    };
                    places.extend(runs.into_iter().map(|run_id| (run_id, (queue.clone(), place(&run_id)))));
                }
                Ok(places)
            })
            .await
    }

    /// How many runs of each team the control plane's own workers have now.
    pub(crate) async fn under_way(&self) -> Result<HashMap<TeamId, usize>> {
        self.engine
            .read(|db| {
                let counts = db.rows(
                    &format!(
                        "SELECT r.team_id, COUNT(*) FROM runs r WHERE {HAS_AGENT} AND r.host = '' GROUP BY r.team_id"
                    ),
                    args![],
                    |row| Ok((TeamId(row.get(0)?), usize::try_from(row.get::<i64>(1)?).unwrap_or(0))),
                )?;
                Ok(counts.into_iter().collect())
            })
            .await
    }
}

/// The first runs of a queue.
fn head(db: &Db<'_>, queue: &Queue) -> Result<Vec<RunId>> {
    db.rows(
        "SELECT run_id FROM runs WHERE state = 'QUEUED' AND host = ?1 AND team_id = ?2 AND worker_labels = ?3
         ORDER BY queued_at, run_no LIMIT ?4",
        args![&queue.host, &queue.team_id.0, queue.labels()?, COUNTED],
        |row| id(row.get(0)?),
    )
}
