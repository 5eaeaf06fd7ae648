//! The event log, by polling and live.

use crate::{auth, ctx::Ctx, error::ApiError, live::sse, store::accounts::Caller};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use oz_core::{
    Error, RunId,
    api::{Empty, ListEvents, LogPage, ReadLog, StoreEventSequence},
    event::Event,
};

pub(super) async fn read_log(ctx: Ctx, caller: Caller, request: ReadLog) -> Result<LogPage, Error> {
    let run = ctx.store.find_run(&caller, request.run_id)?;
    let read = ctx.store.read_log(run.run_no, run.run_id, request.since, request.limit.unwrap_or(1000))?;
    Ok(LogPage { items: read.items })
}

pub(super) async fn store_sequence(
    ctx: Ctx,
    caller: Caller,
    request: StoreEventSequence,
) -> Result<Empty, Error> {
    let run = ctx.store.find_run(&caller, request.run_id)?;
    ctx.store.store_event_sequence(run.run_no, request.sequence).await?;
    Ok(Empty {})
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListEvents) -> Result<Vec<Event>, Error> {
    let runs = visible(&ctx, &caller, &request.run_ids)?;
    let limit = usize::try_from(request.limit.unwrap_or(100)).unwrap_or(100);
    Ok(ctx.store.read_events(&runs, request.since, limit)?)
}

fn visible(ctx: &Ctx, caller: &Caller, runs: &[RunId]) -> Result<Vec<(i64, RunId)>, Error> {
    let mut found = Vec::with_capacity(runs.len());
    for id in runs {
        let run = ctx.store.find_run(caller, *id)?;
        if !found.contains(&(run.run_no, run.run_id)) {
            found.push((run.run_no, run.run_id));
        }
    }
    Ok(found)
}

/// The query of both streams.
struct StreamQuery {
    runs: Vec<RunId>,
    since: i64,
}

/// Reads `since` (or the standard `Last-Event-ID` header) and, where `with_runs`, `run_ids[]`.
fn stream_query(uri: &Uri, headers: &HeaderMap, with_runs: bool) -> Result<StreamQuery, Error> {
    let mut query = StreamQuery { runs: Vec::new(), since: 0 };
    let number = |field: &str, text: &str| -> Result<i64, Error> {
        text.parse().map_err(|_| Error::invalid_field(field, text, "the sequence of an event"))
    };
    let last_event_id = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    for (key, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match key.as_ref() {
            "since" => query.since = number("since", &value)?,
            "run_ids" | "run_ids[]" if with_runs => query.runs.push(value.parse()?),
            other => {
                let known = if with_runs { "run_ids[] and since" } else { "since" };
                return Err(Error::invalid(format!("{other}: there is no such parameter; known: {known}")));
            }
        }
    }
    if let Some(id) = last_event_id {
        query.since = query.since.max(number("Last-Event-ID", id)?);
    }
    if with_runs && query.runs.is_empty() {
        return Err(Error::invalid("run_ids[]: at least one run id is required"));
    }
    Ok(query)
}

pub(super) async fn stream_run(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = || -> Result<Response, Error> {
        let caller = auth::authenticate(&ctx, &headers)?;
        let query = stream_query(&uri, &headers, false)?;
        let run = ctx.store.find_run(&caller, run_id.parse()?)?;
        Ok(sse::run(&ctx, run.run_no, run.run_id, query.since))
    };
    open().map_err(|e| ApiError::new(e, uri.path()))
}

pub(super) async fn stream_events(
    State(ctx): State<Ctx>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = || -> Result<Response, Error> {
        let caller = auth::authenticate(&ctx, &headers)?;
        let query = stream_query(&uri, &headers, true)?;
        let runs = visible(&ctx, &caller, &query.runs)?;
        Ok(sse::events(&ctx, runs, query.since))
    };
    open().map_err(|e| ApiError::new(e, uri.path()))
}
