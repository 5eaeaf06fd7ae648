//! How runs end, each for a reason of its own.

use super::*;

fn waiting(reason: &str) -> Value {
    let state = json!({ "waiting": { "reason": reason, "message": "the kubelet says why" } });
    json!({ "phase": "Pending", "containerStatuses": [{ "name": "task", "image": "i", "state": state }] })
}

/// The status of pods, and what it means for a run.
fn table() -> Vec<(Value, &'static str, Option<i32>, &'static str)> {
    let init = |state: Value| json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "copy-sidecar-0", "image": "i", "state": state }] });
    let with_code = |code: i32, reason: &str| {
        let state = json!({ "terminated": { "exitCode": code, "reason": reason } });
        json!({ "phase": "Failed", "containerStatuses": [{ "name": "task", "image": "i", "state": state }] })
    };
    let condition = |kind: &str, status: &str, reason: &str| json!({ "phase": "Pending", "conditions": [{ "type": kind, "status": status, "reason": reason, "message": "0/3 nodes" }] });
    vec![
        (
            json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" }),
            "evicted",
            None,
            "low on memory",
        ),
        (json!({ "phase": "Failed", "message": "Pod was evicted" }), "evicted", None, "was evicted"),
        (
            condition("DisruptionTarget", "True", "EvictionByEvictionAPI"),
            "evicted",
            None,
            "EvictionByEvictionAPI",
        ),
        (init(json!({ "terminated": { "exitCode": 3 } })), "init_container", Some(3), "copy-sidecar-0"),
        (init(json!({ "waiting": { "reason": "ImagePullBackOff" } })), "image_pull", None, "copy-sidecar-0"),
        (
            init(json!({ "waiting": { "reason": "CreateContainerError" } })),
            "init_container",
            None,
            "copy-sidecar-0",
        ),
        (waiting("ErrImagePull"), "image_pull", None, "the kubelet says why"),
        (waiting("ImagePullBackOff"), "image_pull", None, "the kubelet says why"),
        (waiting("InvalidImageName"), "invalid_image", None, "the kubelet says why"),
        (waiting("CreateContainerConfigError"), "container_create", None, "the kubelet says why"),
        (waiting("CreateContainerError"), "container_create", None, "the kubelet says why"),
        (with_code(7, "Error"), "container_exit", Some(7), "exited with code 7"),
        (with_code(143, "Error"), "container_exit", Some(143), "node drained"),
        (with_code(137, "OOMKilled"), "container_oom", Some(137), "memory"),
        (condition("PodScheduled", "False", "Unschedulable"), "unschedulable", None, "0/3 nodes"),
        (
            json!({ "phase": "Failed", "reason": "DeadlineExceeded", "message": "deadline" }),
            "active_deadline",
            None,
            "deadline",
        ),
        (
            json!({ "phase": "Failed", "reason": "UnexpectedAdmissionError" }),
            "job_failed",
            None,
            "UnexpectedAdmissionError",
        ),
    ]
}

#[tokio::test]
async fn each_failure_of_a_pod_has_its_reason() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    for (status, reason, code, hint) in table() {
        let going = begin(&backend, bench.job(&json!({})));
        let name = Names::of(going.identity, &bench.config.worker_id).job;
        bench.fake.object("pods", "oz-task-").await;
        bench.fake.set_pod_status(&status);
        let (told, message, exit_code) = going.failure().await;
        assert_eq!((told.as_str(), exit_code), (reason, code), "{status}: {message}");
        for part in [name.as_str(), "pod oz-task-", "namespace default", "phase ", hint] {
            assert!(message.contains(part), "no '{part}' in: {message}");
        }
        bench.fake.delete_jobs();
        bench.fake.none("pods").await;
        bench.fake.none("secrets").await;
    }
}

#[tokio::test]
async fn a_good_end_leaves_nothing() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.set_pod_status(&exited(0));
    assert_eq!(going.end().await, Outcome::Finished);
    for plural in ["jobs", "pods", "secrets"] {
        bench.fake.none(plural).await;
    }
}

#[tokio::test]
async fn a_failed_job_stays_for_a_look_and_its_output_is_told_without_secrets() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.set_log("task", "first\nthe key is wk-1.top-secret\nlast");
    bench.fake.set_pod_status(&exited(3));
    let (_, message, _) = going.failure().await;
    assert!(message.ends_with("its last output:\nfirst\nthe key is [redacted]\nlast"), "{message}");
    let job = &bench.fake.objects("jobs")[0];
    assert_eq!(job["metadata"]["annotations"]["oz-reported"], "true");
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 86_400);
}

