//! The older way to talk over HTTP: one stream of events brings everything that the server says, beginning with the
//! address to which the client's messages are posted. Servers that know nothing newer are still many.

use eventsource_stream::Eventsource as _;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use reqwest::{Url, header};
use rmcp::{
    RoleClient,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The longest event.
const EVENT: usize = 16 << 20;
/// How long a message may take to be taken.
const POST: Duration = Duration::from_secs(30);

/// Why it does not work.
#[derive(Debug)]
pub(super) struct Problem {
    /// What happened.
    pub(super) text: String,
    /// Whether it wants a login.
    pub(super) login: bool,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), login: false }
    }

    fn status(what: &str, status: reqwest::StatusCode) -> Self {
        Self { text: format!("{what} answers {status}"), login: status.as_u16() == 401 }
    }

    fn network(error: reqwest::Error) -> Self {
        // The address may hold a key.
        Self::new(super::connect::chain(&error.without_url()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// A connection.
pub(super) struct Sse {
    client: reqwest::Client,
    post: Url,
    headers: header::HeaderMap,
    events: BoxStream<'static, Result<(String, String), String>>,
}

impl Sse {
    /// Connects to `url`.
    pub(super) async fn open(
        client: reqwest::Client,
        url: &str,
        headers: header::HeaderMap,
    ) -> Result<Self, Problem> {
        let base = Url::parse(url).map_err(|e| Problem::new(format!("the url is not one: {e}")))?;
        let request = client.get(base.clone()).headers(headers.clone());
        let response =
            request.header(header::ACCEPT, "text/event-stream").send().await.map_err(Problem::network)?;
        if !response.status().is_success() {
            return Err(Problem::status("the server", response.status()));
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Err(Problem::new("the server answers with no stream of events"));
        }
        let mut events = events(response);
        let address = match events.next().await {
            Some(Ok((kind, data))) if kind == "endpoint" => data,
            Some(Err(e)) => return Err(Problem::new(e)),
            Some(Ok(_)) | None => return Err(Problem::new("the server names no address for messages")),
        };
        let post =
            base.join(address.trim()).map_err(|_| Problem::new("its address for messages is not one"))?;
        // Headers with keys must not travel to wherever a server points.
        if post.origin() != base.origin() {
            return Err(Problem::new("its address for messages is on another host"));
        }
        Ok(Self { client, post, headers, events })
    }
}

/// The events of a response by kind, none longer than [`EVENT`].
fn events(response: reqwest::Response) -> BoxStream<'static, Result<(String, String), String>> {
    let size = Arc::new(AtomicUsize::new(0));
    let since = Arc::clone(&size);
    let bytes = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|e| e.without_url().to_string())?;
        match since.fetch_add(chunk.len(), Ordering::Relaxed) {
            before if before > EVENT => Err("an event is too long".to_owned()),
            _ => Ok(chunk),
        }
    });
    let events = bytes.eventsource().map(move |event| {
        size.store(0, Ordering::Relaxed);
        event.map(|event| (event.event, event.data)).map_err(|e| e.to_string())
    });
    // Nothing follows an error.
    let ended = |ended: &mut bool, event: Result<_, String>| {
        let item = (!*ended).then_some(event);
        *ended |= item.as_ref().is_some_and(Result::is_err);
        std::future::ready(item)
    };
    stream::StreamExt::scan(events, false, ended).boxed()
}

impl Sse {
    /// Posts a message.
    pub(super) fn post(&self, message: Vec<u8>) -> impl Future<Output = Result<(), Problem>> + Send + use<> {
        let request = self.client.post(self.post.clone()).headers(self.headers.clone()).timeout(POST);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(message);
        async move {
            let status = request.send().await.map_err(Problem::network)?.status();
            if status.is_success() {
                Ok(())
            } else {
                Err(Problem::status("its address for messages", status))
            }
        }
    }

    /// The next message as it came; `None` at the end. May be given up at any time.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            let (kind, data) = self.events.next().await?.ok()?;
            if kind == "message" {
                return Some(data);
            }
        }
    }
}

impl Transport<RoleClient> for Sse {
    type Error = Problem;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Problem>> + Send + 'static {
        let message = serde_json::to_vec(&item).map_err(|e| Problem::new(e.to_string()));
        let posting = message.map(|message| self.post(message));
        async move { posting?.await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            match serde_json::from_str(&self.next().await?) {
                Ok(message) => return Some(message),
                Err(_) => tracing::debug!("an MCP server sent what is no message"),
            }
        }
    }

    async fn close(&mut self) -> Result<(), Problem> {
        self.events = stream::empty().boxed();
        Ok(())
    }
}
