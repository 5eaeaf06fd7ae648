//! A control plane that only talks: it takes the connections of one worker and says what a case wants it to say.

use super::{Check, QUIET, SOON};
use futures_util::{SinkExt as _, StreamExt as _};
use oz_core::worker::SOCKET_PATH;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};
use uuid::Uuid;

/// The control plane.
pub struct FakePlane {
    listener: TcpListener,
}

/// What a worker dialled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialled {
    /// Path and query.
    pub target: String,
    /// The header `Authorization`.
    pub authorization: String,
}

/// A worker's connection, seen from the control plane.
pub struct Line {
    socket: WebSocketStream<TcpStream>,
    /// With what it was dialled.
    pub dialled: Dialled,
}

/// A run for a worker.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The run.
    pub task_id: String,
    /// This execution of it.
    pub execution_id: String,
}

impl Offer {
    /// A new run.
    #[must_use]
    pub fn new() -> Self {
        Self { task_id: Uuid::new_v4().to_string(), execution_id: Uuid::new_v4().to_string() }
    }

    /// The same run in a new execution.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { task_id: self.task_id.clone(), ..Self::new() }
    }

    /// Its frame.
    #[must_use]
    pub fn frame(&self) -> Value {
        json!({ "type": "task_assignment", "data": {
            "task_id": self.task_id, "execution_id": self.execution_id,
            "task": { "id": self.task_id, "title": "a case of the conformance suite",
                "task_definition": { "prompt": "p" }, "created_at": "2026-03-02T08:00:00Z",
                "updated_at": "2026-03-02T08:00:04Z", "owner": { "Type": "TEAM", "Id": 41 },
                "agent_config_snapshot": { "harness": { "type": "oz" } } },
            "env_vars": { "WARP_API_KEY": "wk-1.of-the-run" },
            "a_field_of_a_newer_version": { "x": [1] } } })
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self::new()
    }
}

impl FakePlane {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self, String> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())? })
    }

    /// Its address without a scheme.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn address(&self) -> Result<String, String> {
        self.listener.local_addr().map(|address| address.to_string()).map_err(|e| e.to_string())
    }

    /// The next connection of the worker. What agents call over HTTP meanwhile is refused.
    ///
    /// # Errors
    /// When none comes.
    #[expect(clippy::result_large_err, reason = "the handshake's signature")]
    pub async fn accept(&self) -> Result<Line, String> {
        let deadline = Instant::now() + SOON;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let accepted = timeout(left, self.listener.accept()).await.map_err(|_| "it does not dial")?;
            let (stream, _) = accepted.map_err(|e| e.to_string())?;
            let mut dialled = Dialled::default();
            let note = |request: &Request, response: Response| {
                let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
                dialled.target = request.uri().to_string();
                dialled.authorization = header("authorization").unwrap_or_default().to_owned();
                Ok(response)
            };
            // Whoever does not ask for a socket gets an error from the library, and its connection ends.
            if let Ok(Ok(socket)) = timeout(Duration::from_secs(2), accept_hdr_async(stream, note)).await
                && dialled.target.starts_with(SOCKET_PATH)
            {
                return Ok(Line { socket, dialled });
            }
        }
    }

    /// Refuses the next connection.
    ///
    /// # Errors
    /// When none comes.
    pub async fn refuse(&self, status: &str) -> Check {
        let accepted = timeout(SOON, self.listener.accept()).await.map_err(|_| "it does not dial again")?;
        let (mut stream, _) = accepted.map_err(|e| e.to_string())?;
        let refused = async {
            let _ = stream.read(&mut [0; 4096]).await?;
            stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await
        };
        refused.await.map_err(|e: std::io::Error| e.to_string())
    }
}

impl Line {
    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frame: &Value) -> Check {
        self.send_raw(Message::text(frame.to_string())).await
    }

    /// Sends whatever it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_raw(&mut self, message: Message) -> Check {
        self.socket.send(message).await.map_err(|e| format!("the connection is gone: {e}"))
    }

    /// The next message.
    ///
    /// # Errors
    /// When none comes.
    pub async fn message(&mut self, limit: Duration) -> Result<Message, String> {
        match timeout(limit, self.socket.next()).await {
            Ok(Some(Ok(message))) => Ok(message),
            Ok(Some(Err(e))) => Err(format!("the connection is gone: {e}")),
            Ok(None) => Err("the connection is gone".to_owned()),
            Err(_) => Err("nothing came".to_owned()),
        }
    }

    /// The next frame about a run; what the worker says of itself is passed over.
    ///
    /// # Errors
    /// When none comes.
    pub async fn frame(&mut self) -> Result<Value, String> {
        self.frame_within(SOON).await
    }

    async fn frame_within(&mut self, limit: Duration) -> Result<Value, String> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Message::Text(text) = self.message(left).await? {
                let frame: Value =
                    serde_json::from_str(&text).map_err(|e| format!("not JSON: {e}: {text}"))?;
                if frame["type"] != "worker_status" {
                    return Ok(frame);
                }
            }
        }
    }

    /// The next frame about a run, which must be of a kind and about this one.
    ///
    /// # Errors
    /// When it is another, or none comes.
    pub async fn expect(&mut self, kind: &str, offer: &Offer) -> Result<Value, String> {
        let frame = self.frame().await.map_err(|e| format!("no {kind}: {e}"))?;
        let execution = &frame["data"]["execution_id"];
        let about = frame["data"]["task_id"] == offer.task_id.as_str()
            && (execution.is_null() || *execution == offer.execution_id.as_str());
        if frame["type"] == kind && about { Ok(frame) } else { Err(format!("{frame} in place of {kind}")) }
    }

    /// Checks that nothing is said about runs for a while.
    ///
    /// # Errors
    /// When something is.
    pub async fn silence(&mut self) -> Check {
        match self.frame_within(QUIET).await {
            Ok(frame) => Err(format!("it says {frame}")),
            Err(e) if e == "nothing came" => Ok(()),
            Err(e) => Err(e),
        }
    }
}
