//! Teams, their people, invitations and keys.

use super::access::member;
use crate::{
    auth,
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{
        AcceptInvitation, ApiKeyCreated, ApiKeyList, CreateApiKey, CreateInvitation, CreateTeam,
        DeleteApiKey, DeleteInvitation, Empty, GetTeam, InvitationCreated, InvitationList, ListApiKeys,
        ListInvitations, ListUsers, RemoveUser, Role, Team, TeamJoined, TeamMember, UpdateTeam, UpdateUser,
        UserList,
    },
};

/// A new key with its digest.
fn fresh_key() -> (String, String) {
    let raw = auth::new_key();
    let hash = auth::digest(&raw);
    (raw, hash)
}

pub(super) async fn keys(ctx: Ctx, caller: Caller, _: ListApiKeys) -> Result<ApiKeyList, Error> {
    Ok(ApiKeyList { api_keys: ctx.store.keys(member(caller)?).await? })
}

pub(super) async fn create_key(
    ctx: Ctx,
    caller: Caller,
    request: CreateApiKey,
) -> Result<ApiKeyCreated, Error> {
    let now = now();
    if let Some(at) = request.expires_at.filter(|at| *at <= now) {
        return Err(Error::invalid_field("expires_at", &at.to_string(), "a time in the future"));
    }
    let key = fresh_key();
    let raw_api_key = key.0.clone();
    let agent = request.agent_uid.filter(|uid| !uid.is_empty());
    let api_key =
        ctx.store.create_key(member(caller)?, request.name, agent, request.expires_at, key, now).await?;
    Ok(ApiKeyCreated { raw_api_key, api_key })
}

pub(super) async fn delete_key(ctx: Ctx, caller: Caller, request: DeleteApiKey) -> Result<Empty, Error> {
    ctx.store.delete_key(member(caller)?, request.uid).await?;
    Ok(Empty {})
}

pub(super) async fn get(ctx: Ctx, caller: Caller, _: GetTeam) -> Result<Team, Error> {
    Ok(ctx.store.team(&member(caller)?).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateTeam) -> Result<Team, Error> {
    Ok(ctx.store.rename_team(&member(caller)?, request.name).await?)
}

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateTeam) -> Result<TeamJoined, Error> {
    Ok(ctx.store.create_team(member(caller)?, request.name, fresh_key(), now()).await?)
}

pub(super) async fn users(ctx: Ctx, caller: Caller, _: ListUsers) -> Result<UserList, Error> {
    Ok(UserList { users: ctx.store.people(&member(caller)?).await? })
}

pub(super) async fn update_user(ctx: Ctx, caller: Caller, request: UpdateUser) -> Result<TeamMember, Error> {
    Ok(ctx.store.set_role(&member(caller)?, request.uid, request.role).await?)
}

pub(super) async fn remove_user(ctx: Ctx, caller: Caller, request: RemoveUser) -> Result<Empty, Error> {
    ctx.store.remove_person(&member(caller)?, request.uid).await?;
    Ok(Empty {})
}

pub(super) async fn invite(
    ctx: Ctx,
    caller: Caller,
    request: CreateInvitation,
) -> Result<InvitationCreated, Error> {
    let code = auth::random_hex();
    let role = request.role.unwrap_or(Role::Member);
    let invitation =
        ctx.store.invite(member(caller)?, request.email, role, auth::digest(&code), now()).await?;
    Ok(InvitationCreated { invitation, code })
}

pub(super) async fn invitations(
    ctx: Ctx,
    caller: Caller,
    _: ListInvitations,
) -> Result<InvitationList, Error> {
    Ok(InvitationList { invitations: ctx.store.invitations(&member(caller)?, now()).await? })
}

pub(super) async fn withdraw(ctx: Ctx, caller: Caller, request: DeleteInvitation) -> Result<Empty, Error> {
    ctx.store.withdraw_invitation(&member(caller)?, request.uid).await?;
    Ok(Empty {})
}

pub(super) async fn accept(ctx: Ctx, _: Caller, request: AcceptInvitation) -> Result<TeamJoined, Error> {
    let code_hash = auth::digest(request.code.trim());
    Ok(ctx.store.accept_invitation(code_hash, request.display_name, fresh_key(), now()).await?)
}
