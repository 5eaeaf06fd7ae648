//! What the agent process of a run reports. Every call is a sign of life.

use super::runs::{member, title};
use crate::{
    auth,
    ctx::{Ctx, now},
    store::{
        accounts::{Caller, Workload},
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, ErrorCode, ExecutionId, Run, RunId, RunState,
    api::{
        AppendTranscript, ArtifactReported, CreateLocalRun, Empty, FinishTask, GetOwnRun, LocalRunCreated,
        ReportArtifact, ReportShutdown, RunStatus, UpdateRun,
    },
    run::{RunSource, StatusMessage},
};
use std::collections::BTreeMap;

fn workload(caller: Caller) -> Result<Workload, Error> {
    match caller {
        Caller::Run(workload) => Ok(workload),
        Caller::Key(_) => Err(Error::new(ErrorCode::NotAuthorized, "this needs the token of a run")),
    }
}

/// What follows a change that an agent made.
fn changed(ctx: &Ctx, who: &Workload, state: &RunState) {
    if state.is_terminal() {
        ctx.leases.end(who.execution_id);
    } else {
        ctx.leases.renew(who.execution_id, ctx.lease);
    }
    ctx.hub.publish(who.run_no);
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
        run_id,
        conversation_id: ConversationId::mint(now),
        member,
        personal: false,
        title: request.title.filter(|t| !t.trim().is_empty()).unwrap_or_else(|| title(&request.prompt)),
        prompt: request.prompt,
        config: request.config.unwrap_or_default(),
        metadata: BTreeMap::new(),
        source: RunSource::Local,
        parent: None,
        local: Some((execution_id, auth::digest(&token))),
    };
    let run_no = ctx.store.create_run(new, now).await?;
    ctx.leases.grant(execution_id, run_no, ctx.lease);
    Ok(LocalRunCreated { run_id, execution_id, workload_token: token })
}

pub(super) async fn own_run(ctx: Ctx, caller: Caller, _: GetOwnRun) -> Result<Run, Error> {
    let who = workload(caller)?;
    if who.stale {
        return Err(Error::conflict(format!("the run is {} without this agent, which must stop", who.state)));
    }
    ctx.leases.renew(who.execution_id, ctx.lease);
    Ok(ctx.store.get_run(who.run_no)?)
}

pub(super) async fn update_run(ctx: Ctx, caller: Caller, request: UpdateRun) -> Result<RunStatus, Error> {
    let who = workload(caller)?;
    // An agent that reports its end twice, because the first answer was lost, is told what it wants to hear.
    if who.state.is_terminal() && request.task_state.as_ref() == Some(&who.state) {
        return Ok(RunStatus { state: who.state });
    }
    let state = ctx.store.update_run(who.clone(), request, now()).await?;
    changed(&ctx, &who, &state);
    Ok(RunStatus { state })
}

pub(super) async fn append_transcript(
    ctx: Ctx,
    caller: Caller,
    request: AppendTranscript,
) -> Result<RunStatus, Error> {
    let who = workload(caller)?;
    if request.entries.is_empty() {
        if who.stale {
            return Err(Error::conflict(format!(
                "the run is {} without this agent, which must stop",
                who.state
            )));
        }
        ctx.leases.renew(who.execution_id, ctx.lease);
        return Ok(RunStatus { state: who.state });
    }
    let state = ctx.store.append_transcript(who.clone(), request.entries).await?;
    changed(&ctx, &who, &state);
    Ok(RunStatus { state })
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
    let state = ctx.store.shut_down(who.clone(), error, now()).await?;
    changed(&ctx, &who, &state);
    Ok(Empty {})
}
