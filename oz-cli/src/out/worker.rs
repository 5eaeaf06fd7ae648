//! Connected workers as people read them.

use super::table::{Listing, joined, time};
use oz_core::api::ConnectedWorker;

/// A list of workers.
pub(crate) const LIST: Listing<ConnectedWorker, 8> = Listing {
    header: ["WORKER", "STATE", "RUNS", "CONNECTIONS", "BACKEND", "LABELS", "VERSION", "LAST SEEN"],
    whole: 1,
    row,
    none: "No workers are connected. Start one with `oz worker --worker-id NAME`.",
};

fn row(worker: &ConnectedWorker) -> [String; 8] {
    let runs = match worker.slots {
        Some(slots) => format!("{} of {slots}", worker.active),
        None => worker.active.to_string(),
    };
    let draining = worker.connections.iter().filter(|c| c.draining).count();
    let state = match draining {
        _ if worker.draining => "draining".to_owned(),
        0 if worker.slots.is_some_and(|slots| worker.active >= slots) => "full".to_owned(),
        0 => "ready".to_owned(),
        n => format!("ready, {n} draining"),
    };
    let labels: Vec<String> = worker.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        worker.worker_host.clone(),
        state,
        runs,
        worker.connection_count.to_string(),
        joined(worker.backends.iter().map(String::as_str)),
        joined(labels.iter().map(String::as_str)),
        joined(worker.versions.iter().map(String::as_str)),
        time(worker.last_seen_at),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    #[test]
    fn workers_are_a_table() {
        let at = "2026-03-02T08:00:00Z";
        let worker = |host: &str, more: serde_json::Value| -> ConnectedWorker {
            let mut value =
                json!({ "worker_host": host, "connection_count": 1, "connected_at": at, "last_seen_at": at });
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            from_value(value).unwrap()
        };
        let connection = |draining| json!({ "connected_at": at, "last_seen_at": at, "draining": draining });
        let workers = [
            worker("older", json!({})),
            worker(
                "gpu-1",
                json!({ "connection_count": 2, "slots": 4, "active": 4, "backends": ["direct", "docker"],
                "versions": ["0.1.0"], "labels": { "gpu": "a100", "zone": "1" },
                "connections": [connection(false), connection(false)] }),
            ),
            worker(
                "leaving",
                json!({ "slots": 2, "active": 1, "draining": true, "connections": [connection(true)] }),
            ),
            worker(
                "half",
                json!({ "slots": 2, "active": 1, "connections": [connection(true), connection(false)] }),
            ),
        ];
        insta::assert_snapshot!(LIST.text(&workers, Format::Text), @"
        WORKER	STATE	RUNS	CONNECTIONS	BACKEND	LABELS	VERSION	LAST SEEN
        older	ready	0	1	-	-	-	2026-03-02 08:00:00
        gpu-1	full	4 of 4	2	direct, docker	gpu=a100, zone=1	0.1.0	2026-03-02 08:00:00
        leaving	draining	1 of 2	1	-	-	-	2026-03-02 08:00:00
        half	ready, 1 draining	1 of 2	1	-	-	-	2026-03-02 08:00:00
        ");
    }
}
