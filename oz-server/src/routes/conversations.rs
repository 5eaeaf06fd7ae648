//! Conversations and sessions.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
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
    let who = member(caller)?;
    let forked_conversation_id =
        ctx.store.fork_conversation(who, request.conversation_id, request.title, now()).await?;
    Ok(ConversationForked { forked_conversation_id })
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
