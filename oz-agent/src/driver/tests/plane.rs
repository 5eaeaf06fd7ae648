//! A control plane of a few lines: one run, whatever its agent reports, and the faults of the real one.

use oz_client::Client;
use oz_core::{RunId, RunState, Timestamp, api::NewEntry, config::AgentConfig};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(super) const RUN: &str = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e";
pub(super) const TOKEN: &str = "wk-1.canary";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It answers 503.
    Down,
    /// It takes a call and breaks off before it answers.
    Deaf,
    /// Somebody else has the run.
    Superseded,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) fault: Fault,
    pub(super) run: Value,
    pub(super) state: RunState,
    /// By number, as the real one keeps them.
    pub(super) entries: BTreeMap<i64, NewEntry>,
    pub(super) calls: Vec<(String, Value)>,
    /// The files that came with the run.
    pub(super) attachments: Value,
    /// What the run is given to log in with; an older control plane does not know.
    pub(super) credentials: Option<Value>,
    /// How long identity tokens are good, in seconds; an older control plane issues none.
    pub(super) identity: Option<i64>,
    /// What a human answered.
    pub(super) answer: Option<Value>,
    /// What the agent is yet to get.
    pub(super) followups: Vec<Value>,
    /// What the run may go on with; an older control plane does not know.
    pub(super) resolved: Option<Value>,
    /// What was uploaded, as text.
    pub(super) uploads: Vec<String>,
    url: String,
    asked: Value,
}

#[derive(Clone)]
pub(super) struct Plane {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Plane {
    pub(super) async fn start(prompt: &str, config: AgentConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let now = "2026-03-02T08:00:00Z";
        let run = json!({ "run_id": RUN, "task_id": RUN, "title": "t", "state": "CLAIMED", "prompt": prompt,
            "created_at": now, "updated_at": now, "agent_config": config });
        let state = State {
            fault: Fault::None,
            run,
            state: RunState::Claimed,
            entries: BTreeMap::new(),
            calls: Vec::new(),
            attachments: json!([]),
            credentials: None,
            identity: None,
            answer: None,
            followups: Vec::new(),
            resolved: None,
            uploads: Vec::new(),
            url: url.clone(),
            asked: Value::Null,
        };
        let plane = Self { url, state: Arc::new(Mutex::new(state)) };
        let serving = plane.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket));
            }
        });
        plane
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.url, Some(TOKEN.to_owned())).unwrap().with_workload_token(TOKEN)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn run_id() -> RunId {
        RUN.parse().unwrap()
    }

    async fn serve(self, mut socket: TcpStream) {
        let Some((call, body)) = read(&mut socket).await else { return };
        let (fault, (status, answer)) = {
            let mut state = self.lock();
            let fault = state.fault;
            (fault, state.answer(&call, &body))
        };
        if fault == Fault::Deaf {
            return;
        }
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        let _ = socket.write_all(format!("{head}{answer}").as_bytes()).await;
    }
}

impl State {
    fn answer(&mut self, call: &str, body: &Value) -> (u16, Value) {
        let problem = |status: u16, code: &str| {
            (status, json!({ "type": format!("x/{code}"), "title": "t", "status": status, "error": "e" }))
        };
        match self.fault {
            Fault::Down => return problem(503, "internal_error"),
            Fault::Superseded => return problem(409, "conflict"),
            Fault::None | Fault::Deaf => {}
        }
        self.calls.push((call.to_owned(), body.clone()));
        if call.contains("/harness-support/requests") {
            if let Some(title) = body.get("title") {
                self.asked = title.clone();
            }
            let asked = json!({ "run_id": RUN, "request_id": "00000000-0000-0000-0000-000000000007",
                "kind": "question", "title": self.asked, "created_at": "2026-03-02T08:00:00Z",
                "answer": self.answer });
            return (200, asked);
        }
        match call.rsplit('/').next().unwrap_or_default() {
            "status" => (200, json!({ "state": self.state, "followups": self.followups })),
            "resolve-prompt" if self.resolved.is_some() => (200, json!(self.resolved)),
            "external-conversation" => (200, json!({ "conversation_id": RUN })),
            "transcript" => {
                let url = format!("{}/upload", self.url);
                (200, json!({ "url": url, "method": "PUT", "headers": {} }))
            }
            "upload" => {
                self.uploads.push(body.as_str().unwrap_or_default().to_owned());
                (200, json!({}))
            }
            "report-shutdown" => (200, json!({})),
            "run" => (200, self.run.clone()),
            "local-runs" => (200, json!({ "run_id": RUN, "execution_id": RUN, "workload_token": TOKEN })),
            "update-run" => {
                if let Some(state) = body["task_state"].as_str() {
                    self.state = state.into();
                }
                (200, json!({ "state": self.state }))
            }
            "transcript-entries" => {
                for entry in serde_json::from_value::<Vec<NewEntry>>(body["entries"].clone()).unwrap() {
                    self.entries.entry(entry.number).or_insert(entry);
                }
                (200, json!({ "state": self.state }))
            }
            "credentials" if self.credentials.is_some() => (200, json!(self.credentials)),
            "identity-token" if self.identity.is_some() => {
                let left = jiff::SignedDuration::from_secs(self.identity.unwrap());
                let token = format!("identity-{}-canary", self.calls("identity-token").len());
                (
                    200,
                    json!({ "token": token, "expires_at": Timestamp::now() + left, "issuer": "https://oz" }),
                )
            }
            "attachments" => (200, json!({ "attachments": self.attachments })),
            "blob" => (200, json!("the bytes")),
            "report-skills" => (200, json!({})),
            "report-artifact" => (200, json!({ "artifact_uid": "a" })),
            _ => problem(404, "resource_not_found"),
        }
    }

    /// The calls of one kind.
    pub(super) fn calls(&self, name: &str) -> Vec<&Value> {
        self.calls.iter().filter(|(call, _)| call.ends_with(name)).map(|(_, body)| body).collect()
    }

    /// The kinds of all entries, which must be numbered from 1 without gaps.
    pub(super) fn kinds(&self) -> Vec<String> {
        let numbers: Vec<i64> = self.entries.keys().copied().collect();
        let expected: Vec<i64> = (1..=i64::try_from(numbers.len()).unwrap()).collect();
        assert_eq!(numbers, expected);
        let kind =
            |e: &NewEntry| serde_json::to_value(&e.event).unwrap()["type"].as_str().unwrap().to_owned();
        self.entries.values().map(kind).collect()
    }
}

async fn read(socket: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = socket.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if bytes.len() >= at + 4 + length {
            let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
            let text = || Value::String(String::from_utf8_lossy(&bytes[at + 4..]).into_owned());
            return Some((path, serde_json::from_slice(&bytes[at + 4..]).unwrap_or_else(|_| text())));
        }
    }
}
