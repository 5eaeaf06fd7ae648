//! Connected workers as others may know them: other servers, and the people of a team.

use oz_core::{
    TeamId,
    api::{ConnectedWorker, WorkerConnection},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A connection, as others may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) worker_host: String,
    /// `None` for the control plane's own worker.
    pub(crate) team_id: Option<TeamId>,
    /// Whether it takes no more runs for now.
    #[serde(default)]
    pub(crate) full: bool,
    #[serde(flatten)]
    pub(crate) connection: WorkerConnection,
}

/// The connected workers of a team, by id. The control plane's own worker is everybody's.
pub(crate) fn of_team(listed: Vec<Listed>, team_id: &TeamId) -> Vec<ConnectedWorker> {
    let mut by_id: BTreeMap<String, Vec<WorkerConnection>> = BTreeMap::new();
    for c in listed.into_iter().filter(|c| c.team_id.as_ref().is_none_or(|t| t == team_id)) {
        by_id.entry(c.worker_host).or_default().push(c.connection);
    }
    by_id.into_iter().filter_map(|(id, connections)| together(id, connections)).collect()
}

/// All connections of one worker id, of which there is at least one.
fn together(worker_host: String, mut connections: Vec<WorkerConnection>) -> Option<ConnectedWorker> {
    connections.sort_by_key(|c| c.connected_at);
    let first = connections.first()?;
    let distinct = |text: fn(&WorkerConnection) -> Option<&String>| -> Vec<String> {
        connections.iter().filter_map(text).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mut labels = first.labels.clone();
    labels.retain(|name, value| connections.iter().all(|c| c.labels.get(name) == Some(value)));
    Some(ConnectedWorker {
        worker_host,
        connection_count: u32::try_from(connections.len()).unwrap_or(u32::MAX),
        connected_at: first.connected_at,
        last_seen_at: connections.iter().map(|c| c.last_seen_at).max()?,
        slots: connections.iter().try_fold(0_u32, |sum, c| Some(sum.saturating_add(c.slots?))),
        active: connections.iter().fold(0, |sum, c| sum.saturating_add(c.active)),
        backends: distinct(|c| c.backend.as_ref()),
        versions: distinct(|c| c.version.as_ref()),
        labels,
        draining: connections.iter().all(|c| c.draining),
        connections,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn connections_of_one_id_are_told_together() {
        let one = |team: Option<&str>, host: &str, at: &str, more: serde_json::Value| -> Listed {
            let mut value =
                json!({ "worker_host": host, "team_id": team, "connected_at": at, "last_seen_at": at });
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            from_value(value).unwrap()
        };
        let (early, late) = ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z");
        let listed = vec![
            one(
                Some("a"),
                "w",
                late,
                json!({ "slots": 2, "active": 1, "backend": "docker", "version": "2",
                "labels": { "gpu": "a100", "zone": "1" }, "draining": true }),
            ),
            one(
                Some("a"),
                "w",
                early,
                json!({ "slots": 4, "active": 2, "backend": "direct", "version": "2",
                "labels": { "gpu": "a100", "zone": "2" } }),
            ),
            one(Some("a"), "old", early, json!({})),
            one(Some("b"), "w", early, json!({ "slots": 9 })),
            one(None, "warp", early, json!({ "slots": 8 })),
        ];
        let workers = of_team(listed, &TeamId::from("a"));
        assert_eq!(workers.iter().map(|w| w.worker_host.as_str()).collect::<Vec<_>>(), ["old", "w", "warp"]);
        assert_eq!((workers[0].slots, workers[0].active, workers[0].connections.len()), (None, 0, 1));
        let w = &workers[1];
        assert_eq!((w.connection_count, w.slots, w.active, w.draining), (2, Some(6), 3, false));
        assert_eq!((w.connected_at.to_string(), w.last_seen_at.to_string()), (early.into(), late.into()));
        assert_eq!((w.backends.join(" "), w.versions.join(" ")), ("direct docker".into(), "2".into()));
        assert_eq!(w.labels, [("gpu".to_owned(), "a100".to_owned())].into());
        assert_eq!(w.connections[0].slots, Some(4), "oldest first");
    }
}
