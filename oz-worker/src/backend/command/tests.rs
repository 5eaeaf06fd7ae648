use super::*;
use crate::{BackendConfig, config::tests::example};
use serde_json::{Value, json};
use std::path::Path;

const RUN: &str = "7b0f3c52-5a0e-4f0b-9a54-0a6f8f1f2d11";

fn config(directory: &Path, dispatch: &str, cancel: Option<&str>, limit: Duration) -> Config {
    let command = CommandConfig {
        dispatch_command: dispatch.to_owned(),
        cancel_command: cancel.map(str::to_owned),
        dispatch_timeout: limit,
        start_timeout: Duration::from_secs(1),
        state_dir: directory.join("state"),
    };
    let out = directory.to_string_lossy().into_owned();
    let environment = [("OUT".to_owned(), out), ("OZ_RUN_ID".to_owned(), "forged".to_owned())].into();
    Config { backend: BackendConfig::Command(command), environment, ..example() }
}

/// An execution of its own, so that tests do not kill each other's processes.
fn job(config: &Config) -> Job {
    let execution = uuid::Uuid::new_v4();
    let assignment = json!({ "task_id": RUN, "execution_id": execution,
        "task": { "id": RUN, "title": "t", "task_definition": { "prompt": "p" },
            "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T08:00:00Z" },
        "env_vars": { "WARP_API_KEY": "token-of-the-run" },
        "sidecar_image": "registry.example/agent:9",
        "additional_sidecars": [{ "image": "registry.example/xvfb:2", "mount_path": "/mnt/xvfb" }] });
    Job::new(serde_json::from_value(assignment).unwrap(), config)
}

async fn outcome(config: &Config, job: &Job, control: &Control) -> Outcome {
    let BackendConfig::Command(command) = &config.backend else { panic!("not the backend command") };
    let (report, outcome) = oneshot::channel();
    Command::open(config, command).execute(job, control, report).await;
    outcome.await.unwrap()
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_payload_is_version_1_and_secrets_come_by_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), r#"cat > "$OUT/payload"; env > "$OUT/env""#, None, LONG);
    let job = job(&config);
    assert_eq!(outcome(&config, &job, &Control::default()).await, Outcome::Dispatched);
    let payload: Value = serde_json::from_slice(&std::fs::read(dir.path().join("payload")).unwrap()).unwrap();
    let execution = job.assignment.execution_id.unwrap().to_string();
    for (field, expected) in [
        ("version", json!(1)),
        ("run_id", json!(RUN)),
        ("execution_id", json!(execution)),
        ("server_root_url", json!("http://127.0.0.1:7700")),
        ("worker_id", json!("builder 1")),
        ("docker_image", json!("ubuntu:22.04")),
        ("base_args", json!(job.arguments)),
        (
            "sidecars",
            json!([
                { "image": "registry.example/agent:9", "mount_path": "/agent", "read_write": false },
                { "image": "registry.example/xvfb:2", "mount_path": "/mnt/xvfb", "read_write": false }
            ]),
        ),
    ] {
        assert_eq!(payload[field], expected, "{field}");
    }
    assert_eq!(payload["task"]["task_definition"]["prompt"], "p");
    let env = &payload["env"];
    for (name, value) in [
        ("TASK_ID", RUN),
        ("OZ_RUN_ID", RUN),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("WARP_SERVER_ROOT_URL", "http://127.0.0.1:7700"),
        ("WARP_API_KEY", "token-of-the-run"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert_eq!(env.get("OZ_WORKSPACE_ROOT"), None, "nobody knows it here");
    let own = std::fs::read_to_string(dir.path().join("env")).unwrap();
    assert!(!own.contains("token-of-the-run") && !own.contains("forged"), "{own}");
    for entry in [
        format!("OZ_RUN_ID={RUN}"),
        format!("OZ_EXECUTION_ID={execution}"),
        "OZ_WORKER_BACKEND=command".to_owned(),
        "OZ_SERVER_ROOT_URL=http://127.0.0.1:7700".to_owned(),
        "OZ_DOCKER_IMAGE=ubuntu:22.04".to_owned(),
    ] {
        assert!(own.lines().any(|line| line == entry), "{entry} is not in\n{own}");
    }
}

#[tokio::test]
async fn a_command_that_fails_fails_the_run_without_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), "echo no room for token-of-the-run >&2; exit 3", None, LONG);
    let Outcome::Failed { reason, message, exit_code } =
        outcome(&config, &job(&config), &Control::default()).await
    else {
        panic!("it did not fail");
    };
    assert_eq!((reason, exit_code), (FailureReason::DispatchCommand, Some(3)));
    assert!(message.contains("no room for [redacted]") && !message.contains("token-of"), "{message}");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"setsid sh -c 'echo $$ > "$OUT/detached"; sleep 600' & sleep 600"#;
    let config = config(dir.path(), script, None, Duration::from_millis(1500));
    let job = job(&config);
    let Outcome::Failed { reason, .. } = outcome(&config, &job, &Control::default()).await else {
        panic!("it did not fail");
    };
    assert_eq!(reason, FailureReason::DispatchTimeout);
    assert!(dir.path().join("detached").exists(), "the test would prove nothing");
    assert_eq!(crate::process::Table::read().marked(&environment::mark(&job)).count(), 0);
}

#[tokio::test]
async fn what_an_accepted_run_has_started_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let script =
        r#"setsid sh -c 'until [ -e "$OUT/go" ]; do sleep 0.05; done; touch "$OUT/done"' >/dev/null 2>&1 &"#;
    let config = config(dir.path(), script, None, LONG);
    assert_eq!(outcome(&config, &job(&config), &Control::default()).await, Outcome::Dispatched);
    assert!(!dir.path().join("done").exists());
    std::fs::write(dir.path().join("go"), "").unwrap();
    while !dir.path().join("done").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_cancellation_ends_the_command_and_runs_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = r#"echo "$OZ_RUN_ID $OZ_EXECUTION_ID $OZ_WORKER_BACKEND" > "$OUT/cancelled""#;
    let config = config(dir.path(), r#"touch "$OUT/started"; sleep 600"#, Some(cancel), LONG);
    let (job, control) = (job(&config), Control::default());
    let stop = async {
        while !dir.path().join("started").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        control.stop.cancel();
    };
    let (outcome, ()) = tokio::join!(outcome(&config, &job, &control), stop);
    assert_eq!(outcome, Outcome::Cancelled);
    let execution = job.assignment.execution_id.unwrap();
    let told = std::fs::read_to_string(dir.path().join("cancelled")).unwrap();
    assert_eq!(told.trim(), format!("{RUN} {execution} command"));
}
