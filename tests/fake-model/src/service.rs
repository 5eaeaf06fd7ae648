//! The server: takes a request, has it checked, finds its turn, and plays the answer or what goes wrong instead.

use crate::{
    Asked, Fault, Script, Turn,
    anthropic::Anthropic,
    chat::Chat,
    check::{Check, header},
    gemini::{self, Gemini},
    play::{self, End, Manner},
    responses::Responses,
    script::Place,
    side,
    wire::{Answer, Said, Stop, Wire, half},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::net::TcpListener;

/// The largest request, as at Anthropic.
const MAX_BODY: usize = 32 << 20;

/// For whom a server is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doors {
    /// For clients of our own with any key, as services ask for one.
    Keyed,
    /// For clients of our own without a key, like servers on one's own machine.
    Open,
    /// For clients of others that have this key. What is legal is good enough of them, and what they ask beside their
    /// work gets an answer without a script. With another key they are refused, which is no violation.
    Foreign(String),
}

/// A request for an answer.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Value,
    /// The key that it came with; empty without one.
    pub key: String,
    /// When it came.
    pub at: Instant,
    /// What the user says in it, from the first message to the last.
    pub said: Vec<String>,
    /// Whether somebody else's client asks this beside its work.
    pub aside: bool,
}

/// What a server has to tell.
#[derive(Debug)]
pub enum Notice {
    /// An answer was asked for.
    Request(Request),
    /// A real service would have refused this, or the script has no answer for it.
    Violation(String),
}

pub(crate) struct Service {
    script: Script,
    doors: Doors,
    notice: Box<dyn Fn(Notice) + Send + Sync>,
    /// How often each answer was asked for.
    attempts: Mutex<HashMap<u64, usize>>,
    answers: AtomicU64,
}

/// Serves `script` until the future is dropped; `notice` hears of everything.
pub async fn serve(
    listener: TcpListener,
    script: Script,
    doors: Doors,
    notice: impl Fn(Notice) + Send + Sync + 'static,
) {
    let service = Service {
        script,
        doors,
        notice: Box::new(notice),
        attempts: Mutex::default(),
        answers: AtomicU64::new(1),
    };
    let router = Router::new()
        .route(Anthropic::PATH, post(answer::<Anthropic>))
        .route(Responses::PATH, post(answer::<Responses>))
        .route(Chat::PATH, post(answer::<Chat>))
        .route(Gemini::PATH, post(gemini::method))
        .route("/v1/messages/count_tokens", post(side::count::<Anthropic>))
        .route("/v1/models", get(side::models))
        .route("/api/tags", get(side::tags))
        .route("/", get(side::alive))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(service));
    // axum::serve only returns when it is told to shut down, which happens here by dropping it.
    let _ = axum::serve(listener, router).await;
}

/// The key of a request, wherever its format has it.
fn key(headers: &HeaderMap) -> String {
    let bearer = header(headers, "authorization").trim_start_matches("Bearer ");
    let named = ["x-api-key", "x-goog-api-key"].map(|name| header(headers, name));
    named.into_iter().chain([bearer]).find(|key| !key.is_empty()).unwrap_or_default().to_owned()
}

pub(crate) async fn answer<W: Wire>(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => W::read(&uri, body),
        Err(e) => return service.refuse::<W>(400, vec![format!("the body is not JSON: {e}")]),
    };
    let said = W::said(&body);
    let foreign = matches!(service.doors, Doors::Foreign(_));
    let aside = foreign && W::tools(&body) == 0;
    (service.notice)(Notice::Request(Request {
        path: uri.path().to_owned(),
        body: body.clone(),
        key: key(&headers),
        at: Instant::now(),
        said: said.iter().filter_map(Said::by_user).map(str::to_owned).collect(),
        aside,
    }));
    if let Err(refused) = service.admit::<W>(&headers, &uri) {
        return refused;
    }
    let mut check = if foreign { Check::foreign() } else { Check::default() };
    W::check(&body, &mut check);
    let problems = check.problems();
    if !problems.is_empty() {
        return service.refuse::<W>(400, problems);
    }
    let place = match foreign {
        true if aside => None,
        true => service.script.found(&said),
        false => Some(Script::opened(&said)),
    };
    let number = service.answers.fetch_add(1, Ordering::Relaxed);
    let Some(Place { opening, turn }) = place else {
        return respond::<W>(
            &Answer { turn: &side::harmless(&body), body: &body, number, broken: false, stop: Stop::Said },
            None,
        );
    };
    let attempt = service.attempt(opening, turn);
    let asked = Asked { path: W::PATH, opening, turn, attempt, body: &body };
    let Some(turn) = service.script.turn(&asked) else {
        let begin: String = opening.chars().take(80).collect();
        return service.refuse::<W>(400, vec![format!("the script has no turn {turn} for '{begin}'")]);
    };
    let fault = turn.faults.get(asked.attempt).copied();
    let broken = fault == Some(Fault::BadArguments);
    let (turn, stop) = spoilt(turn, fault);
    respond::<W>(&Answer { turn: &turn, body: &body, number, broken, stop }, fault)
}

