//! What an agent finds in its container.

use super::{Yard, script};
use oz_core::config::{AgentConfig, Sandbox, SourceRepo};
use oz_tests::git_http::GitHost;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_its_image_repository_setup_volumes_and_environment() {
    let cache = tempfile::tempdir().unwrap();
    fs::write(cache.path().join("kept"), "from the machine").unwrap();
    let bind = format!("{}:/cache:ro", cache.path().display());
    let commands = [
        "cat /etc/os-release; echo user=$(id -u) home=$HOME in=$(pwd)",
        "cd /workspace/app && cat greeting; cat prepared; cat /cache/kept; echo env=$GREETING",
        "touch /cache/x; touch /agent/x; echo backend=$OZ_WORKER_BACKEND; cat /proc/1/cmdline | tr '\\0' ' '",
        "cat /proc/self/status | grep NoNewPrivs; ls /var/run/docker.sock; env",
    ];
    let yard = Yard::new("d-work", &script(&commands), &["-v", &bind, "-e", "GREETING=hello"]);
    let _ = yard.world.git_repo("app", &[("greeting", "a repository\n")]);
    let git = GitHost::start(&yard.world.path().join("repos"), "token-of-git-0123").await;
    let url = git.url("app").replace("//", "//me:token-of-git-0123@");
    let config = AgentConfig {
        source_repos: vec![SourceRepo { url, checkout_ref: None }],
        setup_commands: vec!["echo set up > /workspace/app/prepared".to_owned()],
        ..yard.config(&yard.docker.debian())
    };
    let said = yard.succeeds("work", config).await;
    for text in [
        "Debian GNU/Linux 12",
        "user=0 home=/root in=/workspace",
        "a repository",
        "set up",
        "from the machine",
        "env=hello",
        "/cache/x': Read-only file system",
        "/agent/x': Read-only file system",
        "backend=docker",
        "/agent/oz guard -- /agent/oz agent run",
        "NoNewPrivs:\\t1",
        "'/var/run/docker.sock': No such file",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(!said.contains("OZ_SCRIPTED_MODEL") && !said.contains("WARP_API_KEY"), "{said}");
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_needs_neither_glibc_nor_certificates_nor_a_home_nor_root() {
    let commands = [
        "echo user=$(id -u):$(id -g) home=$HOME in=$(pwd)",
        "touch $HOME/x /workspace/y && echo writable; ls /lib; ls /etc/ssl/certs/ca-certificates.crt",
    ];
    let yard = Yard::new("d-small", &script(&commands), &[]);
    let said = yard.succeeds("work", yard.config(&yard.docker.small())).await;
    for text in
        ["user=4711:4712 home=/home/oz in=/workspace", "writable", "/etc/ssl/certs/ca-certificates.crt\\n"]
    {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(said.contains("/lib: No such file"), "{said}");
    yard.tidy();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_work_side_by_side_within_their_limits() {
    let yard = Yard::new(
        "d-two",
        &script(&["touch /workspace/started; until [ -e /workspace/go ]; do sleep 0.1; done"]),
        &[],
    );
    let sandbox =
        Sandbox { memory_mb: Some(256), cpus: Some(0.5), max_processes: Some(64), ..Sandbox::default() };
    let config = AgentConfig { sandbox: Some(sandbox), ..yard.config(&yard.docker.debian()) };
    let first = yard.world.dispatch("work", config).await;
    let second = yard.world.dispatch("work", yard.config(&yard.docker.small())).await;
    for run_id in [first, second] {
        yard.until_made(run_id, "started").await;
    }
    let format = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}";
    let limits = |run_id| yard.docker.run(&["inspect", "--format", format, &yard.container(run_id)]);
    assert_eq!(limits(first), "268435456 268435456 500000000 64");
    assert!(limits(second).starts_with("0 0 0 "), "{}", limits(second));
    for run_id in [first, second] {
        yard.docker.run(&["exec", &yard.container(run_id), "touch", "/workspace/go"]);
    }
    for run_id in [first, second] {
        let (run, said) = yard.over(run_id).await;
        assert_eq!(run.state, oz_core::RunState::Succeeded, "{said}");
    }
    yard.tidy();
}
