//! The event log, by polling and live.

use crate::{
    auth,
    ctx::{Ctx, now},
    error::ApiError,
    live::sse,
    store::accounts::Caller,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use oz_core::{
    Error, RunId,
    api::{Empty, EventReported, ListEvents, LogPage, ReadLog, ReportEvent, StoreEventSequence},
    event::Event,
};

pub(super) async fn read_log(ctx: Ctx, caller: Caller, request: ReadLog) -> Result<LogPage, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    let limit = request.limit.unwrap_or(1000);
    let read = ctx.store.read_log(run.run_no, run.run_id, request.since, limit).await?;
    Ok(LogPage { items: read.items })
}

pub(super) async fn store_sequence(
    ctx: Ctx,
    caller: Caller,
    request: StoreEventSequence,
) -> Result<Empty, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    ctx.store.store_event_sequence(run.run_no, request.sequence).await?;
    Ok(Empty {})
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListEvents) -> Result<Vec<Event>, Error> {
    let runs = visible(&ctx, &caller, request.run_ids).await?;
    let limit = usize::try_from(request.limit.unwrap_or(100)).unwrap_or(100);
    Ok(ctx.store.read_events(runs, request.since, limit).await?)
}

/// Records a change that an orchestrator tells of. The state of the run is the control plane's own to change.
pub(super) async fn report(ctx: Ctx, caller: Caller, request: ReportEvent) -> Result<EventReported, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    if let Some(text) = request.ref_id.as_ref().filter(|r| r.len() > 256) {
        return Err(Error::invalid_field("ref_id", text, "at most 256 bytes"));
    }
    let execution = request.execution_id.map(|id| id.to_string());
    let sequence =
        ctx.store.report_event(run.run_no, request.event_type, request.ref_id, execution, now()).await?;
    Ok(EventReported { sequence })
}

async fn visible(ctx: &Ctx, caller: &Caller, runs: Vec<RunId>) -> Result<Vec<(i64, RunId)>, Error> {
    let found = ctx.store.find_runs(caller, runs).await?;
    Ok(found.into_iter().map(|run| (run.run_no, run.run_id)).collect())
}

/// The query of both streams.
#[derive(Default)]
struct StreamQuery {
    runs: Vec<RunId>,
    ancestor: Option<RunId>,
    include_self: bool,
    since: i64,
}

/// Reads `since` (or the standard `Last-Event-ID` header) and, where `with_runs`, `run_ids[]`.
fn stream_query(uri: &Uri, headers: &HeaderMap, with_runs: bool) -> Result<StreamQuery, Error> {
    let mut query = StreamQuery::default();
    let number = |field: &str, text: &str| -> Result<i64, Error> {
        text.parse().map_err(|_| Error::invalid_field(field, text, "the sequence of an event"))
    };
    let last_event_id = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    for (key, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match key.as_ref() {
            "since" => query.since = number("since", &value)?,
            "run_ids" | "run_ids[]" if with_runs => query.runs.push(value.parse()?),
            "ancestor_run_id" if with_runs => query.ancestor = Some(value.parse()?),
            "include_self" if with_runs => query.include_self = value == "true" || value == "1",
            other => {
                let known =
                    if with_runs { "run_ids[], ancestor_run_id, include_self and since" } else { "since" };
                return Err(Error::invalid(format!("{other}: there is no such parameter; known: {known}")));
            }
        }
    }
    if let Some(id) = last_event_id {
        query.since = query.since.max(number("Last-Event-ID", id)?);
    }
    if with_runs && query.runs.is_empty() == query.ancestor.is_none() {
        return Err(Error::invalid("run_ids[]: either run ids or ancestor_run_id are required"));
    }
    Ok(query)
}

pub(super) async fn stream_run(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = async {
        let caller = auth::authenticate(&ctx, &headers).await?;
        let query = stream_query(&uri, &headers, false)?;
        let run = ctx.store.find_run(&caller, run_id.parse()?).await?;
        Ok(sse::run(&ctx, run.run_no, run.run_id, query.since))
    };
    open.await.map_err(|e: Error| ApiError::new(e, uri.path()))
}

pub(super) async fn stream_events(
    State(ctx): State<Ctx>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = async {
        let caller = auth::authenticate(&ctx, &headers).await?;
        let query = stream_query(&uri, &headers, true)?;
        let Some(ancestor) = query.ancestor else {
            let runs = visible(&ctx, &caller, query.runs).await?;
            return Ok(sse::events(&ctx, runs, query.since));
        };
        let ancestor = ctx.store.find_run(&caller, ancestor).await?;
        Ok(sse::family(&ctx, ancestor.run_no, query.include_self, query.since))
    };
    open.await.map_err(|e: Error| ApiError::new(e, uri.path()))
}
