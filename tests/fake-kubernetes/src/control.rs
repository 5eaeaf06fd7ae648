//! The controllers: Jobs get pods and conditions, deadlines pass, what is finished or orphaned goes.

use crate::{
    kubelet,
    lists::list,
    state::{Kind, Shared, State, now},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_millis(50);

/// Looks at everything whenever something has changed, and now and then for what time changes.
pub(crate) async fn reconcile_forever(shared: Arc<Shared>) {
    let mut version = shared.version.subscribe();
    loop {
        shared.change(reconcile);
        kubelet::start_new_pods(&shared);
        tokio::select! {
            _ = version.changed() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn reconcile(state: &mut State) {
    for name in state.names(Kind::Jobs) {
        job(state, &name);
    }
    for (kind, name) in state.orphans() {
        state.delete(kind, &name, false);
    }
    let leaving = |pod: &&Value| !pod["metadata"]["deletionTimestamp"].is_null();
    let leaving: Vec<String> = state
        .all(Kind::Pods)
        .filter(leaving)
        .filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned))
        .collect();
    for pod in leaving {
        if !state.processes.values().any(|process| process.pod == pod) {
            state.remove(Kind::Pods, &pod);
        }
    }
}

fn job(state: &mut State, name: &str) {
    let Some(job) = state.get(Kind::Jobs, name).cloned() else { return };
    let uid = job["metadata"]["uid"].clone();
    let dependents = state.dependents(&uid);
    if !job["metadata"]["deletionTimestamp"].is_null() {
        for (kind, dependent) in &dependents {
            state.delete(*kind, dependent, false);
        }
        if dependents.is_empty() {
            state.remove(Kind::Jobs, name);
        }
        return;
    }
    let ended = list(&job["status"]["conditions"]).find(|c| c["type"] == "Complete" || c["type"] == "Failed");
    if let Some(condition) = ended {
        let ttl = job["spec"]["ttlSecondsAfterFinished"].as_i64();
        if ttl.is_some_and(|ttl| age(&condition["lastTransitionTime"]) >= ttl) {
            state.delete(Kind::Jobs, name, false);
        }
        return;
    }
    let pods: Vec<&(Kind, String)> = dependents.iter().filter(|(kind, _)| *kind == Kind::Pods).collect();
    if job["spec"]["suspend"] == true {
        for (_, pod) in pods {
            state.delete(Kind::Pods, pod, false);
        }
        return;
    }
    if job["status"]["startTime"].is_null() {
        state.update(Kind::Jobs, name, &json!({ "status": { "startTime": now() } }));
    }
    let deadline = job["spec"]["activeDeadlineSeconds"].as_i64();
    if deadline.is_some_and(|limit| {
        !job["status"]["startTime"].is_null() && age(&job["status"]["startTime"]) >= limit
    }) {
        for (_, pod) in pods {
            state.delete(Kind::Pods, pod, false);
        }
        return end(
            state,
            name,
            "Failed",
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        );
    }
    match pods.first() {
        None if job["status"]["active"] == 1 => {
            end(state, name, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }
        None => match state.no_pods.clone() {
            Some(why) => state.add_event(&job, "FailedCreate", &format!("Error creating: {why}")),
            None => make_pod(state, &job),
        },
        Some((_, pod)) => match state.get(Kind::Pods, pod).map(|pod| pod["status"]["phase"].clone()) {
            Some(phase) if phase == "Succeeded" => end(
                state,
                name,
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            ),
            Some(phase) if phase == "Failed" => end(
                state,
                name,
                "Failed",
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ),
            _ => {}
        },
    }
}

fn end(state: &mut State, name: &str, kind: &str, reason: &str, message: &str) {
    let condition = json!({ "type": kind, "status": "True", "reason": reason, "message": message,
        "lastTransitionTime": now(), "lastProbeTime": now() });
    state.update(Kind::Jobs, name, &json!({ "status": { "conditions": [condition], "active": 0 } }));
}

fn make_pod(state: &mut State, job: &Value) {
    let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut pod = job["spec"]["template"].clone();
    pod["metadata"]["name"] = json!(format!("{name}-{}", state.version));
    pod["metadata"]["namespace"] = job["metadata"]["namespace"].clone();
    pod["metadata"]["labels"]["job-name"] = json!(name);
    pod["metadata"]["ownerReferences"] = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": name,
        "uid": job["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true }]);
    pod["status"] = json!({ "phase": "Pending" });
    state.create(Kind::Pods, pod);
    state.update(Kind::Jobs, &name, &json!({ "status": { "active": 1 } }));
}

/// Seconds since then.
fn age(time: &Value) -> i64 {
    let time: Option<Timestamp> = time.as_str().and_then(|time| time.parse().ok());
    time.map_or(0, |time| Timestamp::now().duration_since(time).as_secs())
}
