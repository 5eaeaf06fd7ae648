use super::*;
use std::{fs, time::Instant};

const SECRET: &str = "canary-0123456789";

fn alive(mark: &str) -> usize {
    let entry = format!("{PROCESS_MARK}={mark}");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let marked = entries.filter(|e| {
        let environ = fs::read(e.path().join("environ")).unwrap_or_default();
        environ.split(|b| *b == 0).any(|v| v == entry.as_bytes())
    });
    let live = marked.filter(|e| {
        let stat = fs::read_to_string(e.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.starts_with('Z'))
    });
    live.count()
}

async fn sh(script: &str, mark: &str, limit: Duration) -> Ran {
    sh_with(&Redactor::default(), script, mark, limit).await
}

async fn sh_with(redactor: &Redactor, script: &str, mark: &str, limit: Duration) -> Ran {
    let env = std::env::vars().collect();
    let words = ["/bin/sh", "-c", script];
    run(Command {
        words: &words,
        directory: Path::new("/"),
        env: &env,
        mark: mark.into(),
        limit,
        redactor,
        live: None,
    })
    .await
    .unwrap()
}

fn mark() -> String {
    uuid::Uuid::new_v4().to_string()
}

const LONG: Duration = Duration::from_secs(30);

async fn until_none_lives(mark: &str) {
    let start = Instant::now();
    while alive(mark) > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "{} still live", alive(mark));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn output_and_errors_come_in_order_with_the_exit_code() {
    let ran = sh("echo one; echo two >&2; echo three; exit 7", &mark(), LONG).await;
    assert_eq!((ran.exit_code, ran.output.into_text().as_str()), (Some(7), "one\ntwo\nthree\n"));
    assert_eq!(sh("kill -9 $$", &mark(), LONG).await.exit_code, Some(137));
    assert_eq!(sh("cat", &mark(), LONG).await.exit_code, Some(0), "standard input is empty");
}

#[tokio::test]
async fn a_time_out_kills_everything_that_came_of_the_command() {
    let mark = mark();
    // A child that ignores signals, one in a session of its own, and one whose parent is gone.
    let script = "trap '' TERM; (setsid sh -c 'sleep 61 & wait' &) ; (sleep 62 &) ; echo begun; sleep 63";
    let started = Instant::now();
    let ran = sh(script, &mark, Duration::from_millis(400)).await;
    assert_eq!((ran.exit_code, ran.output.into_text().as_str()), (None, "begun\n"));
    assert!(started.elapsed() < Duration::from_secs(3));
    until_none_lives(&mark).await;
}

#[tokio::test]
async fn a_dropped_command_is_killed_at_once() {
    let mark = mark();
    let running = sh("(setsid sleep 61 &); sleep 62", &mark, LONG);
    let _ = timeout(Duration::from_millis(300), running).await;
    until_none_lives(&mark).await;
}

#[tokio::test]
async fn a_server_in_the_background_outlives_its_command_and_holds_nothing_up() {
    let mark = mark();
    let started = Instant::now();
    let ran = sh("sh -c 'while echo x; do sleep 0.05; done' & echo started", &mark, LONG).await;
    assert_eq!(ran.exit_code, Some(0));
    assert!(ran.output.into_text().contains("started"));
    assert!(started.elapsed() < Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(alive(&mark) > 0, "it must survive that nobody listens");
    Family { leader: None, mark: mark.clone() }.kill();
    until_none_lives(&mark).await;
}

#[tokio::test]
async fn output_without_end_is_kept_in_bounded_memory() {
    let ran = sh("head -c 300000000 /dev/zero; echo end", &mark(), LONG).await;
    assert_eq!(ran.exit_code, Some(0));
    assert_eq!(ran.output.dropped(), 300_000_004 - 2 * KEEP as u64);
    let text = ran.output.into_text();
    assert!(text.ends_with("end\n") && text.len() < 8 * KEEP);
}

#[tokio::test]
async fn what_can_t_be_started_is_an_error() {
    let command = Command {
        words: &["/no/such/program"],
        directory: Path::new("/"),
        env: &BTreeMap::new(),
        mark: mark(),
        limit: LONG,
        redactor: &Redactor::default(),
        live: None,
    };
    assert_eq!(run(command).await.err().unwrap().kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn no_half_of_a_secret_stands_where_output_is_cut() {
    // The secret lies across the end of what is kept of the beginning, and across the beginning of what is kept of the end.
    let pad = |n: usize| format!("head -c {n} /dev/zero | tr '\\0' .");
    let secret = format!("printf %s {SECRET}");
    let script = format!("{}; {secret}; {}; {secret}; {}", pad(KEEP - 8), pad(KEEP * 4), pad(KEEP - 8));
    let text = sh_with(&Redactor::new([SECRET]), &script, &mark(), LONG).await.output.into_text();
    assert!(text.contains("bytes left out"));
    for part in ["canary", "456789", "ary-0"] {
        assert!(!text.contains(part), "{part}");
    }
    assert!(text.contains("..***.....\n[…"), "the mark takes its place");
}
