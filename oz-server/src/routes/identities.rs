//! Agent identities.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{
        CreateIdentity, DeleteIdentity, Empty, GetIdentity, Identity, IdentityList, ListIdentities,
        UpdateIdentity,
    },
};

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateIdentity) -> Result<Identity, Error> {
    Ok(ctx.store.create_identity(member(caller)?, request, now()).await?)
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListIdentities) -> Result<IdentityList, Error> {
    let mut agents = ctx.store.identities(&member(caller)?).await?;
    if let Some(factory) = request.factory_uid {
        agents.retain(|a| a.profile.factory_uid.as_ref() == Some(&factory));
    }
    Ok(IdentityList { agents })
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetIdentity) -> Result<Identity, Error> {
    Ok(ctx.store.identity(&member(caller)?, request.uid).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateIdentity) -> Result<Identity, Error> {
    Ok(ctx.store.update_identity(member(caller)?, request, now()).await?)
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteIdentity) -> Result<Empty, Error> {
    ctx.store.delete_identity(member(caller)?, request.uid, now()).await?;
    Ok(Empty {})
}
