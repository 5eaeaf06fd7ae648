//! A fake model server: it plays scripted turns in the wire formats of Anthropic Messages, OpenAI Responses and Chat
//! Completions, and refuses what the real services would refuse. It never decides anything: the test says every word.
#![expect(clippy::expect_used, reason = "a test's own tools may fail it")]

mod anthropic;
mod chat;
mod check;
mod responses;
mod sse;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// One answer of the model.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// What it says.
    pub text: String,
    /// The tools it calls: name and arguments.
    pub calls: Vec<(String, Value)>,
    /// Tokens read and written.
    pub tokens: (u64, u64),
    /// What goes wrong before the answer, once each, in order.
    pub faults: Vec<Fault>,
}

impl Turn {
    /// An answer of text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { text: text.to_owned(), tokens: (10, 5), ..Self::default() }
    }
    /// An answer that calls a tool.
    #[must_use]
    pub fn call(name: &str, arguments: Value) -> Self {
        Self { calls: vec![(name.to_owned(), arguments)], tokens: (10, 5), ..Self::default() }
    }
    /// The same answer, after something went wrong.
    #[must_use]
    pub fn after(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

/// What can go wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, with `Retry-After: 0`.
    Status(u16),
    /// The stream is cut in the middle of an event.
    Cut,
    /// An answer that is not an event stream.
    NotAStream,
    /// The stream is silent for this long before its first event.
    Silence(Duration),
    /// The arguments of the first call are not valid JSON.
    BadArguments,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    turns: Vec<Turn>,
    requests: Vec<Request>,
    violations: Vec<String>,
}

type Server = Arc<Mutex<Shared>>;

/// A running fake model. Dropping it fails the test when it was sent something that a real service would refuse.
pub struct FakeModel {
    url: String,
    shared: Server,
    allow_violations: bool,
}

impl FakeModel {
    /// Starts a server that answers a conversation with these turns in order: the n-th request of a conversation, by the
    /// answers that it already holds, gets the n-th turn.
    pub async fn start(turns: Vec<Turn>) -> Self {
        let shared: Server = Arc::new(Mutex::new(Shared { turns, ..Shared::default() }));
        let router = Router::new()
            .route("/v1/messages", post(anthropic::answer))
            .route("/v1/responses", post(responses::answer))
            .route("/v1/chat/completions", post(chat::answer))
            .route("/api/tags", get(|| async { axum::Json(json!({ "models": [{ "name": "fake:1b" }] })) }))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared, allow_violations: false }
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// What was sent that a real service would have refused.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).violations.clone()
    }

    /// For tests that send wrong requests on purpose.
    pub fn allow_violations(&mut self) {
        self.allow_violations = true;
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        let violations = self.violations();
        if !self.allow_violations && !std::thread::panicking() {
            assert!(violations.is_empty(), "a real model service would have refused: {violations:#?}");
        }
    }
}

/// What to answer: the turn and what goes wrong with it, or why the request is refused.
fn next(
    server: &Server,
    path: &str,
    body: &Value,
    answers: usize,
    problems: Vec<String>,
) -> Result<(Turn, Option<Fault>), String> {
    let mut shared = server.lock().unwrap_or_else(PoisonError::into_inner);
    shared.requests.push(Request { path: path.to_owned(), body: body.clone() });
    if !problems.is_empty() {
        let text = problems.join("; ");
        shared.violations.extend(problems.into_iter().map(|p| format!("{path}: {p}")));
        return Err(text);
    }
    let count = shared.turns.len();
    let Some(turn) = shared.turns.get_mut(answers) else {
        let text = format!("the test has {count} turns, but turn {} was asked for", answers + 1);
        shared.violations.push(format!("{path}: {text}"));
        return Err(text);
    };
    let fault = if turn.faults.is_empty() { None } else { Some(turn.faults.remove(0)) };
    Ok((turn.clone(), fault))
}

/// Answers with a stream of these events, or with what goes wrong.
fn respond(fault: Option<&Fault>, events: &[String]) -> Response {
    match fault {
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(*status).expect("a status");
            let body =
                json!({ "type": "error", "error": { "type": "scripted", "message": "scripted fault" } });
            (status, [(header::RETRY_AFTER, "0")], axum::Json(body)).into_response()
        }
        Some(Fault::NotAStream) => {
            ([(header::CONTENT_TYPE, "text/html")], "<html>a proxy's page</html>").into_response()
        }
        Some(Fault::Cut) => sse::stream(&sse::cut(events), Duration::ZERO),
        Some(Fault::Silence(pause)) => sse::stream(events, *pause),
        Some(Fault::BadArguments) | None => sse::stream(events, Duration::ZERO),
    }
}

/// The arguments of call `i` as text, broken if that is the fault.
fn arguments(turn: &Turn, i: usize, fault: Option<&Fault>) -> String {
    match fault {
        Some(Fault::BadArguments) if i == 0 => "{\"path\": ".to_owned(),
        _ => turn.calls[i].1.to_string(),
    }
}

/// A header's text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

type Shape = State<Server>;
