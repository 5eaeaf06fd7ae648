//! A real worker on the direct backend: its memory at rest, how long it takes from the claim to the first process of a run,
//! and 500 runs at once.

use crate::{Figure, percentile, server::bench_dir};
use oz_tests::{
    conformance::fake_plane::{FakePlane, Line, Offer},
    processes,
};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::process::Child;

const STARTS: usize = 100;
const AT_ONCE: usize = 500;

pub(crate) async fn run() -> Vec<Figure> {
    let mut figures = idle().await;
    figures.extend(latency().await);
    figures.extend(crowd().await);
    figures
}

struct Worker {
    plane: FakePlane,
    child: Child,
    dir: tempfile::TempDir,
}

impl Worker {
    /// Starts this `oz-agent-worker` with a setup command, in which `DIR` stands for its directory.
    async fn start(program: &Path, setup: &str) -> (Self, Line) {
        let (plane, dir) = (FakePlane::start().await.unwrap(), bench_dir());
        let script = dir.path().join("setup.sh");
        fs::write(&script, setup.replace("DIR", &dir.path().to_string_lossy())).unwrap();
        let child = tokio::process::Command::new(program)
            .args(["--backend", "direct", "--worker-id", "bench", "--no-git-cache", "--setup-command"])
            .arg(format!("sh {}", script.display()))
            .arg("--workspace-root")
            .arg(dir.path().join("workspaces"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir.path())
            .env("OZ_API_KEY", "key")
            .env("OZ_SERVER_URL", format!("http://{}", plane.address().unwrap()))
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let line = plane.accept().await.unwrap();
        (Self { plane, child, dir }, line)
    }

    /// What the kernel says of its memory, in MiB.
    fn memory_mib(&self, field: &str) -> f64 {
        let path = format!("/proc/{}/smaps_rollup", self.child.id().unwrap());
        let text = fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    async fn end(mut self) {
        self.child.kill().await.unwrap();
        // The guards end what the worker has left.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !processes::naming(self.dir.path()).is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(self.plane);
    }
}

/// The `oz-agent-worker` beside `oz`.
fn beside() -> PathBuf {
    crate::oz().with_file_name("oz-agent-worker")
}

/// Has the kernel drop what it holds of a file. It keeps one that was just written in large pieces, and then counts far more of
/// it as resident than of one that it has read.
fn forget(program: &Path) {
    let file = fs::File::open(program).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

/// The one that `OZ_WORKER_BIN` names, such as the static one of the images, or the one beside `oz`.
async fn idle() -> Vec<Figure> {
    let at_rest = env::var_os("OZ_WORKER_BIN").map_or_else(beside, PathBuf::from);
    forget(&at_rest);
    let (worker, line) = Worker::start(&at_rest, "exit 0").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (rss, pss) = (worker.memory_mib("Rss:"), worker.memory_mib("Pss:"));
    // Pages of a program that was just linked count as written, too; these are none of them.
    let own = worker.memory_mib("Anonymous:");
    drop(line);
    worker.end().await;
    vec![
        Figure::new("idle worker, resident", format!("{rss:.1} MiB"), "<= 8 MiB", rss <= 8.0),
        Figure::info(
            "idle worker, its share of it / not of the program's file",
            format!("{pss:.1} / {own:.1} MiB"),
        ),
    ]
}

/// From the claim on the wire to the first instruction of the setup command, beside the start of the same by this process.
async fn latency() -> Vec<Figure> {
    let note = "date +%s%N > DIR/at-$OZ_RUN_ID.new\nmv DIR/at-$OZ_RUN_ID.new DIR/at-$OZ_RUN_ID\nexit 3\n";
    let (worker, mut line) = Worker::start(&beside(), note).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let offer = Offer::new();
        line.send(&offer.frame()).await.unwrap();
        line.expect("task_claimed", &offer).await.unwrap();
        let claimed = nanos();
        ours.push(millis(claimed, noted(worker.dir.path(), &offer.task_id).await));
        line.expect("task_failed", &offer).await.unwrap();

        let id = format!("bare-{}", offer.task_id);
        let started = nanos();
        let script = worker.dir.path().join("setup.sh");
        let mut child = Command::new("sh").arg(script).env("OZ_RUN_ID", &id).spawn().unwrap();
        bare.push(millis(started, noted(worker.dir.path(), &id).await));
        child.wait().unwrap();
    }
    drop(line);
    worker.end().await;
    let (our_p50, our_p99) = (percentile(&mut ours, 0.5), percentile(&mut ours, 0.99));
    let (bare_p50, bare_p99) = (percentile(&mut bare, 0.5), percentile(&mut bare, 0.99));
    vec![
        Figure::info("start of a shell script, p50 / p99", format!("{bare_p50:.1} / {bare_p99:.1} ms")),
        Figure::new(
            "claim to the same script in a run, p50 / p99",
            format!("{our_p50:.1} / {our_p99:.1} ms"),
            "<= 5 ms more",
            our_p50 - bare_p50 <= 5.0,
        ),
    ]
}

/// Waits for the time that a script notes.
async fn noted(dir: &Path, id: &str) -> i128 {
    let path = dir.join(format!("at-{id}"));
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(text) = fs::read_to_string(&path) {
            return text.trim().parse().unwrap();
        }
        assert!(Instant::now() < deadline, "the script does not start");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

/// The wall clock, which the script reads, too.
fn nanos() -> i128 {
    oz_core::Timestamp::now().as_nanosecond()
}

#[expect(clippy::cast_precision_loss, reason = "a figure to show")]
fn millis(from: i128, to: i128) -> f64 {
    (to - from) as f64 / 1e6
}

/// Many runs at once: each is claimed and ends, once.
async fn crowd() -> Vec<Figure> {
    let (worker, mut line) = Worker::start(&beside(), "sleep 1\nexit 3\n").await;
    let offers: Vec<Offer> = (0..AT_ONCE).map(|_| Offer::new()).collect();
    let started = Instant::now();
    for offer in &offers {
        line.send(&offer.frame()).await.unwrap();
    }
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ends = 0;
    while ends < AT_ONCE {
        let frame = line.frame().await.unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let kind = text(&frame["type"]);
        ends += usize::from(kind == "task_failed");
        said.entry(text(&frame["data"]["task_id"])).or_default().push(kind);
    }
    let took = started.elapsed();
    let peak = worker.memory_mib("Rss:");
    drop(line);
    worker.end().await;
    let once = |offer: &&Offer| {
        said.get(&offer.task_id).is_some_and(|said| *said == ["task_claimed", "task_failed"])
    };
    let whole = offers.iter().filter(once).count();
    vec![
        Figure::new(
            format!("{AT_ONCE} runs at once, claimed and ended exactly once"),
            format!("{whole} in {:.1} s", took.as_secs_f64()),
            "all",
            whole == AT_ONCE,
        ),
        Figure::info("the worker after them, resident", format!("{peak:.1} MiB")),
    ]
}
