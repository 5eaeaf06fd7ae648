//! Reads an answer from a stream of server-sent events and turns whatever ends it early into an error. It knows no
//! provider's events; a [`Decode`] does.

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use oz_core::model::{ModelError, ModelErrorKind, ModelStream, StreamEvent};
use std::{collections::VecDeque, time::Duration};

/// The longest answer; more is not an answer but an accident.
const MAX_BYTES: usize = 64 << 20;
/// How much of an error's body is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// What a provider's events mean.
pub(super) trait Decode: Send + 'static {
    /// Adds what an event means to `out`.
    fn event(&mut self, data: &str, out: &mut VecDeque<StreamEvent>) -> Result<(), ModelError>;

    /// The stream ended without its terminal event; adds what makes the answer whole, if anything can.
    fn end(&mut self, _out: &mut VecDeque<StreamEvent>) {}
}

struct Answer<D> {
    provider: &'static str,
    events: BoxStream<'static, Result<eventsource_stream::Event, EventStreamError<ModelError>>>,
    decoder: D,
    ready: VecDeque<StreamEvent>,
    over: bool,
}

/// The answer in `bytes`. It ends with a `Stop` or with an error, never without either.
pub(super) fn read<D: Decode>(
    provider: &'static str,
    bytes: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    silence: Duration,
    decoder: D,
) -> ModelStream {
    let events = watched(provider, bytes.boxed(), silence).eventsource().boxed();
    let answer = Answer { provider, events, decoder, ready: VecDeque::new(), over: false };
    stream::unfold(answer, next).boxed()
}

async fn next<D: Decode>(mut answer: Answer<D>) -> Option<(Result<StreamEvent, ModelError>, Answer<D>)> {
    loop {
        if answer.over {
            return None;
        }
        if let Some(event) = answer.ready.pop_front() {
            answer.over = matches!(event, StreamEvent::Stop(_));
            return Some((Ok(event), answer));
        }
        let decoded = match answer.events.next().await {
            Some(Ok(event)) => answer.decoder.event(&event.data, &mut answer.ready),
            Some(Err(EventStreamError::Transport(e))) => Err(e),
            Some(Err(e)) => Err(protocol(answer.provider, &e.to_string())),
            None => {
                answer.decoder.end(&mut answer.ready);
                match answer.ready.is_empty() {
                    false => Ok(()),
                    true => Err(network(answer.provider, "the answer broke off before its end")),
                }
            }
        };
        if let Err(e) = decoded {
            answer.over = true;
            return Some((Err(e), answer));
        }
    }
}

/// The same bytes, ended with an error when they stay away for `silence` or become too many.
fn watched(
    provider: &'static str,
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    silence: Duration,
) -> impl Stream<Item = Result<Bytes, ModelError>> + Send {
    stream::unfold((bytes, 0_usize), move |(mut bytes, seen)| async move {
        if seen > MAX_BYTES {
            return None;
        }
        let (chunk, seen) = match tokio::time::timeout(silence, bytes.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(chunk))) => {
                let seen = seen + chunk.len();
                match seen > MAX_BYTES {
                    false => (Ok(chunk), seen),
                    true => (Err(protocol(provider, "the answer is longer than any answer")), seen),
                }
            }
            Ok(Some(Err(e))) => (Err(broken(provider, e)), usize::MAX),
            Err(_) => (Err(silent(provider, silence)), usize::MAX),
        };
        Some((chunk, (bytes, seen)))
    })
}

/// The beginning of a response's body, as text.
pub(super) async fn beginning(response: reqwest::Response) -> String {
    let mut body = Vec::new();
    let mut bytes = response.bytes_stream();
    while let Some(Ok(chunk)) = bytes.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// The error of data that does not follow the provider's protocol.
pub(super) fn protocol(provider: &str, what: &str) -> ModelError {
    ModelError::new(ModelErrorKind::Protocol, format!("{provider}: the answer was not understood: {what}"))
}

/// The error of an answer that stays away.
pub(super) fn silent(provider: &str, silence: Duration) -> ModelError {
    network(provider, &format!("nothing came for {} s", silence.as_secs_f32()))
}

/// The error of a connection that broke or never came to be, without the address, which may hold a password.
pub(super) fn broken(provider: &str, error: reqwest::Error) -> ModelError {
    let error = error.without_url();
    let what = if error.is_connect() { "it can't be reached" } else { "the connection broke" };
    let mut cause = std::error::Error::source(&error);
    let mut reason = error.to_string();
    while let Some(inner) = cause {
        reason = inner.to_string();
        cause = inner.source();
    }
    network(provider, &format!("{what}: {reason}"))
}

fn network(provider: &str, what: &str) -> ModelError {
    ModelError::new(ModelErrorKind::Network, format!("{provider}: {what}"))
}
