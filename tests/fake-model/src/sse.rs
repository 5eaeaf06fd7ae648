//! Event streams, whole and cut.

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use std::{convert::Infallible, time::Duration};

/// A stream of these events; they arrive in pieces that pay no heed to where an event ends.
pub(crate) fn stream(events: &[String], pause: Duration) -> Response {
    let whole: Vec<u8> = events.concat().into_bytes();
    let pieces: Vec<Bytes> = whole.chunks(37).map(Bytes::copy_from_slice).collect();
    let body = stream::once(async move {
        tokio::time::sleep(pause).await;
        Bytes::new()
    })
    .chain(stream::iter(pieces))
    .map(Ok::<_, Infallible>);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

/// The first half of a stream, ending in the middle of an event.
pub(crate) fn cut(events: &[String]) -> Vec<String> {
    let whole = events.concat();
    let mut half = whole.len() / 2;
    while !whole.is_char_boundary(half) || whole[..half].ends_with("\n\n") {
        half -= 1;
    }
    vec![whole[..half].to_owned()]
}
