//! Why a run waits, in words for who waits with it: a pure function of its queue and the connected workers.

use crate::{
    live::{
        listed::Listed,
        workers::{has_labels, is_host},
    },
    store::queues::Queue,
};

/// Why the run at `position` of `queue` has not started.
pub(crate) fn why(queue: &Queue, position: Option<u32>, workers: &[Listed]) -> String {
    let of_host: Vec<&Listed> =
        workers.iter().filter(|w| is_host(w.team_id.as_ref(), &w.worker_host, queue)).collect();
    let able: Vec<&Listed> =
        of_host.iter().copied().filter(|w| has_labels(&w.connection.labels, queue)).collect();
    let name =
        if queue.host.is_empty() { "of the control plane".to_owned() } else { format!("'{}'", queue.host) };
    let place = position
        .filter(|place| *place > 1)
        .map_or_else(String::new, |place| format!("; {} in the queue", ordinal(place)));
    let draining = able.iter().filter(|w| w.connection.draining).count();
    let full = able.iter().filter(|w| !w.connection.draining && w.full).count();
    let (subject, verb) = match able.len() {
        1 => (format!("worker {name}"), "is"),
        n => (format!("all {n} workers {name}"), "are"),
    };
    if able.is_empty() {
        if of_host.is_empty() {
            return format!("waiting: no worker {name} is connected");
        }
        let labels: Vec<String> =
            queue.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let noun = if labels.len() == 1 { "label" } else { "labels" };
        let (labels, others) = (labels.join(", "), of_host.len());
        return format!("waiting: no worker {name} with {noun} {labels} is connected ({others} connected)");
    }
    if draining + full < able.len() {
        return format!("waiting: a worker {name} is free and gets it soon{place}");
    }
    let state = match (draining, full) {
        (_, 0) => "draining",
        (0, _) => "full",
        _ => "full or draining",
    };
    format!("waiting: {subject} {verb} {state}{place}")
}

/// `1st`, `2nd`, `3rd`, `4th` …
fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (1, last) if last != 11 => "st",
        (2, last) if last != 12 => "nd",
        (3, last) if last != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn worker(team: Option<&str>, host: &str, more: &serde_json::Value) -> Listed {
        let at = "2026-03-02T08:00:00Z";
        let mut value =
            json!({ "worker_host": host, "team_id": team, "connected_at": at, "last_seen_at": at });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        from_value(value).unwrap()
    }

    fn queue(host: &str, labels: &[(&str, &str)]) -> Queue {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Queue { host: host.into(), team_id: "a".into(), labels }
    }

    #[test]
    fn what_keeps_a_run_is_told() {
        let plain = json!({});
        let full = json!({ "full": true });
        let drains = json!({ "draining": true });
        let gpu = json!({ "labels": { "gpu": "a100" }, "full": true });
        let (a, b) = (Some("a"), Some("b"));
        type Workers<'a> = Vec<(Option<&'a str>, &'a str, &'a serde_json::Value)>;
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u32, Workers<'a>, &'a str);
        let cases: Vec<Case<'_>> = vec![
            ("gpu-1", &[], 1, vec![], "no worker 'gpu-1' is connected"),
            (
                "gpu-1",
                &[],
                1,
                vec![(b, "gpu-1", &plain), (a, "GPU-1", &plain)],
                "no worker 'gpu-1' is connected",
            ),
            ("", &[], 1, vec![(a, "gpu-1", &plain)], "no worker of the control plane is connected"),
            (
                "",
                &[],
                4,
                vec![(None, "warp", &full)],
                "worker of the control plane is full; 4th in the queue",
            ),
            (
                "w",
                &[("gpu", "a100")],
                1,
                vec![(a, "w", &plain), (a, "w", &plain)],
                "no worker 'w' with label gpu=a100 is connected (2 connected)",
            ),
            (
                "w",
                &[("gpu", "a100"), ("zone", "1")],
                1,
                vec![(a, "w", &gpu)],
                "no worker 'w' with labels gpu=a100, zone=1 is connected (1 connected)",
            ),
            (
                "w",
                &[("gpu", "a100")],
                2,
                vec![(a, "w", &plain), (a, "w", &gpu)],
                "worker 'w' is full; 2nd in the queue",
            ),
            ("w", &[], 1, vec![(a, "w", &full)], "worker 'w' is full"),
            (
                "w",
                &[],
                3,
                vec![(a, "w", &full), (a, "w", &full)],
                "all 2 workers 'w' are full; 3rd in the queue",
            ),
            (
                "w",
                &[],
                11,
                vec![(a, "w", &full), (a, "w", &full), (a, "w", &drains)],
                "all 3 workers 'w' are full or draining; 11th in the queue",
            ),
            ("w", &[], 1, vec![(a, "w", &drains)], "worker 'w' is draining"),
            (
                "w",
                &[],
                2,
                vec![(a, "w", &full), (a, "w", &plain)],
                "a worker 'w' is free and gets it soon; 2nd in the queue",
            ),
        ];
        for (host, labels, position, workers, expected) in cases {
            let workers: Vec<Listed> =
                workers.into_iter().map(|(team, host, more)| worker(team, host, more)).collect();
            assert_eq!(why(&queue(host, labels), Some(position), &workers), format!("waiting: {expected}"));
        }
        let far = why(&queue("w", &[]), None, &[worker(a, "w", &full)]);
        assert_eq!(far, "waiting: worker 'w' is full", "far behind, the place is not counted");
    }

    #[test]
    fn places_are_ordinals() {
        let told = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).join(" ");
        assert_eq!(told, "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th");
    }
}
