//! Dispatching, reading and cancelling runs.

use crate::{
    ctx::{Ctx, now},
    store::{
        accounts::{Caller, Member},
        runs::NewRun,
    },
};
use oz_core::{
    ConversationId, Error, ErrorCode, Run, RunId,
    api::{CancelRun, CreateRun, GetConversation, GetRun, GetRunConversation, ListRuns, RunCreated, RunPage},
    conversation::Conversation,
    run::RunSource,
};

/// The member behind a key; runs may not do what only people and service accounts may.
pub(super) fn member(caller: Caller) -> Result<Member, Error> {
    match caller {
        Caller::Key(member) => Ok(member),
        Caller::Run(_) => {
            Err(Error::new(ErrorCode::NotAuthorized, "the token of a run can't do this; it needs an API key"))
        }
    }
}

/// The first line of a prompt, as a title.
pub(super) fn title(prompt: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Run");
    let mut title: String = line.chars().take(80).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    title
}

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateRun) -> Result<RunCreated, Error> {
    let parent = match request.parent_run_id {
        Some(id) => Some(
            ctx.store
                .find_run(&caller, id)
                .map_err(|_| {
                    Error::invalid_field("parent_run_id", &id.to_string(), "a run that you can see")
                })?
                .run_no,
        ),
        None => None,
    };
    let member = member(caller)?;
    for (given, what) in [
        (request.skill.is_some(), "skill"),
        (request.conversation_id.is_some(), "conversation_id"),
        (request.config.as_ref().is_some_and(|c| c.environment_id.is_some()), "config.environment_id"),
    ] {
        if given {
            return Err(Error::unsupported(format!("{what}: this server does not support it yet")));
        }
    }
    let now = now();
    let run_id = RunId::mint(now);
    let prompt = request.prompt.unwrap_or_default();
    let new = NewRun {
        run_id,
        conversation_id: ConversationId::mint(now),
        personal: request.team == Some(false),
        title: request.title.filter(|t| !t.trim().is_empty()).unwrap_or_else(|| title(&prompt)),
        prompt,
        config: request.config.unwrap_or_default(),
        metadata: request.metadata,
        source: if parent.is_some() { RunSource::Orchestration } else { member.source.clone() },
        parent,
        member,
        local: None,
    };
    let run_no = ctx.store.create_run(new, now).await?;
    ctx.dispatch.notify_one();
    ctx.hub.publish(run_no);
    if let Some(parent) = parent {
        ctx.hub.publish(parent);
    }
    Ok(RunCreated { run_id, task_id: run_id, state: oz_core::RunState::Queued, at_capacity: None })
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListRuns) -> Result<RunPage, Error> {
    if let Some(ancestor) = request.ancestor_run_id {
        ctx.store.find_run(&caller, ancestor)?;
    }
    Ok(ctx.store.list_runs(caller, request).await?)
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetRun) -> Result<Run, Error> {
    let run = ctx.store.find_run(&caller, request.run_id)?;
    Ok(ctx.store.get_run(run.run_no)?)
}

pub(super) async fn cancel(ctx: Ctx, caller: Caller, request: CancelRun) -> Result<String, Error> {
    let run = ctx.store.find_run(&caller, request.run_id)?;
    let member = member(caller)?;
    let who = member.principal.display_name.unwrap_or(member.principal.uid);
    let execution = ctx.store.cancel_run(run.run_no, format!("Cancelled by {who}."), now()).await?;
    if let Some(execution_id) = execution {
        ctx.leases.end(execution_id);
        ctx.workers.cancel(run.run_id, execution_id);
    }
    ctx.hub.publish(run.run_no);
    Ok(run.run_id.to_string())
}

pub(super) async fn conversation(
    ctx: Ctx,
    caller: Caller,
    request: GetRunConversation,
) -> Result<Conversation, Error> {
    let run = ctx.store.find_run(&caller, request.run_id)?;
    let entries = ctx.store.read_transcript(run.run_no, run.run_id, 0, i64::MAX)?;
    Ok(Conversation::from_transcript(run.conversation_id, &entries))
}

pub(super) async fn conversation_by_id(
    ctx: Ctx,
    caller: Caller,
    request: GetConversation,
) -> Result<Conversation, Error> {
    let run = ctx.store.find_conversation(&caller, request.conversation_id)?;
    let entries = ctx.store.read_transcript(run.run_no, run.run_id, 0, i64::MAX)?;
    Ok(Conversation::from_transcript(run.conversation_id, &entries))
}
