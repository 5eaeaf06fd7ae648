//! How soon the program is there: its version, its help, a control plane that answers.

use crate::{Figure, oz, percentile};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const TIMES: usize = 30;

pub(crate) fn run() -> Vec<Figure> {
    let base = command("true".as_ref(), &[]);
    let version = command(oz().as_os_str(), &["--version"]);
    let help = command(oz().as_os_str(), &["--help"]);
    let mut healthy: Vec<f64> = (0..10).map(|_| until_healthy()).collect();
    let healthy = percentile(&mut healthy, 0.5);
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    let size = std::fs::metadata(oz()).unwrap().len() as f64 / 1e6;
    vec![
        Figure::info("`true`, exec to exit", format!("{base:.1} ms")),
        Figure::new("`oz --version`, exec to exit", format!("{version:.1} ms"), "<= 5 ms", version <= 5.0),
        Figure::info("`oz --help`, exec to exit", format!("{help:.1} ms")),
        Figure::new(
            "`oz serve` on a new directory, exec to /healthz",
            format!("{healthy:.0} ms"),
            "<= 60 ms",
            healthy <= 60.0,
        ),
        Figure::new("size of the one binary", format!("{size:.1} MB"), "<= 35 MB", size <= 35.0),
    ]
}

fn command(program: &std::ffi::OsStr, args: &[&str]) -> f64 {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            let status = Command::new(program).args(args).stdout(Stdio::null()).status().unwrap();
            assert!(status.success());
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    percentile(&mut times, 0.5)
}

/// Starts a control plane on a port that was free a moment ago, and asks until it answers.
fn until_healthy() -> f64 {
    let dir = crate::server::bench_dir();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Instant::now();
    let mut child = Command::new(oz())
        .args(["serve", "--no-worker", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(dir.path().join("data"))
        .env("HOME", dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let taken = loop {
        if answers(port) {
            break started.elapsed().as_secs_f64() * 1e3;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the server does not come up");
        std::thread::sleep(Duration::from_micros(500));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    taken
}

fn answers(port: u16) -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = [0; 12];
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").is_ok()
        && socket.read_exact(&mut answer).is_ok()
        && answer.ends_with(b"200")
}
