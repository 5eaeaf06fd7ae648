//! One WebSocket connection to the control plane, from its dial to its end. It never decides when to dial again and
//! never looks into frames.

use crate::mailbox::{Mailbox, Sequence};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use oz_core::worker::{FromWorker, ToWorker};
use std::{fmt, time::Duration};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Bytes, Error as WsError, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;
use url::Url;

const DIAL_LIMIT: Duration = Duration::from_secs(15);
const PING_EVERY: Duration = Duration::from_secs(30);
const READ_LIMIT: Duration = Duration::from_secs(60);
const WRITE_LIMIT: Duration = Duration::from_secs(10);
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
const LARGEST_MESSAGE: usize = 16 << 20;

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The control plane answered, but not with a socket.
    Refused { status: StatusCode, detail: Option<String> },
    /// It could not be reached.
    Unreachable(String),
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, detail: Some(detail) } => write!(f, "HTTP {status}: {detail}"),
            Self::Refused { status, detail: None } => write!(f, "HTTP {status}"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}

/// An open connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub(crate) async fn dial(url: &Url, key: &str) -> Result<Self, DialError> {
        match timeout(DIAL_LIMIT, open(url, key)).await {
            Ok(Ok(stream)) => Ok(Self { stream }),
            Ok(Err(WsError::Http(response))) => {
                let problem =
                    response.body().as_deref().map(serde_json::from_slice::<oz_core::error::Problem>);
                let detail =
                    problem.and_then(Result::ok).map(|problem| problem.detail.unwrap_or(problem.error));
                Err(DialError::Refused { status: response.status(), detail })
            }
            Ok(Err(error)) => Err(DialError::Unreachable(error.to_string())),
            Err(_) => Err(DialError::Unreachable(format!("no answer within {} s", DIAL_LIMIT.as_secs()))),
        }
    }

    /// Carries frames both ways until the connection ends or `closing` is cancelled. Answers why it ended.
    pub(crate) async fn carry(
        mut self,
        mailbox: &Mailbox,
        incoming: &mpsc::Sender<ToWorker>,
        closing: &CancellationToken,
    ) -> String {
        match self.exchange(mailbox, incoming, closing).await {
            Ok(()) => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                // The peer need not answer; the connection ends either way.
                let _ = timeout(CLOSE_LIMIT, self.stream.close(Some(frame))).await;
                "the worker closed it".to_owned()
            }
            Err(why) => why,
        }
    }

    async fn exchange(
        &mut self,
        mailbox: &Mailbox,
        incoming: &mpsc::Sender<ToWorker>,
        closing: &CancellationToken,
    ) -> Result<(), String> {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read_by = Instant::now() + READ_LIMIT;
        let mut last_written: Sequence = 0;
        loop {
            tokio::select! {
                () = closing.cancelled() => return Ok(()),
                (sequence, frame) = mailbox.next() => {
                    self.write(encode(&frame)?).await?;
                    last_written = last_written.max(sequence);
                    // A pong proves that the peer read what came before its ping.
                    if mailbox.written(sequence) {
                        self.write(proof(last_written)).await?;
                    }
                }
                _ = ping.tick() => self.write(proof(last_written)).await?,
                message = timeout_at(read_by, self.stream.next()) => {
                    read_by = Instant::now() + READ_LIMIT;
                    match message {
                        Err(_) => return Err(format!("nothing heard for {} s", READ_LIMIT.as_secs())),
                        Ok(None) => return Err("the control plane closed it".to_owned()),
                        Ok(Some(Err(error))) => return Err(error.to_string()),
                        Ok(Some(Ok(Message::Pong(payload)))) => mailbox.confirmed(proven(&payload)),
                        Ok(Some(Ok(Message::Text(text)))) => deliver(&text, incoming).await?,
                        Ok(Some(Ok(Message::Close(frame)))) => return Err(closed(frame)),
                        Ok(Some(Ok(_))) => {}
                    }
                }
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), String> {
        match timeout(WRITE_LIMIT, self.stream.send(message)).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err(format!("a write took more than {} s", WRITE_LIMIT.as_secs())),
        }
    }
}

async fn open(url: &Url, key: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, WsError> {
    let mut request = url.as_str().into_client_request()?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(http::Error::from)?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let limits = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    // Certificates are loaded only for an address that needs them.
    let connector = if url.scheme() == "wss" {
        // Another part of the program may have chosen already; that choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        None
    } else {
        Some(Connector::Plain)
    };
    let dial = connect_async_tls_with_config(request, Some(limits), true, connector);
    Ok(Box::pin(dial).await?.0)
}

fn encode(frame: &FromWorker) -> Result<Message, String> {
    Ok(Message::text(serde_json::to_string(frame).map_err(|error| error.to_string())?))
}

fn proof(sequence: Sequence) -> Message {
    Message::Ping(Bytes::copy_from_slice(&sequence.to_be_bytes()))
}

fn proven(payload: &[u8]) -> Sequence {
    payload.try_into().map_or(0, Sequence::from_be_bytes)
}

async fn deliver(text: &str, incoming: &mpsc::Sender<ToWorker>) -> Result<(), String> {
    match serde_json::from_str(text) {
        Ok(frame) => incoming.send(frame).await.map_err(|_| "the worker ended".to_owned()),
        // The error says where, never what: a frame carries credentials.
        Err(error) => {
            tracing::warn!(line = error.line(), column = error.column(), kind = ?error.classify(), "ignored a frame");
            Ok(())
        }
    }
}

fn closed(frame: Option<CloseFrame>) -> String {
    match frame {
        Some(frame) if !frame.reason.is_empty() => {
            format!("the control plane closed it: {} ({})", frame.reason.as_str(), u16::from(frame.code))
        }
        Some(frame) => format!("the control plane closed it ({})", u16::from(frame.code)),
        None => "the control plane closed it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_proves_what_its_ping_named() {
        let Message::Ping(payload) = proof(513) else { panic!("not a ping") };
        assert_eq!(proven(&payload), 513);
        assert_eq!(proven(b""), 0);
        assert_eq!(proven(b"something else"), 0);
    }

    #[tokio::test]
    async fn frames_that_are_not_understood_are_ignored() {
        let (sender, mut receiver) = mpsc::channel(1);
        for text in [
            "",
            "{",
            r#"{"type":"heartbeat","data":{}}"#,
            r#"{"type":"task_assignment","data":{"task":null}}"#,
        ] {
            deliver(text, &sender).await.unwrap();
        }
        assert!(receiver.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_dial_that_fails_says_why() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hang_up = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        for scheme in ["ws", "wss"] {
            let url = Url::parse(&format!("{scheme}://127.0.0.1:{port}/")).unwrap();
            let error = Socket::dial(&url, "key").await.map(|_| ()).unwrap_err();
            assert!(matches!(&error, DialError::Unreachable(why) if !why.is_empty()), "{scheme}: {error}");
        }
        hang_up.abort();
    }
}
