//! What the tests of the checks share: programs and services that are there for one test.

use super::{Check, Group, gather, report::Status};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Checks, a line each.
pub(super) fn shown(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let fix = check.fix.as_ref().map(|fix| format!(" => {fix}")).unwrap_or_default();
        format!("{} {}: {}{fix}", check.status, check.name, check.message)
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A directory of shell scripts that stand for programs.
pub(super) struct Programs(tempfile::TempDir);

impl Programs {
    pub(super) fn new(scripts: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            // Written by another process: a file that some thread of this one has open for writing, be it only in a
            // child that is just being started, can't be executed.
            let written = Command::new("/bin/sh")
                .args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", script])
                .arg(dir.path().join(name))
                .status()
                .unwrap();
            assert!(written.success());
        }
        Self(dir)
    }

    pub(super) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

/// A web service with fixed answers; everything else is 404. It lives as long as its test process.
pub(super) struct Service {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(super) fn start(answers: &[(&str, u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<_> = answers
            .iter()
            .map(|(path, status, body)| ((*path).to_owned(), *status, (*body).to_owned()))
            .collect();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match socket.read(&mut buffer) {
                        Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
                        _ => break,
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().unwrap().push(request);
                let answer = answers.iter().find(|(known, ..)| *known == path);
                let (status, body) = answer.map_or((404, ""), |(_, status, body)| (*status, body.as_str()));
                let length = body.len();
                let _ = write!(
                    socket,
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, requests }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn groups_work_at_the_same_time_and_are_shown_in_their_order() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let checks = gather(
        vec![
            // Done only when the second one works meanwhile.
            Group::new("first", async { vec![Check::ok("first", told.await.unwrap())] }),
            Group::new("second", async move {
                tell.send("heard").unwrap();
                vec![Check::ok("a", "1"), Check::ok("b", "2")]
            }),
            Group::new("endless", std::future::pending()),
        ],
        Duration::from_millis(200),
    )
    .await;
    let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["first", "a", "b", "endless"]);
    assert_eq!((checks[0].message.as_str(), checks[3].status), ("heard", Status::Warning));
}
