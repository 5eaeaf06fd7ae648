//! Dispatching, reading and cancelling runs.

use super::{access::member, account::everywhere};
use crate::{
    ctx::{Ctx, now},
    dispatch::reason,
    store::{
        accounts::{Caller, short_id},
        files::NewFile,
        runs::{NewRun, WithFiles},
    },
};
use oz_core::{
    ConversationId, Error, ErrorCode, Run, RunId, RunState,
    api::{
        AnswerRunRequest, CancelRun, CreateRun, Empty, GetRun, ListRunRequests, ListRuns, RunCreated,
        RunPage, RunRequest, RunRequestList, SubmitFollowup,
    },
    run::{InQueue, RunSource, StatusMessage},
};

pub(super) async fn create(ctx: Ctx, caller: Caller, mut request: CreateRun) -> Result<RunCreated, Error> {
    let now = now();
    let run_id = RunId::mint(now);
    let (member, parent_agent) = match &caller {
        Caller::Run(who) => {
            if who.stale {
                return Err(Error::settled("this run is over or in another execution; its agent must stop"));
            }
            // A run starts runs as its children, whatever it says.
            if request.parent_run_id.is_some_and(|parent| parent != who.run_id) {
                let text = "parent_run_id: a run can only start runs of its own";
                return Err(Error::new(ErrorCode::NotAuthorized, text));
            }
            request.parent_run_id = Some(who.run_id);
            ctx.store.member_of_run(who.run_no).await?
        }
        caller => (member(caller.clone())?, None),
    };
    let parent = match request.parent_run_id {
        Some(id) => {
            let found = ctx.store.find_run(&caller, id).await;
            let missing =
                |_| Error::invalid_field("parent_run_id", &id.to_string(), "a run that you can see");
            Some(found.map_err(missing)?.run_no)
        }
        None => None,
    };
    if let Some(conversation) = request.conversation_id {
        ctx.store.require_conversation(caller, conversation).await?;
    }
    let mut attachments = Vec::new();
    for file in request.all_attachments() {
        let bytes = file.bytes()?;
        let file_id = short_id();
        let size = match ctx.blobs.put(&file_id, bytes.into()).await {
            Ok(size) => size,
            Err(e) => {
                remove(&ctx, &attachments).await;
                return Err(e);
            }
        };
        let (filename, mime_type) = (file.file_name, file.mime_type);
        attachments.push(NewFile { file_id, filename, mime_type, size_bytes: Some(size) });
    }
    let mut config = request.config.unwrap_or_default();
    if let Some(skill) = request.skill {
        config.skill_spec = Some(skill);
        config.skills.clear();
    }
    if request.snapshot_disabled.is_some() {
        config.snapshot_disabled = request.snapshot_disabled;
    }
    let source = if parent.is_some() { RunSource::Orchestration } else { member.source.clone() };
    let conversation_id = request.conversation_id.unwrap_or_else(|| ConversationId::mint(now));
    let new = NewRun {
        personal: request.team == Some(false),
        title: request.title,
        prompt: request.prompt.unwrap_or_default(),
        config,
        metadata: request.metadata,
        source,
        parent,
        agent_uid: request.agent_identity_uid.or(parent_agent),
        on_behalf_of: request.on_behalf_of,
        mode: request.mode,
        continues: request.conversation_id.is_some(),
        files: WithFiles { attachments, snapshot_token: request.initial_snapshot_token },
        ..NewRun::by(member, run_id, conversation_id)
    };
    let stored = new.files.attachments.clone();
    if let Err(e) = ctx.store.create_run(new, now).await {
        if e.is_undone() {
            remove(&ctx, &stored).await;
        }
        return Err(e.into());
    }
    Ok(RunCreated { run_id, task_id: run_id, state: RunState::Queued, at_capacity: None })
}

/// Removes the files of a run that was not made.
async fn remove(ctx: &Ctx, files: &[NewFile]) {
    for file in files {
        ctx.blobs.remove(&file.file_id).await;
    }
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListRuns) -> Result<RunPage, Error> {
    if let Some(ancestor) = request.ancestor_run_id {
        ctx.store.find_run(&caller, ancestor).await?;
    }
    let mut page = ctx.store.list_runs(caller, request).await?;
    say_why_queued(&ctx, &mut page.runs).await?;
    Ok(page)
}

/// Says of the runs that wait for a worker where they stand, and why.
async fn say_why_queued(ctx: &Ctx, runs: &mut [Run]) -> Result<(), Error> {
    let queued: Vec<RunId> = runs.iter().filter(|r| r.state == RunState::Queued).map(|r| r.run_id).collect();
    if queued.is_empty() {
        return Ok(());
    }
    let places = ctx.store.places(queued).await?;
    let workers = everywhere(ctx).await?;
    for run in runs {
        if let Some((queue, position)) = places.get(&run.run_id) {
            let reason = reason::why(queue, *position, &workers);
            run.status_message.get_or_insert_with(|| StatusMessage::info(reason.as_str()));
            run.queue = Some(InQueue { position: *position, reason });
        }
    }
    Ok(())
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetRun) -> Result<Run, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    let mut run = ctx.store.get_run(run.run_no).await?;
    say_why_queued(&ctx, std::slice::from_mut(&mut run)).await?;
    Ok(run)
}

pub(super) async fn cancel(ctx: Ctx, caller: Caller, request: CancelRun) -> Result<String, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    let who = match caller {
        Caller::Run(who) if who.run_id == run.run_id => {
            return Err(Error::new(ErrorCode::NotAuthorized, "a run can't cancel itself; it can end"));
        }
        Caller::Run(who) => format!("the run {}", who.run_id),
        caller => {
            let member = member(caller)?;
            member.principal.display_name.unwrap_or(member.principal.uid)
        }
    };
    // So the published API has it.
    if request.force != Some(true) && ctx.store.get_run(run.run_no).await?.state == RunState::Blocked {
        let text = "run: it is BLOCKED; answer it, or cancel it with \"force\": true";
        return Err(Error::invalid(text));
    }
    let execution = ctx.store.cancel_run(run.run_no, format!("Cancelled by {who}."), now()).await?;
    if let Some(execution_id) = execution {
        ctx.leases.end(execution_id);
    }
    Ok(run.run_id.to_string())
}

pub(super) async fn follow_up(ctx: Ctx, caller: Caller, request: SubmitFollowup) -> Result<Empty, Error> {
    ctx.store.follow_up(caller, request, now()).await?;
    Ok(Empty {})
}

pub(super) async fn requests(
    ctx: Ctx,
    caller: Caller,
    request: ListRunRequests,
) -> Result<RunRequestList, Error> {
    Ok(RunRequestList { requests: ctx.store.list_requests(caller, request).await? })
}

pub(super) async fn answer(ctx: Ctx, caller: Caller, request: AnswerRunRequest) -> Result<RunRequest, Error> {
    Ok(ctx.store.answer_request(caller, request, now()).await?)
}
