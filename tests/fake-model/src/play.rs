//! How an answer goes over the wire: in which pieces, after which pauses, and how it ends.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use std::{io, time::Duration};

/// How an answer is played.
#[derive(Default)]
pub(crate) struct Manner {
    /// Silence at its beginning.
    pub(crate) before: Duration,
    /// Silence in its middle.
    pub(crate) middle: Duration,
    /// Silence before each of its parts.
    pub(crate) pace: Duration,
    /// How it ends.
    pub(crate) end: End,
}

/// How an answer ends.
#[derive(Default, PartialEq)]
pub(crate) enum End {
    /// Whole.
    #[default]
    Whole,
    /// In the middle, politely.
    Cut,
    /// In the middle, with the connection.
    Reset,
}

/// A body of these parts. Without a pace they arrive in pieces that pay no heed to where a part ends.
pub(crate) fn body(parts: &[String], manner: &Manner) -> Body {
    let mut pieces: Vec<Bytes> = match manner.pace.is_zero() {
        true => parts.concat().as_bytes().chunks(37).map(Bytes::copy_from_slice).collect(),
        false => parts.iter().map(|p| Bytes::copy_from_slice(p.as_bytes())).collect(),
    };
    if manner.end != End::Whole {
        pieces.truncate(pieces.len() / 2);
        if let Some(last) = pieces.last_mut() {
            last.truncate(last.len() - 3);
        }
    }
    let half = pieces.len() / 2;
    let (before, middle, pace) = (manner.before, manner.middle, manner.pace);
    let wait = move |i| {
        pace + if i == 0 { before } else { Duration::ZERO } + if i == half { middle } else { Duration::ZERO }
    };
    let played = stream::iter(pieces.into_iter().enumerate()).then(move |(i, piece)| async move {
        let wait = wait(i);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(piece)
    });
    let reset = (manner.end == End::Reset).then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    Body::from_stream(played.chain(stream::iter(reset)))
}
