//! The guard with real processes. The test binary starts itself again as the guard process.

use super::*;
use std::{
    path::Path,
    process::{Child, ChildStdin},
};

/// The environment variable that turns a copy of the test binary into a guard process.
pub(crate) const AS_GUARD: &str = "OZ_TEST_AS_GUARD";
/// The arguments that make it run nothing but [`guard_process`]; the guarded command follows.
pub(crate) const ARGUMENTS: [&str; 4] = ["--exact", "guard::tests::guard_process", "--nocapture", "--"];

#[test]
fn guard_process() {
    if std::env::var_os(AS_GUARD).is_some() {
        let command = std::env::args_os().skip_while(|argument| argument != "--").skip(1).collect();
        std::process::exit(watch(command).into());
    }
}

struct Guarded {
    process: Child,
    pipe: Option<ChildStdin>,
    mark: String,
    directory: tempfile::TempDir,
}

impl Guarded {
    /// Starts a shell script below a guard and waits until the script has created the file `ready`.
    fn start(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mark = format!("OZ_TEST_RUN={}", uuid::Uuid::new_v4());
        let (name, value) = mark.split_once('=').unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(ARGUMENTS)
            .args(["sh", "-c", script])
            .env(AS_GUARD, "1")
            .env(name, value)
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pipe = process.stdin.take();
        let guarded = Self { process, pipe, mark, directory };
        guarded.wait_for("ready");
        guarded
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    fn wait_for(&self, name: &str) {
        wait_until(name, || self.directory.path().join(name).exists());
    }

    fn left(&self) -> usize {
        Table::read().marked(&self.mark).count()
    }

    /// Waits for the guard and checks that nothing of the run is left.
    fn end(mut self, limit: Duration) -> i32 {
        let start = Instant::now();
        let status = self.process.wait().unwrap();
        assert!(start.elapsed() < limit, "took {:?}", start.elapsed());
        assert_eq!(self.left(), 0, "something outlived its run");
        status.code().unwrap()
    }
}

fn wait_until(what: &str, check: impl Fn() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

const LONG: Duration = Duration::from_secs(15);

#[test]
fn the_exit_code_comes_through() {
    assert_eq!(Guarded::start("touch ready; exit 7").end(LONG), 7);
    assert_eq!(Guarded::start("touch ready; kill -9 $$").end(LONG), 137);
}

#[test]
fn a_missing_program_is_reported() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(ARGUMENTS)
        .arg("/no/such/program")
        .env(AS_GUARD, "1")
        .stdin(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(127));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't start '/no/such/program'"));
}

#[test]
fn daemons_die_with_their_agent() {
    // A grandchild with a session of its own, ignoring what can be ignored, whose parent is gone.
    let script = "sh -c 'trap \"\" TERM HUP; setsid sh -c \"trap \\\"\\\" TERM HUP; echo \\$\\$ > daemon; touch ready; \
                  while :; do sleep 1; done\" &'; while [ ! -e ready ]; do sleep 0.01; done; exit 3";
    let guarded = Guarded::start(script);
    let daemon = guarded.file("daemon");
    assert_eq!(guarded.end(LONG), 3);
    assert!(!Path::new(&format!("/proc/{}", daemon.trim())).exists());
}

#[test]
fn the_end_of_the_pipe_ends_an_agent_that_listens() {
    let mut guarded =
        Guarded::start("trap 'touch asked; exit 5' TERM; touch ready; while :; do sleep 0.02; done");
    drop(guarded.pipe.take());
    guarded.wait_for("asked");
    assert_eq!(guarded.end(Duration::from_secs(2)), 5);
}

#[test]
fn the_end_of_the_pipe_ends_an_agent_that_does_not_listen() {
    let mut guarded = Guarded::start(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; touch ready; sleep 60' & while :; do sleep 1; done",
    );
    drop(guarded.pipe.take());
    assert_eq!(guarded.end(Duration::from_secs(2)), 137);
}

#[test]
fn sigterm_ends_it_too() {
    let guarded = Guarded::start("touch ready; sleep 60");
    rustix::process::kill_process(Pid::from_child(&guarded.process), Signal::TERM).unwrap();
    assert_eq!(guarded.end(Duration::from_secs(2)), 143);
}

#[test]
fn a_fork_bomb_is_stopped() {
    // Bounded, so that a failure of this test does not take the machine with it.
    let script =
        "f() { [ $1 -gt 0 ] && { f $(($1 - 1)) & f $(($1 - 1)) & }; sleep 60; }; f 6 & touch ready; sleep 60";
    let mut guarded = Guarded::start(script);
    drop(guarded.pipe.take());
    guarded.end(LONG);
}

#[test]
fn orphans_of_a_killed_guard_are_found_by_who_adopts_them() {
    process::adopt_orphans();
    let mut guarded = Guarded::start("setsid sh -c 'touch ready; sleep 60' & sleep 60");
    let session = Pid::from_child(&guarded.process);
    wait_until("the session", || Table::read().children(session).any(|row| row.session == Some(session)));
    guarded.process.kill().unwrap();
    guarded.process.wait().unwrap();
    assert!(guarded.left() > 0, "the test must have something to find");
    assert!(process::kill_orphans(session, &guarded.mark, LONG));
    assert_eq!(guarded.left(), 0);
    let me = rustix::process::getpid();
    assert!(!Table::read().children(me).any(|row| row.session == Some(session)), "a zombie is left");
}
