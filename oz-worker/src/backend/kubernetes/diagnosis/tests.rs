use super::*;
use serde_json::{Value, json};

fn finding(job_status: &Value, pods: &[Value]) -> Finding {
    let job = json!({ "metadata": { "name": "j", "namespace": "n" }, "spec": { "template": {} }, "status": job_status });
    let job: Job = serde_json::from_value(job).unwrap();
    let pods: Vec<Pod> = pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
    let now = "2026-03-02T08:00:30Z".parse().unwrap();
    of(&Seen { job: &job, pods: &pods, events: &[], now, unschedulable: Some(Duration::from_secs(60)) })
}

fn condition(kind: &str, reason: &str) -> Value {
    json!({ "conditions": [{ "type": kind, "status": "True", "reason": reason, "message": "" }] })
}

fn terminated(name: &str, code: i32) -> Value {
    json!({ "name": name, "image": "i", "state": { "terminated": { "exitCode": code, "reason": "Error" } } })
}

fn reason(finding: &Finding) -> &str {
    match finding {
        Finding::Failed(failure) => failure.reason.as_str(),
        Finding::Finished => "finished",
        Finding::Going(_) => "going",
    }
}

#[test]
fn the_condition_of_the_job_comes_before_its_pods_only_when_it_knows_better() {
    let pod = json!({ "status": { "phase": "Failed", "containerStatuses": [terminated("task", 143)] } });
    for (status, expected) in [
        (condition("Complete", "CompletionsReached"), "finished"),
        (condition("Failed", "DeadlineExceeded"), "active_deadline"),
        (condition("Failed", "BackoffLimitExceeded"), "container_exit"),
        (json!({}), "container_exit"),
    ] {
        assert_eq!(reason(&finding(&status, std::slice::from_ref(&pod))), expected, "{status}");
    }
    assert_eq!(reason(&finding(&condition("Failed", "BackoffLimitExceeded"), &[])), "job_failed");
    assert_eq!(reason(&finding(&json!({}), &[])), "going");
}

#[test]
fn native_sidecars_may_end_as_they_like_and_other_containers_may_not() {
    let init = |policy: Value| {
        json!({ "spec": { "containers": [], "initContainers": [{ "name": "s", "restartPolicy": policy }] },
            "status": { "phase": "Running", "initContainerStatuses": [terminated("s", 1)] } })
    };
    assert_eq!(reason(&finding(&json!({}), &[init(json!("Always"))])), "going");
    assert_eq!(reason(&finding(&json!({}), &[init(json!(null))])), "init_container");
    let extra = json!({ "status": { "phase": "Running", "containerStatuses": [terminated("proxy", 1)] } });
    assert_eq!(reason(&finding(&json!({}), &[extra])), "container_exit");
}

#[test]
fn a_pod_that_somebody_deletes_waits_for_the_verdict_of_its_job() {
    let pod = json!({ "metadata": { "name": "p", "deletionTimestamp": "2026-03-02T08:00:00Z" },
        "status": { "phase": "Failed", "containerStatuses": [terminated("task", 143)] } });
    assert_eq!(reason(&finding(&json!({}), std::slice::from_ref(&pod))), "going");
    assert_eq!(reason(&finding(&condition("Failed", "BackoffLimitExceeded"), &[pod])), "container_exit");
}

#[test]
fn who_fits_nowhere_is_looked_at_again_when_the_time_is_up() {
    let pod = json!({ "metadata": { "name": "p", "creationTimestamp": "2026-03-02T08:00:00Z" }, "status": { "phase": "Pending",
        "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" }] } });
    assert_eq!(finding(&json!({}), &[pod]), Finding::Going(Some(Duration::from_secs(30))));
}
