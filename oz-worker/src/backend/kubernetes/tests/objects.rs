//! What is sent to the cluster.

use super::*;
use crate::Credentials;

async fn made(bench: &Bench, change: &Value) -> Value {
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(change));
    bench.fake.object("pods", "oz-task-").await;
    let job = bench.fake.objects("jobs")[0].clone();
    let secrets = bench.fake.objects("secrets");
    going.control.stop.cancel();
    assert_eq!(going.end().await, Outcome::Cancelled);
    let mut metadata = job["metadata"].clone();
    for changing in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generation"] {
        metadata.as_object_mut().unwrap().remove(changing);
    }
    json!({ "metadata": metadata, "spec": job["spec"], "secrets": secrets })
}

fn task(made: &Value) -> &Value {
    let containers = made["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    containers.iter().find(|container| container["name"] == "task").unwrap()
}

const EXECUTION: &str = "e1c2a7d0-11aa-4f5e-8d7b-55f0c0ffee01";

#[tokio::test]
async fn the_job_of_a_run() {
    let mut bench = Bench::idle();
    bench.settings = KubernetesConfig {
        namespace: Some("oz".to_owned()),
        setup_command: Some("echo $(date) $$".to_owned()),
        teardown_command: Some("echo $(date)".to_owned()),
        workspace_size_limit: Some("10Gi".to_owned()),
        active_deadline_seconds: Some(28_800),
        ttl_seconds_after_finished: Some(60),
        extra_labels: [("team".to_owned(), "a".to_owned())].into(),
        extra_annotations: [("note".to_owned(), "b".to_owned())].into(),
        coding_cli_sidecars: [("claude".to_owned(), "claude:1".to_owned())].into(),
        pod_template: Some(json!({
            "serviceAccountName": "agents",
            "initContainers": [{ "name": "theirs", "image": "x" }],
            "containers": [{ "name": "task", "env": [{ "name": "GITHUB_TOKEN",
                "valueFrom": { "secretKeyRef": { "name": "keys", "key": "github" } } }] }],
        })),
        ..settings()
    };
    let change = json!({ "execution_id": EXECUTION, "docker_image": "dev:3",
        "instance_shape": { "vcpus": 4, "memory_gb": 16 },
        "additional_sidecars": [{ "image": "xvfb:2", "mount_path": "/mnt/xvfb", "read_write": true }],
        "additional_oz_args": ["--title", "cost: $(HOME)"],
        "task": { "agent_config_snapshot": { "harness": { "type": "claude" } } } });
    let made = made(&bench, &change).await;
    insta::assert_json_snapshot!(json!({ "metadata": made["metadata"], "spec": made["spec"] }));
}

#[tokio::test]
async fn secrets_stand_in_the_secret_of_the_job_alone() {
    let bench = Bench::idle();
    let made = made(&bench, &json!({})).await;
    assert!(!made["spec"].to_string().contains("top-secret"), "{made}");
    let secret = &made["secrets"][0];
    assert_eq!(secret["stringData"]["WARP_API_KEY"], "wk-1.top-secret");
    assert_eq!(secret["metadata"]["ownerReferences"][0]["kind"], "Job");
}

#[tokio::test]
async fn credentials_may_stand_in_the_job_when_the_operator_says_so() {
    let mut bench = Bench::idle();
    bench.settings.credentials = Credentials::Inline;
    let made = made(&bench, &json!({})).await;
    assert_eq!(made["secrets"], json!([]));
    let entry = json!({ "name": "NOTE", "value": "costs $$(HOME) $$$$ $$5" });
    assert!(task(&made)["env"].as_array().unwrap().contains(&entry), "{made}");
}

#[tokio::test]
async fn sandbox_limits_are_the_container_s() {
    let bench = Bench::idle();
    let sandbox = json!({ "memory_mb": 1536, "cpus": 0.5 });
    let change = json!({ "instance_shape": { "vcpus": 4, "memory_gb": 1 },
        "task": { "agent_config_snapshot": { "sandbox": sandbox } } });
    let made = made(&bench, &change).await;
    let amounts = json!({ "cpu": "500m", "memory": "1Gi" });
    assert_eq!(task(&made)["resources"], json!({ "limits": amounts, "requests": amounts }));
    let entry = json!({ "name": "OZ_SANDBOX_LIMITED", "value": "1" });
    assert!(task(&made)["env"].as_array().unwrap().contains(&entry), "{made}");
}

#[tokio::test]
async fn a_sidecar_image_brings_the_agent_as_published_workers_do() {
    let mut bench = Bench::idle();
    bench.config.cleanup = false;
    let made = made(&bench, &json!({ "sidecar_image": "agent:9" })).await;
    let pod = &made["spec"]["template"]["spec"];
    assert_eq!(pod["initContainers"][0]["securityContext"], json!({ "runAsUser": 0, "runAsGroup": 0 }));
    assert_eq!(pod["initContainers"][0]["image"], "agent:9");
    let wrapper = task(&made)["command"][2].as_str().unwrap();
    assert!(wrapper.ends_with("exec /agent/entrypoint.sh \"$$@\""), "{wrapper}");
    assert_eq!(made["spec"].get("ttlSecondsAfterFinished"), None, "without cleanup it stays");
}

#[tokio::test]
async fn images_are_mounted_where_the_cluster_can() {
    let (_images, kubelet) = images("exec sleep 300");
    let mut bench = Bench::new(kubelet);
    bench.settings.use_image_volumes = true;
    let made = made(&bench, &json!({})).await;
    let pod = &made["spec"]["template"]["spec"];
    assert_eq!(pod.get("initContainers"), None);
    let volume = json!({ "name": "sidecar-0-image", "image": { "reference": "oz:test", "pullPolicy": "IfNotPresent" } });
    assert!(pod["volumes"].as_array().unwrap().contains(&volume), "{pod}");
    let sidecar =
        json!({ "additional_sidecars": [{ "image": "i", "mount_path": "/x", "read_write": true }] });
    let backend = bench.open().await;
    let (reason, message, _) = begin(&backend, bench.job(&sidecar)).failure().await;
    assert_eq!(reason, FailureReason::SidecarPrep);
    assert!(message.contains("use_image_volumes"), "{message}");
}

/// An image with this script in the place of the agent.
fn images(script: &str) -> (TempDir, Kubelet) {
    let images = tempfile::tempdir().unwrap();
    let agent = images.path().join("oz");
    std::fs::write(&agent, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&agent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let image = |name: &str| (name.to_owned(), images.path().to_owned());
    let kubelet = Kubelet::Run([image("busybox:1.36"), image("oz:test")].into());
    (images, kubelet)
}

#[tokio::test]
async fn the_agent_gets_exactly_what_was_meant_for_it() {
    let (images, kubelet) = images("");
    let seen = images.path().join("seen");
    let script =
        format!("printf '%s\\n' \"$NOTE\" \"$FROM_SETUP\" \"$OZ_AGENT_ENV_PASS\" \"$@\" >{}", seen.display());
    std::fs::write(images.path().join("oz"), format!("#!/bin/sh\n{script}\nexit 4\n")).unwrap();
    let mut bench = Bench::new(kubelet);
    bench.settings.use_image_volumes = true;
    bench.settings.setup_command =
        Some("echo \"FROM_SETUP='$(echo set up) $NOTE'\" >$OZ_ENVIRONMENT_FILE".to_owned());
    let backend = bench.open().await;
    let change = json!({ "additional_oz_args": ["--title", "$(HOME) $$"] });
    let (reason, _, code) = begin(&backend, bench.job(&change)).failure().await;
    assert_eq!((reason, code), (FailureReason::ContainerExit, Some(4)));
    let seen = std::fs::read_to_string(seen).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[..3], ["costs $(HOME) $$ $5", "set up costs $(HOME) $$ $5", ",FROM_SETUP"]);
    assert!(seen.contains("\n--title\n$(HOME) $$\n"), "{seen}");
}

#[tokio::test]
async fn the_teardown_command_runs_when_the_container_is_stopped() {
    let (images, kubelet) = images("touch $OZ_WORKSPACE_ROOT/begun; exec sleep 300");
    let torn_down = images.path().join("torn-down");
    let mut bench = Bench::new(kubelet);
    bench.settings.use_image_volumes = true;
    bench.settings.teardown_command = Some(format!("echo $OZ_RUN_ID >{}", torn_down.display()));
    let backend = bench.open().await;
    let going = begin(&backend, bench.job(&json!({})));
    bench.fake.runs("oz-task-").await;
    going.control.stop.cancel();
    assert_eq!(going.end().await, Outcome::Cancelled);
    assert_eq!(std::fs::read_to_string(torn_down).unwrap().trim(), RUN);
}
