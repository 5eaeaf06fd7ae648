//! A git server that speaks HTTP and wants a login: `git http-backend` behind a few lines.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// The server. All repositories under its root want the same login.
#[derive(Clone)]
pub(super) struct GitHttp {
    /// Host and port.
    pub(super) host: String,
    root: PathBuf,
    login: Arc<Mutex<Option<String>>>,
    /// The calls that were let in: method and path.
    calls: Arc<Mutex<Vec<String>>>,
}

impl GitHttp {
    /// Serves the repositories under `root` to whoever has the login, or to everybody.
    pub(super) async fn start(root: &Path, login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = Self { host, root: root.to_owned(), login: Arc::default(), calls: Arc::default() };
        server.lock(login);
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(socket).await });
            }
        });
        server
    }

    /// From now on wants this login.
    pub(super) fn lock(&self, login: Option<(&str, &str)>) {
        *self.login.lock().unwrap() =
            login.map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }

    pub(super) fn url(&self, repo: &str) -> String {
        format!("http://{}/{repo}", self.host)
    }

    /// How many times something was fetched.
    pub(super) fn fetches(&self) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.ends_with("git-upload-pack")).count()
    }

    async fn serve(&self, mut socket: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let (head, body) = loop {
            let mut chunk = [0; 8192];
            let n = socket.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            bytes.extend_from_slice(&chunk[..n]);
            let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let length: usize = header(&head, "content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
            if bytes.len() >= at + 4 + length {
                break (head, bytes[at + 4..].to_vec());
            }
        };
        let login = self.login.lock().unwrap().clone();
        let answer = if login.is_some() && header(&head, "authorization") != login.as_deref() {
            b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
        } else {
            self.cgi(&head, &body).await?
        };
        socket.write_all(&answer).await.ok()
    }

    async fn cgi(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let mut words = head.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.calls.lock().unwrap().push(format!("{method} {path}"));
        let of = |name: &str| header(head, name).unwrap_or_default().to_owned();
        let mut backend = Command::new("git")
            .arg("http-backend")
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("REMOTE_USER", "somebody")
            .env("CONTENT_TYPE", of("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", of("content-encoding"))
            .env("GIT_PROTOCOL", of("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut stdin = backend.stdin.take()?;
        let body = body.to_vec();
        tokio::spawn(async move { stdin.write_all(&body).await });
        let output = backend.wait_with_output().await.ok()?.stdout;
        let at = output.windows(4).position(|w| w == b"\r\n\r\n")?;
        let headers = String::from_utf8_lossy(&output[..at]).into_owned();
        let status = header(&headers, "status").unwrap_or("200 OK");
        let length = output.len() - at - 4;
        let mut answer = format!(
            "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        answer.extend_from_slice(&output[at + 4..]);
        Some(answer)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
