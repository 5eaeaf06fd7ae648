//! Git logs in by `oz git-credential`, which asks the driver of its run.

use oz_tests::world::oz_binary;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixListener,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// Stands in for a driver that has one login; answers with what it was asked.
fn driver(socket: &Path) -> thread::JoinHandle<Vec<Value>> {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let mut asked = Vec::new();
        for connection in listener.incoming().take(2) {
            let mut connection = connection.unwrap();
            let mut line = String::new();
            BufReader::new(&connection).read_line(&mut line).unwrap();
            let question: Value = serde_json::from_str(&line).unwrap();
            let answer = match question["host"].as_str() {
                Some("git.example:3000") => {
                    json!({ "kind": "git-login", "username": "me", "password": "p w=1" })
                }
                _ => json!({ "kind": "none" }),
            };
            writeln!(connection, "{answer}").unwrap();
            asked.push(question);
        }
        asked
    })
}

fn fill(helper: &str, socket: Option<&Path>, attributes: &str) -> Output {
    let mut git = Command::new("git");
    git.args(["-c", &format!("credential.helper={helper}"), "credential", "fill"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("OZ_GIT_SOCKET")
        .env_remove("GIT_ASKPASS")
        .env_remove("SSH_ASKPASS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(socket) = socket {
        git.env("OZ_GIT_SOCKET", socket);
    }
    let mut git = git.spawn().unwrap();
    git.stdin.take().unwrap().write_all(attributes.as_bytes()).unwrap();
    git.wait_with_output().unwrap()
}

#[test]
fn git_gets_the_login_of_a_host_and_nothing_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let driver = driver(&socket);
    let helper = format!("!'{}' git-credential", oz_binary().display());
    let known = fill(&helper, Some(&socket), "protocol=http\nhost=git.example:3000\n\n");
    let text = String::from_utf8(known.stdout).unwrap();
    assert!(text.contains("username=me\npassword=p w=1\n"), "{text}");
    let unknown = fill(&helper, Some(&socket), "protocol=https\nhost=other.example\nusername=x\n\n");
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    let asked = driver.join().unwrap();
    assert_eq!(asked[0], json!({ "kind": "git-login", "protocol": "http", "host": "git.example:3000" }));
    assert_eq!(asked[1]["username"], "x");
    let away = fill(&helper, Some(&dir.path().join("gone")), "protocol=https\nhost=h\n\n");
    let said = String::from_utf8_lossy(&away.stderr).into_owned();
    assert!(said.contains("the driver of the run can't be asked"), "{said}");
    let outside = fill(&helper, None, "protocol=https\nhost=h\n\n");
    let said = String::from_utf8_lossy(&outside.stderr).into_owned();
    assert!(said.contains("OZ_GIT_SOCKET is not set"), "{said}");
}
