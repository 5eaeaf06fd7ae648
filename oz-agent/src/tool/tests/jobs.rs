use super::*;
use std::{
    path::Path,
    time::{Duration, Instant},
};

impl Room {
    async fn begin(&self, command: &str, kind: &str) -> (u64, Done) {
        let done = self.ok("run_command", json!({ "command": command, kind: true })).await;
        (done.output["job_id"].as_u64().unwrap_or_else(|| panic!("{}", done.content)), done)
    }

    async fn press(&self, job: u64, text: &str, keys: &[&str]) -> String {
        self.ok("write_to_job", json!({ "job_id": job, "text": text, "keys": keys })).await.content
    }

    async fn until(&self, job: u64, text: &str) -> Done {
        let done = self.ok("read_job", json!({ "job_id": job, "until": text })).await;
        assert!(!done.content.contains("did not come"), "{}", done.content);
        done
    }

    fn alive(&self, word: &str) -> usize {
        alive(self.desk.workspace.root(), word)
    }

    async fn until_none_lives(&self, word: &str) {
        until_none_lives(self.desk.workspace.root(), word).await;
    }
}

/// The processes in `root` whose command lines contain `word`.
fn alive(root: &Path, word: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|e| {
        let line = fs::read(e.path().join("cmdline")).unwrap_or_default();
        let directory = fs::read_link(e.path().join("cwd")).unwrap_or_default();
        directory.starts_with(root) && String::from_utf8_lossy(&line).contains(word)
    });
    ours.count()
}

async fn until_none_lives(root: &Path, word: &str) {
    let start = Instant::now();
    while alive(root, word) > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "{} still live", alive(root, word));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_is_started_probed_and_killed() {
    let room = Room::new(&[("page", "hello from here\n")]);
    let serve = "python3 -u -m http.server --bind 127.0.0.1 0";
    let (job, done) = room.begin(serve, "background").await;
    assert_eq!(done.output["status"], "running");
    let mut shown = done.content;
    if !shown.contains("Serving HTTP") {
        shown = room.until(job, "Serving HTTP").await.content;
    }
    let (_, port) = shown.split_once(" port ").unwrap();
    let port: u16 = port.split(' ').next().unwrap().parse().unwrap();
    let curl = format!("curl -s http://127.0.0.1:{port}/page");
    let done = room.ok("run_command", json!({ "command": curl })).await;
    assert_eq!(done.output["output"], "hello from here\n");
    let done = room.until(job, "GET /page").await;
    assert!(!done.content.contains("Serving HTTP"), "old output is not shown again: {}", done.content);
    let done = room.ok("kill_job", json!({ "job_id": job })).await;
    assert!(done.content.contains("was killed"), "{}", done.content);
    room.until_none_lives("http.server").await;
    let message = room.fails("read_job", json!({ "job_id": job })).await;
    assert_eq!(message, format!("job_id: there is no job {job}; none was started"));
}

#[tokio::test]
async fn a_command_that_ignores_signals_is_killed_with_all_that_hides() {
    let room = Room::new(&[]);
    let (job, _) = room
        .begin("trap '' TERM INT HUP; (setsid sleep 61 &); echo up; while :; do sleep 62; done", "background")
        .await;
    assert!(room.alive("sleep") >= 2);
    let begun = Instant::now();
    let done = room.ok("kill_job", json!({ "job_id": job })).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "it may end by itself first");
    assert_eq!(done.output["exit_code"], 137);
    room.until_none_lives("sleep").await;
}

/// Whether this process was started with SIGINT ignored.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & 2 != 0)
}

#[tokio::test]
async fn jobs_are_written_to_and_end_when_their_input_does() {
    let room = Room::new(&[]);
    let (job, _) =
        room.begin("while read line; do echo got $line; done; echo bye; exit 3", "background").await;
    let shown = room.press(job, "one", &["Enter"]).await;
    assert!(shown.ends_with("new output:\ngot one\n"), "{shown}");
    let shown = room.press(job, "two\nthree\n", &["Ctrl-D"]).await;
    assert!(shown.contains("exit_code: 3") && shown.ends_with("got two\ngot three\nbye\n"), "{shown}");
    // A shell can't trap what was ignored before it began, as in whatever a script starts with `&`.
    if !ignores_interrupts() {
        let (job, _) =
            room.begin("trap 'echo stopped; exit 5' INT; while :; do sleep 0.05; done", "background").await;
        let shown = room.press(job, "", &["Ctrl-C"]).await;
        assert!(shown.contains("exit_code: 5") && shown.contains("stopped"), "{shown}");
    }
    let (job, _) = room.begin("sleep 60", "background").await;
    let message =
        room.fails("write_to_job", json!({ "job_id": job, "keys": ["Enter", "Return-Of-Ctrl"] })).await;
    assert!(message.contains("there is no key 'Return-Of-Ctrl'"), "{message}");
    let message = room.fails("write_to_job", json!({ "job_id": job })).await;
    assert!(message.contains("both are empty"), "{message}");
}

