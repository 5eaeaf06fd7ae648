//! A control plane of a few lines: each connection gets the next answer of a script and is closed. It knows no HTTP
//! library, so that answers may be as broken as real ones.

use crate::Client;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(super) struct Plane {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
pub(super) struct Request {
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// An answer, byte by byte.
pub(super) fn raw(text: &str) -> String {
    text.to_owned()
}

pub(super) fn json(status: u16, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> String {
    format!("HTTP/1.1 {status} x\r\nretry-after-ms: 1\r\ncontent-length: 0\r\n\r\n")
}

/// An answer with bytes that are no JSON.
pub(super) fn text(body: &str) -> String {
    format!("HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// The answer of a server that hears the request and dies.
pub(super) fn silence() -> String {
    String::new()
}

pub(super) fn problem(error: &oz_core::Error) -> String {
    json(error.http_status(), &serde_json::to_value(error.problem("/x")).unwrap())
}

impl Plane {
    pub(super) async fn start(answers: impl IntoIterator<Item = String>) -> Self {
        let mut answers: VecDeque<String> = answers.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let request = read(&mut socket).await;
                seen.lock().unwrap().push(request);
                let answer =
                    answers.pop_front().unwrap_or_else(|| raw("HTTP/1.1 599 x\r\ncontent-length: 0\r\n\r\n"));
                let answer = answer.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                socket.write_all(answer.as_bytes()).await.unwrap();
                let _ = socket.shutdown().await;
            }
        });
        Self { url, requests, task }
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.url, Some("wk-1.key".into())).unwrap()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(socket: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let end = loop {
        assert_ne!(socket.read_buf(&mut bytes).await.unwrap(), 0, "the request broke off");
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    while bytes.len() < end + 4 + length {
        socket.read_buf(&mut bytes).await.unwrap();
    }
    Request { line, headers, body: String::from_utf8(bytes[end + 4..].to_vec()).unwrap() }
}
