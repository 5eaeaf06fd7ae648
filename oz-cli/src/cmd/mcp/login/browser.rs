//! A login in a browser on this machine. The browser comes back to a port of ours; where it can't, because it runs
//! elsewhere, the address that it came back to can be pasted.

use crate::out;
use jiff::Timestamp;
use oz_agent::oauth::{KnownClient, Login};
use oz_core::secret::McpOauth;
use std::{io, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

/// How long a user may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a browser may take to say what it wants.
const REQUEST: Duration = Duration::from_secs(10);
const PATH: &str = "/callback";
const DONE: &str = "<!doctype html><title>Oz</title><p>You can close this page and go back to the terminal.";

/// Logs in at the server at `url`.
pub(super) async fn log_in(url: &str, client: Option<KnownClient>, open: bool) -> Result<McpOauth, String> {
    let listener =
        TcpListener::bind("127.0.0.1:0").await.map_err(|e| format!("no port to come back to: {e}"))?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    let back = format!("http://127.0.0.1:{port}");
    let login = Login::begin(url, &format!("{back}{PATH}"), client).await?;
    out::note(format!("Log in at {}", out::one_line(login.address(), 8192)));
    if open {
        show(login.address());
    } else {
        out::note("If the browser is on another machine, paste the address that it comes back to here.");
    }
    let answer = timeout(PATIENCE, async {
        tokio::select! {
            returned = returned(&listener, &back) => returned,
            pasted = pasted() => pasted,
        }
    });
    let returned = answer.await.map_err(|_| "nobody has logged in in time".to_owned())?;
    login.finish(&returned, Timestamp::now().as_second()).await
}

/// Opens a browser, where there is one.
fn show(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = tokio::process::Command::new(program);
    let quiet = command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The address was printed; who has no browser uses another.
    drop(quiet.spawn());
}

/// The address that a browser comes back to.
async fn returned(listener: &TcpListener, back: &str) -> String {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if let Ok(Ok(Some(target))) = timeout(REQUEST, request(stream)).await {
            return format!("{back}{target}");
        }
    }
}

/// What one request is for, when it is what we wait for. Browsers also ask for icons.
async fn request(mut stream: TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < 64 << 10 {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => head.extend_from_slice(&buffer[..n]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.lines().next().and_then(|line| line.strip_prefix("GET ")?.split(' ').next());
    let target = target.filter(|target| target.strip_prefix(PATH).is_some_and(|rest| rest.starts_with('?')));
    let (status, body) = if target.is_some() { ("200 OK", DONE) } else { ("404 Not Found", "") };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(target.map(str::to_owned))
}

/// The address that somebody pastes; never comes when nobody can.
async fn pasted() -> String {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: a line that never comes must not hold up the end.
    std::thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        let mut lines = lines.map(|line| line.trim().to_owned());
        if let Some(line) = lines.find(|line| line.contains("code=") || line.contains("error=")) {
            let _ = sender.send(line);
        }
    });
    match receiver.await {
        Ok(line) => line,
        Err(_) => std::future::pending().await,
    }
}
