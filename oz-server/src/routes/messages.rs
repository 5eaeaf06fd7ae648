//! Messages between runs.

use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error, ErrorCode,
    api::{
        Empty, ListMessages, Message, MessageDelivered, MessageHeader, MessageSent, ReadMessage, SendMessage,
    },
};

pub(super) async fn send(ctx: Ctx, caller: Caller, request: SendMessage) -> Result<MessageSent, Error> {
    if let Caller::Run(who) = &caller
        && who.run_id != request.sender_run_id
    {
        let text = "sender_run_id: a run can only send in its own name";
        return Err(Error::new(ErrorCode::NotAuthorized, text));
    }
    Ok(MessageSent { message_ids: ctx.store.send_message(caller, request, now()).await? })
}

pub(super) async fn list(
    ctx: Ctx,
    caller: Caller,
    request: ListMessages,
) -> Result<Vec<MessageHeader>, Error> {
    if let Caller::Run(who) = &caller
        && who.run_id != request.run_id
    {
        return Err(Error::not_found("run", request.run_id));
    }
    Ok(ctx.store.messages(caller, request).await?)
}

pub(super) async fn read(ctx: Ctx, caller: Caller, request: ReadMessage) -> Result<Message, Error> {
    Ok(ctx.store.read_message(caller, request.message_id, now()).await?)
}

pub(super) async fn delivered(ctx: Ctx, caller: Caller, request: MessageDelivered) -> Result<Empty, Error> {
    ctx.store.message_delivered(caller, request.message_id, now()).await?;
    Ok(Empty {})
}
