//! Server-sent events: a run's live stream and the events of several runs. A stream reads the store after its cursor
//! and then waits to be woken, so a reader that comes back with its cursor misses nothing and sees nothing twice.

use super::hub::Subscription;
use crate::{ctx::Ctx, error::ApiError};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use oz_core::{Error, RunId, RunState};
use std::{fmt::Write as _, time::Duration};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Items per read, so that a long log does not sit in memory at once.
const PAGE: i64 = 200;

struct Reader<S> {
    ctx: Ctx,
    subscription: Subscription,
    since: i64,
    source: S,
    ended: bool,
}

/// What a stream shows.
trait Source: Send + 'static {
    /// How long it may sleep before it looks again though nothing woke it.
    const LOOK_AGAIN: Duration = KEEP_ALIVE;
    /// Appends what comes after `since` to `out`; returns the new cursor and whether the stream is over.
    fn read(
        &mut self,
        ctx: &Ctx,
        since: i64,
        out: &mut String,
    ) -> impl Future<Output = Result<(i64, bool), Error>> + Send;
}

/// One run: events and transcript, until the run is over.
struct WholeRun {
    run_no: i64,
    run_id: RunId,
}

impl Source for WholeRun {
    async fn read(&mut self, ctx: &Ctx, mut since: i64, out: &mut String) -> Result<(i64, bool), Error> {
        let read = ctx.store.read_log(self.run_no, self.run_id, since, PAGE).await?;
        for item in &read.items {
            since = item.sequence();
            message(out, Some(since), None, item);
        }
        let complete = read.items.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let over = complete && read.state.is_terminal();
        if over {
            message(out, None, Some("end"), &End { state: read.state });
        }
        Ok((since, over))
    }
}

#[derive(serde::Serialize)]
struct End {
    state: RunState,
}

/// The lifecycle events of some runs, for as long as somebody listens.
struct Events {
    runs: Vec<(i64, RunId)>,
}

impl Source for Events {
    async fn read(&mut self, ctx: &Ctx, mut since: i64, out: &mut String) -> Result<(i64, bool), Error> {
        let limit = usize::try_from(PAGE).unwrap_or(usize::MAX);
        for event in ctx.store.read_events(self.runs.clone(), since, limit).await? {
            since = event.sequence;
            message(out, Some(since), None, &event);
        }
        Ok((since, false))
    }
}

/// The lifecycle events of a run's children, those that are yet to come included.
struct Family {
    run_no: i64,
    include_self: bool,
}

impl Source for Family {
    // The hub tells those who watch a run of that run only, and children are born at any time.
    const LOOK_AGAIN: Duration = Duration::from_secs(1);

    async fn read(&mut self, ctx: &Ctx, mut since: i64, out: &mut String) -> Result<(i64, bool), Error> {
        let limit = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let runs = ctx.store.family(self.run_no, self.include_self).await?;
        for event in ctx.store.read_events(runs, since, limit).await? {
            since = event.sequence;
            message(out, Some(since), None, &event);
        }
        Ok((since, false))
    }
}

fn message<T: serde::Serialize>(out: &mut String, id: Option<i64>, event: Option<&str>, data: &T) {
    let Ok(data) = serde_json::to_string(data) else { return };
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    if let Some(event) = event {
        let _ = writeln!(out, "event: {event}");
    }
    let _ = write!(out, "data: {data}\n\n");
}

/// The live stream of one run.
pub(crate) fn run(ctx: &Ctx, run_no: i64, run_id: RunId, since: i64) -> Response {
    let subscription = Subscription::new(ctx, vec![run_no]);
    respond(Reader {
        ctx: ctx.clone(),
        subscription,
        since,
        source: WholeRun { run_no, run_id },
        ended: false,
    })
}

/// The live events of some runs.
pub(crate) fn events(ctx: &Ctx, runs: Vec<(i64, RunId)>, since: i64) -> Response {
    let subscription = Subscription::new(ctx, runs.iter().map(|(run_no, _)| *run_no).collect());
    respond(Reader { ctx: ctx.clone(), subscription, since, source: Events { runs }, ended: false })
}

/// The live events of the children of a run.
pub(crate) fn family(ctx: &Ctx, run_no: i64, include_self: bool, since: i64) -> Response {
    // Each event of a child wakes those who watch its parent.
    let subscription = Subscription::new(ctx, vec![run_no]);
    let source = Family { run_no, include_self };
    respond(Reader { ctx: ctx.clone(), subscription, since, source, ended: false })
}

fn respond<S: Source>(reader: Reader<S>) -> Response {
    let mut response = Response::new(Body::from_stream(stream::unfold(reader, next)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies must not hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn next<S: Source>(mut reader: Reader<S>) -> Option<(Result<Bytes, ApiError>, Reader<S>)> {
    if reader.ended {
        return None;
    }
    let mut silent = Duration::ZERO;
    loop {
        let mut out = String::new();
        match reader.source.read(&reader.ctx, reader.since, &mut out).await {
            Ok((since, over)) => {
                (reader.since, reader.ended) = (since, over);
                if !out.is_empty() {
                    return Some((Ok(Bytes::from(out)), reader));
                }
            }
            Err(e) => {
                reader.ended = true;
                return Some((Err(ApiError::new(e, "")), reader));
            }
        }
        tokio::select! {
            () = reader.subscription.woken() => {}
            () = tokio::time::sleep(S::LOOK_AGAIN) => {
                silent += S::LOOK_AGAIN;
                if silent >= KEEP_ALIVE {
                    return Some((Ok(Bytes::from_static(b":\n\n")), reader));
                }
            }
            () = reader.ctx.shutdown.cancelled() => return None,
        }
    }
}
