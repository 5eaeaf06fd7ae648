//! The raw transcript of a run: a redirect to a signed address, and the bytes behind it.

use crate::{auth, blobs::Right, ctx::Ctx, error::ApiError};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use oz_core::{Error, ErrorCode, RunId};

/// Entries per read.
const PAGE: i64 = 500;

/// Which transcript.
#[derive(serde::Deserialize)]
pub(super) struct Which {
    /// That of the harness, in its own format.
    raw: Option<String>,
}

/// Redirects to the transcript.
pub(super) async fn redirect(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    Query(raw): Query<Which>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = async {
        let caller = auth::authenticate(&ctx, &headers).await?;
        let run = ctx.store.find_run(&caller, run_id.parse()?).await?;
        if raw.raw.is_some_and(|raw| raw != "0" && raw != "false") {
            let file = ctx.store.raw_transcript(run.run_no).await?;
            let missing = || {
                Error::new(ErrorCode::ResourceNotFound, format!("run '{run_id}' has no raw transcript yet"))
            };
            let ctx = ctx.reached_as(headers.get(header::HOST).and_then(|h| h.to_str().ok()));
            return Ok(ctx.download_url(&file.ok_or_else(missing)?.file_id).0);
        }
        if ctx.store.read_transcript(run.run_no, run.run_id, 0, 1).await?.is_empty() {
            return Err(Error::new(
                ErrorCode::ResourceNotFound,
                format!("run '{run_id}' has no transcript yet"),
            ));
        }
        let ctx = ctx.reached_as(headers.get(header::HOST).and_then(|h| h.to_str().ok()));
        Ok(ctx.download_url(&format!("transcripts/{}", run.run_id)).0)
    };
    let location = open.await.map_err(|e: Error| ApiError::new(e, uri.path()))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// The transcript as JSON Lines.
pub(super) async fn download(
    State(ctx): State<Ctx>,
    Path(run_id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let find = async {
        ctx.check_signature(Right::Get, &format!("transcripts/{run_id}"), uri.query())?;
        let run_id: RunId = run_id.parse()?;
        let run_no = ctx.store.run_no(run_id).await?.ok_or_else(|| Error::not_found("run", run_id))?;
        Ok((run_no, run_id))
    };
    let (run_no, run_id) = find.await.map_err(|e: Error| ApiError::new(e, uri.path()))?;
    let pages = stream::try_unfold((ctx, 0), move |(ctx, since)| async move {
        let entries = ctx
            .store
            .read_transcript(run_no, run_id, since, PAGE)
            .await
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
