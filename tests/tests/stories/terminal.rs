//! `oz agent run` at a terminal: a real pseudo-terminal, at which somebody types and presses Ctrl-C.

use oz_tests::world::oz_binary;
use pty_process::{
    Size,
    blocking::{Command, Pty, open},
};
use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::Child,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const SCRIPT: &str = r#"
scripts:
  - match: watch the clock
    turns:
      - tool_calls: [{ name: run_command, input: { command: "touch started; sleep 600" } }]
      - { expect: (?s)interrupted by the user.*look away, text: I looked away. }
  - match: say hello
    turns:
      - { text: Hello. }
      - { expect: and again, text: "Hello, *again*." }
  - match: ask me
    turns:
      - tool_calls: [{ name: ask_user, input: { question: "Which colour?", options: [red, blue] } }]
      - { expect: blue, text: It is blue. }
"#;

/// A home and a person at a terminal of 60 columns.
struct Desk {
    dir: TempDir,
    child: Child,
    pty: Arc<Pty>,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Desk {
    fn run(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script.yaml");
        std::fs::write(&script, SCRIPT).unwrap();
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, 60)).unwrap();
        let child = Command::new(oz_binary())
            .args(["agent", "run", "--offline", "--model", "scripted"])
            .args(args)
            .env_clear()
            .env("HOME", dir.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm-256color")
            .env("OZ_SCRIPTED_MODEL", &script)
            .current_dir(dir.path())
            .spawn(pts)
            .unwrap();
        let (pty, shown) = (Arc::new(pty), Arc::default());
        let (from, to): (_, Arc<Mutex<Vec<u8>>>) = (Arc::clone(&pty), Arc::clone(&shown));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = (&*from).read(&mut bytes) {
                to.lock().unwrap().extend(&bytes[..count]);
            }
        });
        Self { dir, child, pty, shown }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn until(&self, what: &str, mut holds: impl FnMut(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.shown()) {
            assert!(start.elapsed() < Duration::from_secs(30), "{what} never comes:\n{}", self.shown());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn sees(&self, text: &str) {
        self.until(text, |shown| shown.contains(text));
    }

    fn file(&self, name: &str) {
        let path = self.dir.path().join(name);
        self.until(name, |_| path.exists());
    }

    fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    fn ends(&mut self, code: i32) -> String {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "it does not end:\n{}", self.shown());
            thread::sleep(Duration::from_millis(10));
        };
        // What it wrote last may still be on its way.
        thread::sleep(Duration::from_millis(100));
        let shown = self.shown();
        assert_eq!(status.code(), Some(code), "{shown}");
        shown
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a command that was started in `dir` still runs.
fn works_in(dir: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|p| std::fs::read_link(p.path().join("cwd")).ok()).any(|cwd| cwd == dir)
}

#[test]
fn ctrl_c_interrupts_and_the_person_says_what_to_do_instead() {
    let mut desk = Desk::run(&["-p", "watch the clock"]);
    desk.file("started");
    desk.types("\x03");
    desk.sees("Say what to do instead");
    desk.sees("interrupted by the user");
    desk.types("look awax\x7fy\r");
    let shown = desk.ends(0);
    assert!(shown.contains("› look away") && shown.contains("I looked away."), "{shown}");
    assert!(shown.ends_with("\x1b[?25h"), "the terminal is given back: {shown:?}");
}

#[test]
fn a_second_ctrl_c_ends_the_run() {
    for pause in [Duration::ZERO, Duration::from_millis(2500)] {
        let mut desk = Desk::run(&["-p", "watch the clock"]);
        desk.file("started");
        desk.types("\x03");
        desk.sees("Say what to do instead");
        thread::sleep(pause);
        desk.types("\x03");
        let shown = desk.ends(130);
        assert!(shown.contains("CANCELLED") && shown.contains("\x1b[?25h"), "{shown:?}");
        if cfg!(target_os = "linux") {
            assert!(!works_in(desk.dir.path()), "something is left");
        }
    }
}

#[test]
fn who_talks_goes_on_until_there_is_nothing_to_say() {
    for (end, args) in [
        ("\x04", &["-i", "-p", "say hello"][..]),
        ("\x03", &["-i"]),
        ("", &["-p", "say hello", "--idle-on-complete", "1s"]),
    ] {
        let mut desk = Desk::run(args);
        if args.len() == 1 {
            desk.sees("What is to be done?");
            desk.types("say hello\r");
        }
        desk.sees("Hello.");
        if !end.is_empty() {
            desk.types("and again\r");
            desk.sees("again\x1b[0m.");
            // It rests soon after it has spoken.
            thread::sleep(Duration::from_millis(500));
            desk.types(end);
        }
        let _ = desk.ends(0);
    }
}

#[test]
fn a_question_is_answered_with_its_number() {
    let mut desk = Desk::run(&["-p", "ask me"]);
    desk.sees("2. blue");
    desk.types("2\r");
    let shown = desk.ends(0);
    assert!(shown.contains("It is blue."), "{shown}");
}