#[tokio::test]
async fn a_command_that_takes_too_long_goes_on_when_it_was_asked_for() {
    let room = Room::new(&[]);
    let slow = json!({ "command": "echo begun; sleep 2; echo done; exit 6", "timeout_seconds": 1, "on_timeout": "background" });
    let done = room.ok("run_command", slow).await;
    assert_eq!((&done.output["status"], &done.output["output"]), (&json!("running"), &json!("begun\n")));
    let message = room.fails("write_to_job", json!({ "job_id": 1, "text": "x" })).await;
    assert!(message.contains("its input is closed"), "{message}");
    let done = room.ok("read_job", json!({ "job_id": 1, "wait_seconds": 30 })).await;
    assert_eq!((&done.output["exit_code"], &done.output["output"]), (&json!(6), &json!("done\n")));
}

#[tokio::test]
async fn whoever_is_not_waited_for_any_more_is_killed() {
    let room = Room::new(&[]);
    let call = room.call("run_command", json!({ "command": "(setsid sleep 61 &); sleep 62" }));
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
    room.until_none_lives("sleep").await;
    room.begin("sleep 63 & wait", "background").await;
    room.begin("sleep 64 & cat", "pty").await;
    room.ok("run_command", json!({ "command": "nohup setsid sleep 65 >/dev/null 2>&1 &" })).await;
    assert!(room.alive("sleep") >= 3);
    let Room { dir, desk } = room;
    let root = desk.workspace.root().to_owned();
    drop(desk);
    until_none_lives(&root, "sleep").await;
    assert!(fs::read_dir(dir.path().join("home")).unwrap().next().is_none(), "what they printed is gone too");
}

#[tokio::test]
async fn a_terminal_shows_what_a_person_would_see() {
    let room = Room::new(&[("text", "one\ntwo\n")]);
    let (job, done) = room.begin("python3 -q", "pty").await;
    assert!(done.content.contains("screen:\n"), "{}", done.content);
    room.until(job, ">>>").await;
    room.press(job, "a = 6 * 7", &["Enter"]).await;
    let shown = room.press(job, "print('x' * 3, a)", &["Enter"]).await;
    assert!(shown.contains("\nxxx 42\n>>>"), "{shown}");
    let shown = room.press(job, "", &["Ctrl-D"]).await;
    assert!(shown.contains("has ended; exit_code: 0"), "{shown}");

    let (job, _) = room.begin("vim -u NONE -N text", "pty").await;
    let shown = room.until(job, "two").await.content;
    assert!(shown.contains("one\ntwo\n~\n~"), "{shown}");
    room.press(job, "", &["Down"]).await;
    let shown = room.press(job, "Othe middle", &["Escape"]).await;
    assert!(shown.contains("one\nthe middle\ntwo\n~") && shown.contains("[cursor: line 2"), "{shown}");
    let shown = room.press(job, ":wq", &["Enter"]).await;
    assert!(shown.contains("exit_code: 0"), "{shown}");
    assert_eq!(room.read("text"), "one\nthe middle\ntwo\n");

    let (job, _) = room.begin("seq 500 | less", "pty").await;
    let shown = room.press(job, "G", &[]).await;
    assert!(shown.contains("\n500\n") && !shown.contains("\n400\n"), "{shown}");
    let shown = room.press(job, "q", &[]).await;
    assert!(shown.contains("has ended"), "{shown}");
}

#[tokio::test]
async fn commits_are_rebased_interactively() {
    let room = Room::new(&[]);
    let git = "git init -q . && git config user.email a@b && git config user.name n && \
               for n in one two three; do echo $n >$n; git add .; git commit -qm $n; done";
    room.ok("run_command", json!({ "command": git })).await;
    let (job, _) = room.begin("GIT_EDITOR='vim -u NONE -N' git rebase -i HEAD~2", "pty").await;
    room.until(job, "pick").await;
    room.press(job, ":2s/pick/fixup/", &["Enter"]).await;
    let shown = room.press(job, ":wq", &["Enter"]).await;
    assert!(shown.contains("Successfully rebased"), "{shown}");
    let done = room.ok("run_command", json!({ "command": "git log --format=%s" })).await;
    assert_eq!(done.output["output"], "two\none\n");
}

#[tokio::test]
async fn a_program_that_asks_its_terminal_gets_an_answer_and_no_secret_is_on_the_screen() {
    let room = Room::new(&[("secret", SECRET)]);
    let ask = "stty raw -echo; printf 'ab\\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null | od -An -c); stty sane; echo; echo $answer; cat secret; echo; cat";
    let (job, done) = room.begin(ask, "pty").await;
    let shown = if done.content.contains("***") { done } else { room.until(job, "***").await };
    assert!(
        shown.content.contains("033 [ 1 ; 3 R") && !shown.content.contains("canary"),
        "{}",
        shown.content
    );
    room.ok("kill_job", json!({ "job_id": job })).await;
}
