//! Bytes behind signed addresses, and the redirects to them.

use super::access::{admit, member, workload};
use crate::{
    blobs::Right,
    ctx::{Ctx, now},
    error::ApiError,
    store::files::{Purpose, StoredFile},
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use oz_core::{ConversationId, Error, api::Auth};

/// Takes the bytes of a file.
pub(super) async fn upload(
    State(ctx): State<Ctx>,
    Path(file_id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    let take = async {
        let allowed = async {
            ctx.check_signature(Right::Put, &file_id, uri.query())?;
            Ok::<_, Error>(ctx.store.file(file_id.clone()).await?)
        };
        if let Err(e) = allowed.await {
            crate::extract::drain(body).await;
            return Err(e);
        }
        let size = ctx.blobs.receive(&file_id, body.into_data_stream()).await?;
        for replaced in ctx.store.file_arrived(file_id, size, now()).await? {
            ctx.blobs.remove(&replaced).await;
        }
        Ok::<_, Error>(StatusCode::OK.into_response())
    };
    take.await.map_err(|e| ApiError::new(e, uri.path()))
}

/// Sends the bytes of a file. Whatever it is, a browser must store it and not open it as a page of ours.
pub(super) async fn download(
    State(ctx): State<Ctx>,
    Path(file_id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let send = async {
        ctx.check_signature(Right::Get, &file_id, uri.query())?;
        let file = ctx.store.file(file_id.clone()).await?;
        let bytes = ctx.blobs.get(&file_id).await?;
        let mut response = Response::new(Body::from_stream(bytes));
        let headers = response.headers_mut();
        let text = |value: &str| HeaderValue::from_str(value).ok();
        let fallback = HeaderValue::from_static("application/octet-stream");
        headers.insert(header::CONTENT_TYPE, text(&file.mime_type).unwrap_or(fallback));
        if let Some(size) = file.size_bytes {
            headers.insert(header::CONTENT_LENGTH, size.into());
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
        if let Some(name) = text(&disposition(&file)) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        Ok::<_, Error>(response)
    };
    send.await.map_err(|e| ApiError::new(e, uri.path()))
}

/// RFC 6266, with the name in percent-encoded UTF-8.
fn disposition(file: &StoredFile) -> String {
    let name: String = url::form_urlencoded::byte_serialize(file.filename.as_bytes()).collect();
    format!("attachment; filename*=UTF-8''{}", name.replace('+', "%20"))
}

fn redirect(ctx: &Ctx, file: Option<StoredFile>, what: &str) -> Result<Response, Error> {
    let file = file
        .ok_or_else(|| Error::new(oz_core::ErrorCode::ResourceNotFound, format!("there is no {what} yet")))?;
    let location = ctx.download_url(&file.file_id).0;
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
}

fn reached(ctx: Ctx, headers: &HeaderMap) -> Ctx {
    ctx.reached_as(headers.get(header::HOST).and_then(|h| h.to_str().ok()))
}

/// Redirects to the raw transcript of the calling run's conversation.
pub(super) async fn own_transcript(
    State(ctx): State<Ctx>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = async {
        let ctx = reached(ctx, &headers);
        let who = workload(admit(&ctx, Auth::Workload, &headers).await?)?;
        let run = ctx.store.get_run(who.run_no).await?;
        let conversation =
            run.conversation_id.ok_or_else(|| Error::invalid("conversation_id: the run has none"))?;
        redirect(&ctx, ctx.store.of_conversation(Purpose::Transcript, conversation).await?, "transcript")
    };
    open.await.map_err(|e: Error| ApiError::new(e, uri.path()))
}

/// Redirects to the blocks of a conversation.
pub(super) async fn block_snapshot(
    State(ctx): State<Ctx>,
    Path(conversation): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let open = async {
        let ctx = reached(ctx, &headers);
        let caller = admit(&ctx, Auth::Key, &headers).await?;
        member(caller.clone())?;
        let conversation: ConversationId = conversation.parse()?;
        ctx.store.require_conversation(caller, conversation).await?;
        redirect(&ctx, ctx.store.of_conversation(Purpose::Blocks, conversation).await?, "block snapshot")
    };
    open.await.map_err(|e: Error| ApiError::new(e, uri.path()))
}
