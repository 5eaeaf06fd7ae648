//! The native agent: time to the first model request, a trivial turn, peak memory. The model is a socket in this process
//! that answers at once.

use crate::{Figure, oz, percentile, server::bench_dir};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

const TIMES: usize = 20;

struct Sample {
    first_request: f64,
    whole: f64,
    peak_mib: f64,
    request_bytes: usize,
}

pub(crate) fn run() -> Vec<Figure> {
    let samples: Vec<Sample> = (0..TIMES).map(|_| sample()).collect();
    let median = |of: fn(&Sample) -> f64| percentile(&mut samples.iter().map(of).collect::<Vec<_>>(), 0.5);
    let first = median(|s| s.first_request);
    let whole = median(|s| s.whole);
    let peak = median(|s| s.peak_mib);
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    let bytes = samples[0].request_bytes as f64 / 1024.0;
    vec![
        Figure::new(
            "`oz agent run`, exec to first model request",
            format!("{first:.1} ms"),
            "<= 20 ms",
            first <= 20.0,
        ),
        Figure::new(
            "`oz agent run`, one trivial turn, exec to exit",
            format!("{whole:.1} ms"),
            "<= 50 ms",
            whole <= 50.0,
        ),
        Figure::new("`oz agent run`, peak resident", format!("{peak:.1} MiB"), "<= 25 MiB", peak <= 25.0),
        Figure::new("first model request", format!("{bytes:.1} KiB"), "<= 15 KiB", bytes <= 15.0),
    ]
}

fn sample() -> Sample {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, requests) = mpsc::channel();
    let model = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let size = read_request(&mut socket);
        asked.send((Instant::now(), size)).unwrap();
        socket.write_all(ANSWER.replace('\n', "\r\n").as_bytes()).unwrap();
        body(&mut socket);
    });
    let dir = bench_dir();
    let started = Instant::now();
    let mut child = Command::new(oz())
        .args([
            "agent",
            "run",
            "--offline",
            "-p",
            "hi",
            "--model",
            "anthropic/bench",
            "--output-format",
            "json",
        ])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir.path())
        .env("ANTHROPIC_BASE_URL", url)
        .env("ANTHROPIC_API_KEY", "bench")
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (at, request_bytes) = requests.recv_timeout(Duration::from_secs(10)).expect("no request came");
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak(child.id()).unwrap_or(peak_kib).max(peak_kib);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_micros(200));
    };
    let whole = started.elapsed().as_secs_f64() * 1e3;
    assert!(status.success(), "the agent failed");
    model.join().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    let peak_mib = peak_kib as f64 / 1024.0;
    Sample { first_request: (at - started).as_secs_f64() * 1e3, whole, peak_mib, request_bytes }
}

/// The highest resident size of a process so far, in KiB.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find(|l| l.starts_with("VmHWM:"))?.split_whitespace().nth(1)?.parse().ok()
}

/// Reads a request; returns the size of its body.
fn read_request(socket: &mut TcpStream) -> usize {
    let mut reader = BufReader::new(socket);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    length
}

const ANSWER: &str = "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nConnection: close\n\n";

fn body(socket: &mut TcpStream) {
    for (event, data) in [
        (
            "message_start",
            r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"bench","stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#,
        ),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        (
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello."}}"#,
        ),
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        (
            "message_delta",
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        ),
        ("message_stop", r#"{"type":"message_stop"}"#),
    ] {
        socket.write_all(format!("event: {event}\ndata: {data}\n\n").as_bytes()).unwrap();
    }
}
