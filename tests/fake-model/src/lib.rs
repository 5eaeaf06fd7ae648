//! A fake model server: it plays scripted turns in the wire formats of Anthropic Messages, OpenAI Responses and Chat
//! Completions, and refuses what the real services would refuse. It never decides anything: the test says every word.
//!
//! ```no_run
//! # use fake_model::{FakeModel, Fault, Turn};
//! # use serde_json::json;
//! # async fn example() {
//! let model = FakeModel::start(vec![
//!     Turn::call("run_command", json!({ "command": "make test" })).after(Fault::Status(529)),
//!     Turn::text("All done."),
//! ])
//! .await;
//! // … let an agent talk to model.url() …
//! assert_eq!(model.finish().len(), 3);
//! # }
//! ```
#![expect(clippy::expect_used, reason = "a test's own tools may fail it")]

mod anthropic;
mod chat;
mod check;
mod fault;
mod gemini;
mod play;
mod responses;
mod script;
mod service;
mod side;
#[cfg(test)]
mod tests;
mod turn;
mod wire;

pub use fault::Fault;
pub use script::{Asked, Script};
pub use service::{Doors, Notice, Request, serve};
pub use turn::Turn;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running fake model. Dropping it fails the test when it was sent something that a real service would refuse.
pub struct FakeModel {
    url: String,
    notes: Notes,
    server: JoinHandle<()>,
    allow_violations: bool,
}

type Notes = Arc<Mutex<(Vec<Request>, Vec<String>)>>;

impl FakeModel {
    /// Starts a server on a free port of this machine that plays `script` and asks for a key, as services do.
    pub async fn start(script: impl Into<Script>) -> Self {
        Self::behind(Doors::Keyed, script.into()).await
    }

    /// Starts a server that asks for no key, like one on somebody's own machine.
    pub async fn start_open(script: impl Into<Script>) -> Self {
        Self::behind(Doors::Open, script.into()).await
    }

    /// Starts a server for somebody else's client that has this key.
    pub async fn for_foreign(key: &str, script: impl Into<Script>) -> Self {
        Self::behind(Doors::Foreign(key.to_owned()), script.into()).await
    }

    async fn behind(doors: Doors, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let notes = Notes::default();
        let written = notes.clone();
        let server = tokio::spawn(serve(listener, script, doors, move |notice| {
            let mut notes = written.lock().unwrap_or_else(PoisonError::into_inner);
            match notice {
                Notice::Request(request) => notes.0.push(request),
                Notice::Violation(violation) => notes.1.push(violation),
            }
        }));
        Self { url, notes, server, allow_violations: false }
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The requests for an answer so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.notes().0.clone()
    }

    /// What was sent that a real service would have refused, or that the script has no answer for.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.notes().1.clone()
    }

    /// For tests that send wrong requests on purpose.
    pub fn allow_violations(&mut self) {
        self.allow_violations = true;
    }

    /// Ends the server, fails the test if there was a violation, and returns what was asked.
    #[must_use]
    pub fn finish(self) -> Vec<Request> {
        self.requests()
    }

    fn notes(&self) -> MutexGuard<'_, (Vec<Request>, Vec<String>)> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.server.abort();
        let violations = self.violations();
        if !self.allow_violations && !std::thread::panicking() {
            assert!(violations.is_empty(), "a real model service would have refused: {violations:#?}");
        }
    }
}
