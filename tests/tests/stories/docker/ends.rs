//! How runs in containers end when they don't end well.

use super::{Yard, script};
use oz_core::{
    ErrorCode, RunState,
    config::{AgentConfig, Sandbox},
};
use std::time::{Duration, Instant};

const WAITS: &str = "trap '' TERM; touch /workspace/started; while :; do sleep 1; done";

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_is_gone_with_its_container() {
    let yard = Yard::new("d-cancel", &script(&[WAITS]), &[]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.debian())).await;
    yard.until_made(run_id, "started").await;
    let asked = Instant::now();
    let _ = yard.world.oz(&["run", "cancel", &run_id.to_string()]).success();
    yard.docker.no_containers(&yard.worker_id, Duration::from_secs(10));
    let (run, _) = yard.over(run_id).await;
    assert_eq!(run.state, RunState::Cancelled, "after {:?}", asked.elapsed());
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_stops_also_when_its_container_is_kept() {
    let yard = Yard::new("d-keep", &script(&[WAITS]), &["--no-cleanup"]);
    let run_id = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    yard.until_made(run_id, "started").await;
    let _ = yard.world.oz(&["run", "cancel", &run_id.to_string()]).success();
    let (run, _) = yard.over(run_id).await;
    assert_eq!(run.state, RunState::Cancelled);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !yard.container(run_id).ends_with("-ended") {
        assert!(Instant::now() < deadline, "{}", yard.container(run_id));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept = yard.container(run_id);
    assert_eq!(yard.docker.run(&["inspect", "--format", "{{.State.Running}}", &kept]), "false");
    assert!(yard.docker.try_run(&["cp", &format!("{kept}:/workspace/started"), "-"]));
    yard.docker.run(&["rm", &kept]);
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_memory_is_told_with_the_limit() {
    let yard = Yard::new("d-memory", &script(&["echo unreachable"]), &[]);
    let sandbox = Sandbox { memory_mb: Some(16), ..Sandbox::default() };
    // What is written there counts as memory of the container; the agent is what is left to kill.
    let fill = "head -c 64000000 /dev/zero > /dev/shm/full; exec cat /dev/shm/full /dev/shm/full | tail -c 60000000 > /dev/null".to_owned();
    let config = AgentConfig {
        sandbox: Some(sandbox),
        setup_commands: vec![fill],
        ..yard.config(&yard.docker.debian())
    };
    let (run, said) = yard.run("work", config).await;
    let status = run.status_message.unwrap();
    assert!(run.state.is_terminal() && run.state != RunState::Succeeded, "{said}");
    assert!(status.message.contains("16 MiB"), "{status:?} {said}\n{}", yard.world.read_log(&yard.worker_id));
    assert_eq!(status.error_code, Some(ErrorCode::BudgetExceeded), "{}", status.message);
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_cannot_be_used_are_named_with_the_reason() {
    let yard = Yard::new("d-image", &script(&[]), &[]);
    let own = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
    let other = if cfg!(target_arch = "x86_64") { "linux/arm64" } else { "linux/amd64" };
    let foreign = yard.docker.foreign();
    for (image, words) in [
        ("127.0.0.1:1/nobody/nothing:7", vec!["127.0.0.1:1/nobody/nothing:7", "can't be pulled", "refused"]),
        ("Not An Image", vec!["'Not An Image' is no valid name", "invalid reference format"]),
        (&foreign, vec!["127.0.0.1:1/foreign:1", own, other]),
    ] {
        let (run, _) = yard.run("work", yard.config(image)).await;
        let status = run.status_message.unwrap();
        assert_eq!(
            (run.state, status.error_code),
            (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)),
            "{}",
            status.message
        );
        for word in words {
            assert!(status.message.contains(word), "{word}: {}", status.message);
        }
    }
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_hosts_that_cannot_be_enforced_ends_the_run() {
    let yard = Yard::new("d-egress", &script(&["touch /workspace/worked"]), &[]);
    let sandbox = Sandbox { egress_allowlist: Some(vec!["crates.io".to_owned()]), ..Sandbox::default() };
    let config = AgentConfig { sandbox: Some(sandbox), ..yard.config(&yard.docker.debian()) };
    let (run, said) = yard.run("work", config).await;
    let status = run.status_message.unwrap();
    assert_eq!((run.state, status.error_code), (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed)));
    assert!(
        status.message.contains("config.sandbox.egress_allowlist can't be enforced here"),
        "{}",
        status.message
    );
    assert!(!said.contains("run_command"), "{said}");
    yard.tidy();
}