#[tokio::test]
async fn a_pod_that_may_still_begin_goes_with_its_failed_run() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.set_pod_status(&waiting("ErrImagePull"));
    assert_eq!(going.failure().await.0, FailureReason::ImagePull);
    assert!(bench.fake.objects("jobs").is_empty() && bench.fake.objects("pods").is_empty());
}

#[tokio::test]
async fn a_volume_that_can_t_be_mounted_is_told() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.add_event("pods", "FailedMount", "MountVolume.SetUp failed for volume \"x\"");
    let (reason, message, _) = going.failure().await;
    assert_eq!(reason, FailureReason::VolumeMount);
    assert!(message.contains("volume \"x\""), "{message}");
}

#[tokio::test]
async fn the_deadline_of_a_job_is_told_from_other_ends() {
    let mut bench = Bench::idle();
    bench.settings.active_deadline_seconds = Some(1);
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    let (reason, message, _) = going.failure().await;
    assert_eq!(reason, FailureReason::ActiveDeadline);
    assert!(message.contains("active_deadline_seconds"), "{message}");
}

#[tokio::test]
async fn lost_pods_and_deleted_jobs_fail_the_run() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.lose_pods();
    let (reason, message, _) = going.failure().await;
    assert_eq!(reason, FailureReason::JobFailed);
    assert!(message.contains("BackoffLimitExceeded"), "{message}");
    bench.fake.delete_jobs();
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.object("pods", "oz-task-").await;
    bench.fake.delete_jobs();
    let (reason, message, _) = going.failure().await;
    assert_eq!(reason, FailureReason::JobFailed);
    assert!(message.contains("deleted by somebody else"), "{message}");
}

#[tokio::test]
async fn what_the_cluster_refuses_is_not_waited_for() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    for refusal in [
        "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"",
        "pods \"x\" is forbidden: exceeded quota: compute",
    ] {
        bench.fake.refuse_pods(refusal);
        let (reason, message, _) = begin(&backend, bench.job(&json!({}))).failure().await;
        assert_eq!(reason, FailureReason::JobCreate);
        assert!(message.contains(refusal), "{message}");
        bench.fake.none("jobs").await;
    }
}

#[tokio::test]
async fn who_may_not_look_any_more_ends_the_run_and_says_what_is_missing() {
    let bench = Bench::idle();
    let backend = bench.open().await;
    for (right, reason, rule) in [
        ("get jobs", FailureReason::JobWatch, "resources: [\"jobs\"], verbs: [\"get\"]"),
        ("list pods", FailureReason::PodWatch, "resources: [\"pods\"], verbs: [\"list\"]"),
    ] {
        let going = begin(&backend, bench.job(&json!({})));
        bench.fake.object("pods", "oz-task-").await;
        bench.fake.deny(right);
        let (told, message, _) = going.failure().await;
        assert_eq!(told, reason);
        assert!(message.contains(rule), "{message}");
        bench.fake.allow_all();
        bench.fake.none("jobs").await;
    }
}

#[tokio::test]
async fn what_no_pod_can_do_is_refused_before_there_is_one() {
    let mut bench = Bench::idle();
    bench.settings.agent_image = None;
    let backend = bench.open().await;
    let sandbox = json!({ "task": { "agent_config_snapshot": { "sandbox": { "max_processes": 9 } } } });
    let sidecar = |image: &str, path: &str| json!({ "sidecar_image": "a", "additional_sidecars": [{ "image": image, "mount_path": path }] });
    for (change, reason, hint) in [
        (json!({}), FailureReason::SidecarPrep, "agent_image"),
        (sidecar("", "/x"), FailureReason::SidecarPrep, "names no image"),
        (sidecar("i", "x"), FailureReason::SidecarPrep, "not an absolute path"),
        (sidecar("i", "/agent/"), FailureReason::SidecarPrep, "two sidecars"),
        (sidecar("i", "/workspace"), FailureReason::SidecarPrep, "the run's own"),
        (sandbox, FailureReason::WorkspaceSetup, "max_processes"),
        (json!({ "sidecar_image": "a", "env_vars": { "a/b": "c" } }), FailureReason::WorkspaceSetup, "'a/b'"),
    ] {
        let (told, message, _) = begin(&backend, bench.job(&change)).failure().await;
        assert_eq!(told, reason, "{message}");
        assert!(message.contains(hint), "{message}");
    }
    assert!(bench.fake.objects("jobs").is_empty());
}
