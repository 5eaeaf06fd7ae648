//! Workers that hand their runs to a command: the one of the examples, which has them done on this machine.

use oz_core::{RunId, RunState, config::AgentConfig};
use oz_tests::{World, processes, world::Options};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const SCRIPT: &str = "scripts:
  - { match: quick, turns: [{ text: all done }] }
  - { match: slow, turns: [{ tool_calls: [{ name: run_command, input: { command: 'sleep 6; echo done' } }] }, { text: all done }] }
  - { match: endless, turns: [{ tool_calls: [{ name: run_command, input: { command: 'sleep 600' } }] }] }";

fn world() -> World {
    World::start(Options { script: Some(SCRIPT.to_owned()), embedded_worker: false, ..Options::default() })
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/worker").join(name).canonicalize().unwrap()
}

/// Writes the file of a worker whose commands note that they were called. `first` goes before the dispatch.
fn configure(world: &World, first: &str, start_timeout: &str) {
    let (dispatch, cancel) = (example("dispatch-local.sh"), example("cancel-local.sh"));
    let (notes, dispatch, cancel) = (world.path().display(), dispatch.display(), cancel.display());
    let file = format!(
        "backend:
  command:
    dispatch_command: 'echo $OZ_EXECUTION_ID >> {notes}/dispatched; {first} exec {dispatch}'
    cancel_command: 'echo $OZ_EXECUTION_ID >> {notes}/cancelled; exec {cancel}'
    start_timeout: {start_timeout}
    environment: [{{ name: CANARY, value: of-the-agents }}]
"
    );
    fs::write(world.path().join("worker.yaml"), file).unwrap();
}

fn start(world: &mut World) -> usize {
    let file = world.path().join("worker.yaml");
    let runs = world.path().join("local");
    let oz = oz_tests::world::oz_binary();
    world.start_worker_with(
        "w1",
        &["--config-file", file.to_str().unwrap(), "--max-concurrent-tasks", "1"],
        &[("OZ_LOCAL_RUN_DIR", runs.to_str().unwrap()), ("OZ_BIN", oz.to_str().unwrap())],
    )
}

async fn dispatch(world: &World, prompt: &str) -> RunId {
    let config = AgentConfig { worker_host: Some("w1".into()), ..AgentConfig::default() };
    world.dispatch(prompt, config).await
}

/// How often a command was called.
fn calls(world: &World, name: &str) -> usize {
    fs::read_to_string(world.path().join(name)).unwrap_or_default().lines().count()
}

fn remembered(world: &World) -> usize {
    fs::read_dir(world.path().join("home/.local/share/oz/dispatched/w1")).into_iter().flatten().count()
}

async fn until(what: &str, world: &World, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !check() {
        assert!(Instant::now() < deadline, "{what} does not happen\n{}", world.read_log("w1"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nothing runs of what was dispatched: its last word comes after the end of its run.
async fn gone(world: &World) {
    let local = world.path().join("local");
    until("the end of what was dispatched", world, || {
        processes::naming(&local).iter().all(|process| process.command.contains(" worker "))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_on_elsewhere_report_by_themselves_and_are_forgotten() {
    let mut world = world();
    configure(&world, "", "1s");
    start(&mut world);
    // Longer than the lease and than the worker vouches for it: what it hears from the agent keeps it. And as many as
    // there are, for a dispatched run takes no slot.
    let runs =
        [dispatch(&world, "slow").await, dispatch(&world, "slow").await, dispatch(&world, "quick").await];
    for run in runs {
        let run = world.wait(run).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.status_message, world.read_log("w1"));
    }
    assert_eq!((calls(&world, "dispatched"), calls(&world, "cancelled")), (3, 0), "{}", world.read_log("w1"));
    let log = world.read_log("w1");
    assert!(log.contains("dispatched; it reports by itself") && !log.contains("of-the-agents"), "{log}");
    gone(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_forgotten_and_not_cancelled() {
    let mut world = world();
    configure(&world, "", "10m");
    start(&mut world);
    let run = dispatch(&world, "quick").await;
    assert_eq!(world.wait(run).await.state, RunState::Succeeded);
    until("forgetting", &world, || world.read_log("w1").contains("a dispatched run is over")).await;
    assert_eq!((remembered(&world), calls(&world, "cancelled")), (0, 0));
    gone(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_worker_still_cancels_what_it_dispatched() {
    let mut world = world();
    configure(&world, "", "10m");
    let worker = start(&mut world);
    let run = dispatch(&world, "endless").await;
    world.until(run, |run| run.state == RunState::InProgress).await;
    world.kill_worker(worker);
    assert_eq!(remembered(&world), 1);
    start(&mut world);
    until("connecting again", &world, || {
        world.read_log("w1").contains("knows of runs")
            && world.read_log("w1").matches("connected to the").count() == 2
    })
    .await;
    let cancelled = world.oz(&["run", "cancel", &run.to_string()]);
    assert_eq!(cancelled.code, 0, "{}", cancelled.stderr);
    assert_eq!(world.wait(run).await.state, RunState::Cancelled);
    until("cancelling", &world, || calls(&world, "cancelled") == 1 && remembered(&world) == 0).await;
    assert_eq!(calls(&world, "dispatched"), 1);
    gone(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_agent_never_shows_up_is_tried_again() {
    let mut world = world();
    // The first is accepted and then lost.
    let first = format!("if mkdir {}/lost 2>/dev/null; then exit 0; fi;", world.path().display());
    configure(&world, &first, "2s");
    start(&mut world);
    let run = dispatch(&world, "quick").await;
    let run = world.wait(run).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}\n{}", run.status_message, world.read_log("w1"));
    assert_eq!(calls(&world, "dispatched"), 2);
    gone(&world).await;
}
