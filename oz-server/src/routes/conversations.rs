//! Conversations and sessions.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::{
        accounts::{Caller, short_id},
        files::Purpose,
    },
};
use oz_core::{
    Error,
    api::{
        CheckConversationRedirect, CheckSessionRedirect, ConversationForked, ConversationRedirect,
        ConversationTitle, Empty, ForkConversation, GetConversation, GetRunConversation, RenameConversation,
        ReportClientEvent, SessionRedirect,
    },
    conversation::Conversation,
};

pub(super) async fn of_run(
    ctx: Ctx,
    caller: Caller,
    request: GetRunConversation,
) -> Result<Conversation, Error> {
    let run = ctx.store.find_run(&caller, request.run_id).await?;
    Ok(ctx.store.conversation(caller, run.conversation_id).await?)
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetConversation) -> Result<Conversation, Error> {
    Ok(ctx.store.conversation(caller, request.conversation_id).await?)
}

pub(super) async fn redirect(
    ctx: Ctx,
    _: Caller,
    request: CheckConversationRedirect,
) -> Result<ConversationRedirect, Error> {
    let session = ctx.store.session_of_conversation(request.conversation_id).await?;
    Ok(ConversationRedirect { session_id: session.map(|id| id.0) })
}

pub(super) async fn session_redirect(
    ctx: Ctx,
    _: Caller,
    request: CheckSessionRedirect,
) -> Result<SessionRedirect, Error> {
    Ok(SessionRedirect { conversation_id: ctx.store.conversation_of_session(request.session_id).await? })
}

pub(super) async fn fork(
    ctx: Ctx,
    caller: Caller,
    request: ForkConversation,
) -> Result<ConversationForked, Error> {
    let who = member(caller.clone())?;
    let conversation = request.conversation_id;
    ctx.store.require_conversation(caller, conversation).await?;
    // The original goes on and replaces its file; the fork keeps what was there when it was made.
    let saved = match ctx.store.of_conversation(Purpose::Transcript, conversation).await? {
        Some(file) => {
            let copy = short_id();
            ctx.blobs.copy(&file.file_id, &copy).await?.then_some((file.file_id, copy))
        }
        None => None,
    };
    let made = ctx.store.fork_conversation(who, conversation, request.title, saved.clone(), now()).await;
    if let (Err(_), Some((_, copy))) = (&made, &saved) {
        ctx.blobs.remove(copy).await;
    }
    Ok(ConversationForked { forked_conversation_id: made? })
}

pub(super) async fn rename(
    ctx: Ctx,
    caller: Caller,
    request: RenameConversation,
) -> Result<ConversationTitle, Error> {
    let who = member(caller)?;
    ctx.store.rename_conversation(who, request.conversation_id, request.title.clone(), now()).await?;
    Ok(ConversationTitle { title: request.title })
}

pub(super) async fn client_event(
    ctx: Ctx,
    caller: Caller,
    request: ReportClientEvent,
) -> Result<Empty, Error> {
    ctx.store.client_event(caller, request).await?;
    Ok(Empty {})
}
