//! What the agent process of a run reports. Every call is a sign of life.

use super::{
    access::{member, workload},
    files::expected,
};
use crate::{
    auth,
    ctx::{Ctx, now},
    live::hub::Subscription,
    store::{
        accounts::{Caller, Workload},
        files::{NewFile, Purpose},
        resume::Saved,
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, ErrorCode, ExecutionId, Open, Run, RunId, RunState,
    api::{
        AppendTranscript, ArtifactReported, AttachmentList, CommitSnapshot, CreateExternalConversation,
        CreateLocalRun, Empty, ExternalConversation, FinishTask, GetOwnRequest, GetOwnRun, GetRunStatus,
        ListOwnAttachments, LocalRunCreated, NewEntry, NotifyUser, PromptResolved, RaiseRequest,
        ReportArtifact, ReportShutdown, ReportSkills, ResolvePrompt, RunRequest, RunStatus,
        SnapshotCommitted, StoredSession, UpdateRun, UploadBlocks, UploadSnapshot, UploadTarget,
        UploadTranscript, UploadsPrepared,
    },
    harness::HarnessEvent,
    run::{RunSource, StatusMessage},
};
use std::time::Duration;
use tokio::time::Instant;

/// The run behind a token that still counts.
pub(super) fn current(caller: Caller) -> Result<Workload, Error> {
    let who = workload(caller)?;
    if who.stale {
        return Err(Error::settled(format!("the run is {} without this agent, which must stop", who.state)));
    }
    Ok(who)
}

/// What follows a change that an agent made.
fn changed(ctx: &Ctx, who: &Workload, state: &RunState) {
    if state.is_terminal() {
        ctx.leases.end(who.execution_id);
    } else {
        ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    }
}

pub(super) async fn create_local_run(
    ctx: Ctx,
    caller: Caller,
    request: CreateLocalRun,
) -> Result<LocalRunCreated, Error> {
    let member = member(caller)?;
    let now = now();
    let (run_id, execution_id, token) = (RunId::mint(now), ExecutionId::mint(now), auth::new_key());
    let new = NewRun {
        title: request.title,
        prompt: request.prompt,
        config: request.config.unwrap_or_default(),
        source: RunSource::Local,
        local: Some((execution_id, auth::digest(&token))),
        ..NewRun::by(member, run_id, ConversationId::mint(now))
    };
    let run_no = ctx.store.create_run(new, now).await?;
    ctx.leases.grant(execution_id, run_no, ctx.lease);
    Ok(LocalRunCreated { run_id, execution_id, workload_token: token })
}

pub(super) async fn own_run(ctx: Ctx, caller: Caller, _: GetOwnRun) -> Result<Run, Error> {
    let who = current(caller)?;
    ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    Ok(ctx.store.get_own_run(who.run_no).await?)
}

pub(super) async fn update_run(ctx: Ctx, caller: Caller, request: UpdateRun) -> Result<RunStatus, Error> {
    let who = workload(caller)?;
    // An agent that reports its end twice, because the first answer was lost, is told what it wants to hear.
    if who.state.is_terminal() && request.task_state.as_ref() == Some(&who.state) {
        return Ok(RunStatus::of(who.state));
    }
    let state = ctx.store.update_run(who.clone(), request, now()).await?;
    changed(&ctx, &who, &state);
    Ok(RunStatus::of(state))
}

pub(super) async fn append_transcript(
    ctx: Ctx,
    caller: Caller,
    request: AppendTranscript,
) -> Result<RunStatus, Error> {
    let who = workload(caller)?;
    if request.entries.is_empty() && request.received_followups.is_empty() {
        let who = current(Caller::Run(who))?;
        ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
        return status(&ctx, &who, who.state.clone()).await;
    }
    if !who.stale {
        // It lives, whether or not there is room for what it says.
        ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    }
    let AppendTranscript { entries, received_followups } = request;
    if !received_followups.is_empty() {
        ctx.store.followups_received(who.clone(), received_followups, now()).await?;
    }
    let state = ctx.store.append_transcript(who.clone(), entries, now()).await?;
    changed(&ctx, &who, &state);
    status(&ctx, &who, state).await
}

pub(super) async fn report_artifact(
    ctx: Ctx,
    caller: Caller,
    request: ReportArtifact,
) -> Result<ArtifactReported, Error> {
    let who = workload(caller)?;
    let artifact = request.artifact.require_known("artifact_type")?;
    let artifact_uid = ctx.store.add_artifact(who.clone(), artifact, now()).await?;
    changed(&ctx, &who, &who.state);
    Ok(ArtifactReported { artifact_uid })
}

pub(super) async fn finish_task(ctx: Ctx, caller: Caller, request: FinishTask) -> Result<Empty, Error> {
    let who = workload(caller)?;
    let to = if request.success { RunState::Succeeded } else { RunState::Failed };
    // Duplicate calls are guarded by the state machine: the first end stands.
    if who.state.is_terminal() {
        return Ok(Empty {});
    }
    let update = UpdateRun {
        task_state: Some(to),
        status_message: Some(StatusMessage::info(request.summary)),
        usage: None,
    };
    let state = ctx.store.update_run(who.clone(), update, now()).await?;
    changed(&ctx, &who, &state);
    Ok(Empty {})
}

pub(super) async fn report_shutdown(
    ctx: Ctx,
    caller: Caller,
    request: ReportShutdown,
) -> Result<Empty, Error> {
    let who = workload(caller)?;
    if who.stale {
        return Ok(Empty {});
    }
    let error = request.error.map(|e| {
        let text = format!("the agent process ended early ({}): {}", e.category, e.message);
        StatusMessage::error(ErrorCode::InternalError, text)
    });
    ctx.store.shut_down(who.clone(), error, now()).await?;
    ctx.leases.end(who.execution_id);
    Ok(Empty {})
}

pub(super) async fn attachments(
    ctx: Ctx,
    caller: Caller,
    _: ListOwnAttachments,
) -> Result<AttachmentList, Error> {
    let who = workload(caller)?;
    let files = ctx.store.attachments(who.run_no, None).await?;
    Ok(AttachmentList { attachments: files.into_iter().map(|f| ctx.attachment(f)).collect() })
}

pub(super) async fn report_skills(ctx: Ctx, caller: Caller, request: ReportSkills) -> Result<Empty, Error> {
    ctx.store.report_skills(current(caller)?, request.repo, request.skills).await?;
    Ok(Empty {})
}

pub(super) async fn external_conversation(
    ctx: Ctx,
    caller: Caller,
    _: CreateExternalConversation,
) -> Result<ExternalConversation, Error> {
    let run = ctx.store.get_run(current(caller)?.run_no).await?;
    let conversation_id =
        run.conversation_id.ok_or_else(|| Error::internal("the run has no conversation"))?;
    Ok(ExternalConversation { conversation_id })
}

/// Where a run stands, with what its agent has not got yet.
async fn status(ctx: &Ctx, who: &Workload, state: RunState) -> Result<RunStatus, Error> {
    let followups = if who.has_more && !state.is_terminal() {
        ctx.store.waiting_followups(who.run_no).await?
    } else {
        Vec::new()
    };
    Ok(RunStatus { state, followups })
}

pub(super) async fn run_status(ctx: Ctx, caller: Caller, request: GetRunStatus) -> Result<RunStatus, Error> {
    let who = current(caller)?;
    let known: Vec<&str> = request.known.as_deref().unwrap_or_default().split(',').collect();
    let wait = Duration::from_secs(request.wait_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(0));
    let until = Instant::now() + wait;
    let news = Subscription::new(&ctx, vec![who.run_no]);
    loop {
        ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
        let who = current(ctx.store.agent_of(who.execution_id).await?)?;
        let status = status(&ctx, &who, who.state.clone()).await?;
        let is_news = status.followups.iter().any(|f| !known.contains(&f.followup_id.as_str()));
        // A lease is renewed in time however long nothing happens.
        let next = until.min(Instant::now() + ctx.lease / 3);
        if is_news || Instant::now() >= until || ctx.shutdown.is_cancelled() {
            return Ok(status);
        }
        tokio::select! {
            () = news.woken() => {}
            () = tokio::time::sleep_until(next) => {}
            () = ctx.shutdown.cancelled() => {}
        }
    }
}

pub(super) async fn raise_request(
    ctx: Ctx,
    caller: Caller,
    raised: RaiseRequest,
) -> Result<RunRequest, Error> {
    let who = current(caller)?;
    ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    Ok(ctx.store.raise_request(who, raised.request, now()).await?)
}

pub(super) async fn own_request(ctx: Ctx, caller: Caller, asked: GetOwnRequest) -> Result<RunRequest, Error> {
    let who = current(caller)?;
    ctx.leases.renew(who.execution_id, who.run_no, ctx.lease);
    Ok(ctx.store.own_request(who, asked.request_id).await?)
}

async fn upload(
    ctx: Ctx,
    caller: Caller,
    purpose: Purpose,
    conversation: ConversationId,
) -> Result<UploadTarget, Error> {
    let file = NewFile::expected(&format!("{}.json", purpose.as_str()), "application/json");
    let file = ctx.store.expect_of_conversation(current(caller)?, purpose, conversation, file, now()).await?;
    Ok(ctx.upload_target(&file))
}

pub(super) async fn upload_transcript(
    ctx: Ctx,
    caller: Caller,
    request: UploadTranscript,
) -> Result<UploadTarget, Error> {
    let UploadTranscript { conversation_id, format, session_id } = request;
    let Some(format) = format else {
        return upload(ctx, caller, Purpose::Transcript, conversation_id).await;
    };
    let file = NewFile::expected(&format!("{format}.session"), "application/octet-stream");
    let named = (format, session_id);
    let file = ctx.store.expect_session(current(caller)?, conversation_id, file, named, now()).await?;
    Ok(ctx.upload_target(&file))
}

pub(super) async fn upload_blocks(
    ctx: Ctx,
    caller: Caller,
    request: UploadBlocks,
) -> Result<UploadTarget, Error> {
    upload(ctx, caller, Purpose::Blocks, request.conversation_id).await
}

pub(super) async fn resolve_prompt(
    ctx: Ctx,
    caller: Caller,
    request: ResolvePrompt,
) -> Result<PromptResolved, Error> {
    let who = workload(caller)?;
    let run = ctx.store.get_own_run(who.run_no).await?;
    let mut prompt = run.prompt;
    if let Some(skill) = request.skill {
        prompt = format!("Follow the skill '{}':\n\n{}\n\n{prompt}", skill.name, skill.content);
    }
    let files = ctx.store.attachments(who.run_no, None).await?;
    let context = request.attachments_dir.filter(|_| !files.is_empty()).map(|dir| {
        let names: Vec<String> = files.iter().map(|f| format!("- {dir}/{}", f.filename)).collect();
        format!("These files came with the task:\n{}", names.join("\n"))
    });
    let resumption = ctx.store.resumption(who.run_no).await?;
    let (resumption_prompt, session) = resumption
        .map(|found| {
            let Saved { file, run_id, format, session_id, .. } = found.saved;
            let download_url = ctx.download_url(&file.file_id).0;
            (found.prompt, StoredSession { run_id, format, session_id, download_url })
        })
        .unzip();
    Ok(PromptResolved {
        prompt: prompt.trim_end().to_owned(),
        system_prompt: run.agent_config.and_then(|c| c.base_prompt),
        resumption_prompt,
        context,
        session,
    })
}

pub(super) async fn notify_user(ctx: Ctx, caller: Caller, request: NotifyUser) -> Result<Empty, Error> {
    let who = current(caller)?;
    let event = Open::Known(HarnessEvent::Text { text: request.message });
    ctx.store.append_notice(who, NewEntry { number: 0, occurred_at: now(), event }).await?;
    Ok(Empty {})
}

pub(super) async fn upload_snapshot(
    ctx: Ctx,
    caller: Caller,
    request: UploadSnapshot,
) -> Result<UploadsPrepared, Error> {
    let files = expected(&request.files);
    let files = ctx.store.expect_snapshot(workload(caller)?, request.generation, files, now()).await?;
    Ok(UploadsPrepared { uploads: files.iter().map(|f| ctx.upload_target(f)).collect() })
}

pub(super) async fn commit_snapshot(
    ctx: Ctx,
    caller: Caller,
    request: CommitSnapshot,
) -> Result<SnapshotCommitted, Error> {
    ctx.store.commit_snapshot(workload(caller)?, request.generation.clone(), request.files).await?;
    Ok(SnapshotCommitted { generation: request.generation })
}