impl Service {
    /// Lets a caller in that says who it is.
    #[expect(clippy::result_large_err, reason = "it is answered at once")]
    pub(crate) fn admit<W: Wire>(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Response> {
        match &self.doors {
            Doors::Open => Ok(()),
            Doors::Keyed => {
                let mut caller = Check::default();
                W::caller(headers, &mut caller);
                let problems = caller.problems();
                if problems.is_empty() { Ok(()) } else { Err(self.refuse::<W>(401, problems)) }
            }
            Doors::Foreign(good) => {
                let known =
                    key(headers) == *good || uri.query().is_some_and(|q| q.contains(&format!("key={good}")));
                if known { Ok(()) } else { Err(W::wrong_key()) }
            }
        }
    }

    /// Reports why a request is refused, and refuses it.
    fn refuse<W: Wire>(&self, status: u16, problems: Vec<String>) -> Response {
        let answer = error::<W>(status, &problems.join("; "));
        for problem in problems {
            (self.notice)(Notice::Violation(format!("{}: {problem}", W::PATH)));
        }
        answer
    }

    /// How often this answer was asked for before.
    fn attempt(&self, opening: &str, turn: usize) -> usize {
        let mut hasher = DefaultHasher::new();
        (opening, turn).hash(&mut hasher);
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry(hasher.finish()).or_default();
        *count += 1;
        *count - 1
    }
}

/// What is left of a turn, and why it ends, when the model itself is at fault.
fn spoilt(turn: Turn, fault: Option<Fault>) -> (Turn, Stop) {
    match fault {
        Some(Fault::Refused) => (Turn { calls: Vec::new(), ..turn }, Stop::Refusal),
        Some(Fault::Empty) => (Turn { tokens: turn.tokens, pace: turn.pace, ..Turn::default() }, Stop::Said),
        Some(Fault::Truncated) if turn.calls.is_empty() => {
            (Turn { text: half(&turn.text).to_owned(), ..turn }, Stop::Length)
        }
        Some(Fault::Truncated) => (turn, Stop::Length),
        _ => (turn, Stop::Said),
    }
}

/// The answer, or what goes wrong with it.
fn respond<W: Wire>(answer: &Answer<'_>, fault: Option<Fault>) -> Response {
    let turn: &Turn = answer.turn;
    let mut manner = Manner { pace: turn.pace, ..Manner::default() };
    let streamed = answer.body["stream"] == true;
    let mut parts = if streamed { W::events(answer) } else { vec![W::whole(answer).to_string()] };
    match fault {
        None => {}
        Some(Fault::Status(status)) => return busy::<W>(status, 0),
        Some(Fault::Busy(status, seconds)) => return busy::<W>(status, seconds),
        Some(Fault::TooLong) => return (StatusCode::BAD_REQUEST, Json(W::too_long())).into_response(),
        Some(Fault::NoPictures) if has_picture(answer.body) => {
            return error::<W>(400, "image input is not supported by this model");
        }
        Some(Fault::NoPictures | Fault::BadArguments | Fault::Refused | Fault::Empty | Fault::Truncated) => {}
        Some(Fault::NotAStream) => {
            return ([(CONTENT_TYPE, "text/html")], "<html>a proxy's page</html>").into_response();
        }
        Some(Fault::Silence(pause)) => manner.before = pause,
        Some(Fault::Stall(pause)) => manner.middle = pause,
        Some(Fault::Cut) => manner.end = End::Cut,
        Some(Fault::Reset) => manner.end = End::Reset,
        Some(Fault::Overloaded) if streamed => {
            parts.truncate(parts.len() / 2);
            parts.push(W::overloaded());
        }
        Some(Fault::Overloaded) => return error::<W>(529, "overloaded, as the script says"),
    }
    let kind = if streamed { "text/event-stream; charset=utf-8" } else { "application/json" };
    ([(CONTENT_TYPE, kind)], play::body(&parts, &manner)).into_response()
}

/// Whether a picture is anywhere in a request.
fn has_picture(body: &Value) -> bool {
    match body {
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            ["image", "input_image", "image_url"].contains(&kind)
                || fields.contains_key("inlineData")
                || fields.values().any(has_picture)
        }
        Value::Array(all) => all.iter().any(has_picture),
        _ => false,
    }
}

fn busy<W: Wire>(status: u16, seconds: u64) -> Response {
    ([(RETRY_AFTER, seconds.to_string())], error::<W>(status, "refused, as the script says")).into_response()
}

pub(crate) fn error<W: Wire>(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("an HTTP status");
    (status, Json(W::error(status.as_u16(), message))).into_response()
}

pub(crate) async fn unknown(State(service): State<Arc<Service>>, method: Method, uri: Uri) -> StatusCode {
    (service.notice)(Notice::Violation(format!("{method} {uri}: there is no such endpoint")));
    StatusCode::NOT_FOUND
}
