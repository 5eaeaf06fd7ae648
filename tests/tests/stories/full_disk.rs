//! A full disk is said clearly, loses nothing and is overcome. Each story brings a small disk of its own.

use crate::bad_input::http;
use oz_core::{ErrorCode, RunId, RunState, config::AgentConfig};
use oz_tests::{
    World, history,
    world::{KEY, Options},
};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const SCRIPT: &str = r#"
scripts:
  - match: wait
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch ../../waiting; until [ -e ../../go ]; do sleep 0.05; done" } }]
      - text: waited
  - match: anything
    turns: [{ text: fine }]
"#;

/// A small disk.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts one; `None` where that is not permitted.
    #[expect(clippy::print_stderr, reason = "a test that is left out must say so")]
    fn mount(megabytes: u32) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("oz-disk-").tempdir().unwrap();
        let options = format!("size={megabytes}m,mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(dir)),
            outcome => {
                eprintln!("left out: no disk can be mounted here: {outcome:?}");
                None
            }
        }
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    /// Fills the disk to its last byte.
    fn fill(&self) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.ballast()).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room for so many bytes.
    fn free(&self, bytes: u64) {
        let file = fs::OpenOptions::new().write(true).open(self.ballast()).unwrap();
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(bytes)).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

/// A world that keeps its data on a disk.
fn world_on(disk: &Path) -> World {
    // PostgreSQL keeps its data elsewhere.
    let mut world =
        World::start(Options { script: Some(SCRIPT.into()), postgres: false, ..Options::default() });
    world.stop_server();
    let data = world.path().join("data");
    fs::remove_dir_all(&data).unwrap();
    symlink(disk, &data).unwrap();
    world.start_server();
    world
}

/// Tries to create a run.
fn create(world: &World, more: &str) -> Result<RunId, String> {
    let body = format!(r#"{{"prompt":"anything"{more}}}"#);
    let (status, kind, body) = http(world, "POST", "/api/v1/agent/runs", Some(KEY), body.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    if status == 200 {
        return Ok(answer["run_id"].as_str().unwrap().parse().unwrap());
    }
    assert_eq!((status, kind.as_str()), (503, "application/problem+json"), "{body}");
    assert!(answer["type"].as_str().unwrap().ends_with("/resource_unavailable"), "{body}");
    assert_eq!(answer["retryable"], true);
    let detail = answer["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("disk of the control plane is full"), "{detail}");
    Err(detail)
}

/// Creates runs until there is no room for one, and then a few more. Returns those that were acknowledged.
fn create_until_full(world: &World) -> Vec<RunId> {
    let large = format!(r#","config":{{"base_prompt":"{}"}}"#, "x".repeat(100_000));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    while refused < 20 {
        match create(world, &large) {
            Ok(run_id) => acknowledged.push(run_id),
            Err(detail) => {
                assert!(detail.contains("the database"), "{detail}");
                refused += 1;
            }
        }
        assert!(acknowledged.len() < 1000, "the disk is never full");
    }
    acknowledged
}

fn files_in(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { files_in(&e.path()) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_whose_disk_is_full_loses_nothing_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount(48) else { return };
    let began = Instant::now();
    let mut world = world_on(disk.0.path());
    let mut runs = vec![create(&world, "").unwrap()];
    let waiting = world.dispatch("wait", AgentConfig::default()).await;
    world.until_file(&world.path().join("waiting")).await;
    world.wait(runs[0]).await;

    disk.fill();
    runs.extend(create_until_full(&world));
    // Who only looks is served, and the agent at work waits with what it has to say, for longer than its lease.
    assert_eq!(http(&world, "GET", "/readyz", None, b"").0, 200);
    fs::write(world.path().join("go"), "").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.run(waiting).await.state, RunState::InProgress);

    disk.empty();
    let run = world.wait(waiting).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    assert_eq!(run.execution.unwrap().attempt, 1, "nobody took its silence for its end");
    runs.push(create(&world, "").unwrap());
    for run_id in &runs {
        assert_eq!(world.wait(*run_id).await.state, RunState::Succeeded);
    }

    // Files: there is room for the records of a run, but not for what comes with it.
    disk.fill();
    disk.free(3 << 20);
    let files = files_in(&disk.0.path().join("blobs"));
    let attachment = |name: &str, size: usize| {
        let data = "QUJD".repeat(size / 3);
        format!(r#"{{"file_name":"{name}","mime_type":"text/plain","data":"{data}"}}"#)
    };
    let both = format!(r#","attachments":[{},{}]"#, attachment("small", 3000), attachment("large", 6 << 20));
    let detail = create(&world, &both).unwrap_err();
    assert!(detail.contains("files"), "{detail}");
    assert_eq!(files_in(&disk.0.path().join("blobs")), files, "nothing is left of what was not stored");
    disk.empty();
    runs.push(create(&world, &both).unwrap());
    world.wait(runs[runs.len() - 1]).await;

    // What was acknowledged is there too when the server dies while the disk is full.
    disk.fill();
    runs.extend(create_until_full(&world));
    world.kill_server();
    disk.empty();
    world.start_server();
    for run_id in &runs {
        assert_eq!(world.wait(*run_id).await.state, RunState::Succeeded);
    }
    // Once a minute and start of the server: twice of the database, once of the files.
    let log = world.read_log("server");
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    let most = 3 + 2 * usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    let said = |line: &&str| line.contains("disk of the control plane is full");
    assert!((1..=most).contains(&errors.len()) && errors.iter().all(said), "{errors:#?}");
    let wrong = history::check(&world.database(), &Default::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fills_the_disk_of_its_worker_fails_and_the_next_one_works() {
    let Some(disk) = Disk::mount(16) else { return };
    let options = Options { embedded_worker: false, script: Some(SCRIPT.into()), ..Options::default() };
    let mut world = World::start(options);
    fs::create_dir_all(world.workspaces()).unwrap();
    symlink(disk.0.path(), world.workspaces().join("small")).unwrap();
    world.start_worker("small");
    let config = |command: Option<&str>| AgentConfig {
        worker_host: Some("small".into()),
        setup_commands: command.map(Into::into).into_iter().collect(),
        ..AgentConfig::default()
    };
    for _ in 0..2 {
        let greedy = config(Some("echo filling up; cat /dev/zero > everything"));
        let run = world.wait(world.dispatch("anything", greedy).await).await;
        let status = run.status_message.unwrap();
        assert_eq!(
            (run.state, status.error_code),
            (RunState::Failed, Some(ErrorCode::EnvironmentSetupFailed))
        );
        for part in ["cat /dev/zero", "filling up", "No space left on device"] {
            assert!(status.message.contains(part), "'{part}' is not in: {}", status.message);
        }
        let run = world.wait(world.dispatch("anything", config(None)).await).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.status_message);
    }
}
