//! The raw transcript of a run: a redirect to a signed address, and the bytes behind it.

use crate::{
    auth,
    ctx::{Ctx, now},
    error::ApiError,
};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use oz_core::{Error, ErrorCode, RunId};
use std::collections::HashMap;

/// How long a signed address works, in seconds.
const VALID_FOR: i64 = 300;
/// Entries per read.
const PAGE: i64 = 500;

/// Redirects to the transcript.
pub(super) async fn redirect(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = || -> Result<String, Error> {
        let caller = auth::authenticate(&ctx, &headers)?;
        let run = ctx.store.find_run(&caller, run_id.parse()?)?;
        if ctx.store.read_transcript(run.run_no, run.run_id, 0, 1)?.is_empty() {
            return Err(Error::new(
                ErrorCode::ResourceNotFound,
                format!("run '{run_id}' has no transcript yet"),
            ));
        }
        let expires = now().as_second() + VALID_FOR;
        let signature = ctx.signing_key.sign_transcript(run.run_id, expires);
        Ok(format!("/api/v1/blobs/transcripts/{}?expires={expires}&signature={signature}", run.run_id))
    };
    let location = open().map_err(|e| ApiError::new(e, uri.path()))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// The transcript as JSON Lines.
pub(super) async fn download(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let (run_no, run_id) = verify(&ctx, &run_id, &query).map_err(|e| ApiError::new(e, uri.path()))?;
    let pages = stream::try_unfold((ctx, 0), move |(ctx, since)| async move {
        let entries = ctx
            .store
            .read_transcript(run_no, run_id, since, PAGE)
            .map_err(|e| ApiError::new(e.into(), ""))?;
        let Some(last) = entries.last().map(|e| e.sequence) else { return Ok::<_, ApiError>(None) };
        let mut text = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut text, entry)
                .map_err(|e| ApiError::new(Error::internal(e.to_string()), ""))?;
            text.push(b'\n');
        }
        Ok(Some((Bytes::from(text), (ctx, last))))
    });
    let mut response = Response::new(Body::from_stream(pages));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

fn verify(ctx: &Ctx, run_id: &str, query: &HashMap<String, String>) -> Result<(i64, RunId), Error> {
    let refused = || {
        Error::new(ErrorCode::NotAuthorized, "this address is not valid or has run out; ask for a new one")
    };
    let run_id: RunId = run_id.parse()?;
    let number = |name: &str| query.get(name).and_then(|v| v.parse::<i64>().ok()).ok_or_else(refused);
    let expires = number("expires")?;
    let signature = query.get("signature").ok_or_else(refused)?;
    if !ctx.signing_key.verify_transcript(run_id, expires, signature, now()) {
        return Err(refused());
    }
    let run_no = ctx.store.run_no(run_id)?.ok_or_else(|| Error::not_found("run", run_id))?;
    Ok((run_no, run_id))
}
