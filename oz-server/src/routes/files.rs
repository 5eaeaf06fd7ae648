//! Attachments, workspaces and artifacts, as far as they are JSON.

use super::access::member;
use crate::{
    auth,
    ctx::{Ctx, now},
    store::{
        accounts::Caller,
        files::{HANDOFF_VALID, NewFile},
    },
};
use oz_core::{
    Error, Timestamp,
    api::{
        ArtifactBody, ArtifactContent, ArtifactCreated, AttachmentList, AttachmentsPrepared, CreateArtifact,
        DownloadAttachments, FileToUpload, GetArtifact, HandoffPrepared, ListHandoffAttachments,
        PrepareAttachments, PreparedAttachment, UploadHandoff,
    },
    artifact::Artifact,
};

/// Files whose bytes are to come.
pub(super) fn expected(files: &[FileToUpload]) -> Vec<NewFile> {
    files.iter().map(|f| NewFile::expected(&f.filename, &f.mime_type)).collect()
}

pub(super) async fn handoff(
    ctx: Ctx,
    caller: Caller,
    request: ListHandoffAttachments,
) -> Result<AttachmentList, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    let files = ctx.store.handoff(run.run_no).await?;
    Ok(AttachmentList { attachments: files.into_iter().map(|f| ctx.attachment(f)).collect() })
}

pub(super) async fn prepare(
    ctx: Ctx,
    caller: Caller,
    request: PrepareAttachments,
) -> Result<AttachmentsPrepared, Error> {
    let files = ctx.store.expect_attachments(caller, request.run_id, expected(&request.files), now()).await?;
    let attachments = files
        .into_iter()
        .map(|file| {
            let target = ctx.upload_target(&file);
            PreparedAttachment {
                attachment_id: file.file_id,
                upload_url: target.url.clone(),
                upload_target: Some(target),
            }
        })
        .collect();
    Ok(AttachmentsPrepared { attachments })
}

pub(super) async fn download(
    ctx: Ctx,
    caller: Caller,
    request: DownloadAttachments,
) -> Result<AttachmentList, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    let files = ctx.store.attachments(run.run_no, Some(request.attachment_ids)).await?;
    Ok(AttachmentList { attachments: files.into_iter().map(|f| ctx.attachment(f)).collect() })
}

pub(super) async fn upload_handoff(
    ctx: Ctx,
    caller: Caller,
    request: UploadHandoff,
) -> Result<HandoffPrepared, Error> {
    let who = member(caller)?;
    let (files, token, now) = (expected(&request.files), auth::random_hex(), now());
    let uploads = files.iter().map(|f| ctx.upload_target(f)).collect();
    ctx.store.expect_handoff(who.team_id.0, token.clone(), files, now).await?;
    let expires_at = Timestamp::from_second(now.as_second() + HANDOFF_VALID).unwrap_or(now);
    Ok(HandoffPrepared { initial_snapshot_token: token, expires_at, uploads })
}

pub(super) async fn create_artifact(
    ctx: Ctx,
    caller: Caller,
    request: CreateArtifact,
) -> Result<ArtifactCreated, Error> {
    if let Caller::Run(who) = &caller
        && who.stale
    {
        return Err(Error::settled("this run is over or in another execution; its agent must stop"));
    }
    let made = ctx.store.create_artifact(caller, request, now()).await?;
    let upload_target = made.file.as_ref().map(|f| ctx.upload_target(f));
    Ok(ArtifactCreated { artifact_uid: made.artifact_uid, upload_target })
}

pub(super) async fn artifact(
    ctx: Ctx,
    caller: Caller,
    request: GetArtifact,
) -> Result<ArtifactContent, Error> {
    let uid = request.artifact_uid;
    let found = ctx.store.artifact(caller, uid.clone()).await?;
    let body = match (found.artifact.known().cloned(), found.file, found.content) {
        (Some(Artifact::Plan { document_uid, title, url, .. }), _, content) => ArtifactBody::Plan {
            notebook_uid: document_uid.clone(),
            document_uid,
            content: content.unwrap_or_default(),
            content_type: "text/markdown".to_owned(),
            url,
            title,
        },
        (Some(Artifact::Screenshot { mime_type, description, .. }), Some(file), _) => {
            let (download_url, expires_at) = ctx.download_url(&file.file_id);
            ArtifactBody::Screenshot { download_url, expires_at, content_type: mime_type, description }
        }
        (
            Some(Artifact::File { filepath, filename, mime_type, description, size_bytes, title, .. }),
            Some(file),
            _,
        ) => {
            let (download_url, expires_at) = ctx.download_url(&file.file_id);
            ArtifactBody::File {
                download_url,
                expires_at,
                content_type: mime_type,
                filename,
                filepath,
                description,
                size_bytes: size_bytes.or(file.size_bytes),
                title,
            }
        }
        // Pull requests and references are wherever their address points to.
        _ => return Err(Error::not_found("artifact", &uid)),
    };
    Ok(ArtifactContent { artifact_uid: uid, created_at: found.created_at, content: body })
}
