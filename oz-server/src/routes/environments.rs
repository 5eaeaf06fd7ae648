//! Environments, shared MCP servers and profiles.

use super::access::member;
use crate::{
    ctx::{Ctx, now},
    store::{
        accounts::{Caller, Member},
        objects::{Kind, NewObject, Object},
    },
};
use oz_core::{
    Error,
    api::{
        CreateEnvironment, CreateMcpServer, CreateProfile, DeleteEnvironment, DeleteMcpServer, DeleteProfile,
        Empty, Environment, EnvironmentList, GetEnvironment, GetMcpServer, GetProfile, ListEnvironments,
        ListMcpServers, ListProfiles, McpServer, McpServerList, Profile, ProfileList, UpdateEnvironment,
        UpdateMcpServer, UpdateProfile,
    },
    config::McpServerConfig,
    environment::{EnvironmentConfig, EnvironmentSort},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

async fn environment(
    ctx: &Ctx,
    who: &Member,
    object: Object<EnvironmentConfig>,
) -> Result<Environment, Error> {
    let last = ctx.store.last_of_environment(who.team_id.0.clone(), object.uid.clone()).await?;
    Ok(Environment {
        setup_failed: last.as_ref().is_some_and(|l| l.setup_failed),
        last_task_run_timestamp: last.as_ref().and_then(|l| l.task.started_at),
        last_task_created: last.map(|l| l.task),
        uid: object.uid,
        config: object.body,
        last_updated: object.updated_at,
        scope: Some(object.scope),
        creator: Some(object.creator),
        last_editor: Some(object.editor),
        revision: object.revision,
    })
}

pub(super) async fn list(
    ctx: Ctx,
    caller: Caller,
    request: ListEnvironments,
) -> Result<EnvironmentList, Error> {
    let who = member(caller)?;
    let mut environments = Vec::new();
    for object in ctx.store.objects(Kind::Environment, who.clone()).await? {
        environments.push(environment(&ctx, &who, object).await?);
    }
    if request.sort_by != Some(EnvironmentSort::Name) {
        environments.sort_by_key(|e| std::cmp::Reverse(e.last_updated));
    }
    Ok(EnvironmentList { environments })
}

pub(super) async fn create(
    ctx: Ctx,
    caller: Caller,
    request: CreateEnvironment,
) -> Result<Environment, Error> {
    let who = member(caller)?;
    let new = NewObject::new(Kind::Environment, request.config.name.clone(), &request.config, request.team)?;
    let object = ctx.store.create_object(who.clone(), new, now()).await?;
    environment(&ctx, &who, object).await
}

pub(super) async fn get(ctx: Ctx, caller: Caller, request: GetEnvironment) -> Result<Environment, Error> {
    let who = member(caller)?;
    let object = ctx.store.object(Kind::Environment, who.clone(), request.uid).await?;
    environment(&ctx, &who, object).await
}

pub(super) async fn update(
    ctx: Ctx,
    caller: Caller,
    request: UpdateEnvironment,
) -> Result<Environment, Error> {
    let who = member(caller)?;
    let new = NewObject::new(Kind::Environment, request.config.name.clone(), &request.config, None)?;
    let object = ctx.store.update_object(who.clone(), request.uid, new, request.revision, now()).await?;
    environment(&ctx, &who, object).await
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteEnvironment) -> Result<Empty, Error> {
    ctx.store.delete_object(Kind::Environment, member(caller)?, request.uid).await?;
    Ok(Empty {})
}

/// What the body of a shared MCP server holds.
#[derive(Serialize, Deserialize)]
struct StoredServer {
    #[serde(default)]
    description: Option<String>,
    server: McpServerConfig,
}

fn mcp_server(object: Object<StoredServer>) -> McpServer {
    McpServer {
        uid: object.uid,
        name: object.name,
        description: object.body.description,
        server: object.body.server,
        scope: Some(object.scope),
        created_at: object.created_at,
        last_updated: object.updated_at,
        revision: object.revision,
    }
}

pub(super) async fn list_mcp_servers(
    ctx: Ctx,
    caller: Caller,
    _: ListMcpServers,
) -> Result<McpServerList, Error> {
    let objects = ctx.store.objects(Kind::McpServer, member(caller)?).await?;
    Ok(McpServerList { mcp_servers: objects.into_iter().map(mcp_server).collect() })
}

pub(super) async fn create_mcp_server(
    ctx: Ctx,
    caller: Caller,
    request: CreateMcpServer,
) -> Result<McpServer, Error> {
    let body = StoredServer { description: request.description, server: request.server };
    let new = NewObject::new(Kind::McpServer, request.name, &body, request.team)?;
    Ok(mcp_server(ctx.store.create_object(member(caller)?, new, now()).await?))
}

pub(super) async fn get_mcp_server(
    ctx: Ctx,
    caller: Caller,
    request: GetMcpServer,
) -> Result<McpServer, Error> {
    Ok(mcp_server(ctx.store.object(Kind::McpServer, member(caller)?, request.uid).await?))
}

pub(super) async fn update_mcp_server(
    ctx: Ctx,
    caller: Caller,
    request: UpdateMcpServer,
) -> Result<McpServer, Error> {
    let body = StoredServer { description: request.description, server: request.server };
    let new = NewObject::new(Kind::McpServer, request.name, &body, None)?;
    let object = ctx.store.update_object(member(caller)?, request.uid, new, request.revision, now()).await?;
    Ok(mcp_server(object))
}

pub(super) async fn delete_mcp_server(
    ctx: Ctx,
    caller: Caller,
    request: DeleteMcpServer,
) -> Result<Empty, Error> {
    ctx.store.delete_object(Kind::McpServer, member(caller)?, request.uid).await?;
    Ok(Empty {})
}

fn profile(object: Object<Map<String, Value>>) -> Profile {
    Profile {
        uid: object.uid,
        name: object.name,
        settings: object.body,
        scope: Some(object.scope),
        created_at: object.created_at,
        last_updated: object.updated_at,
        revision: object.revision,
    }
}

pub(super) async fn list_profiles(ctx: Ctx, caller: Caller, _: ListProfiles) -> Result<ProfileList, Error> {
    let objects = ctx.store.objects(Kind::Profile, member(caller)?).await?;
    Ok(ProfileList { profiles: objects.into_iter().map(profile).collect() })
}

pub(super) async fn create_profile(
    ctx: Ctx,
    caller: Caller,
    request: CreateProfile,
) -> Result<Profile, Error> {
    let new = NewObject::new(Kind::Profile, request.name, &request.settings, request.team)?;
    Ok(profile(ctx.store.create_object(member(caller)?, new, now()).await?))
}

pub(super) async fn get_profile(ctx: Ctx, caller: Caller, request: GetProfile) -> Result<Profile, Error> {
    Ok(profile(ctx.store.object(Kind::Profile, member(caller)?, request.uid).await?))
}

pub(super) async fn update_profile(
    ctx: Ctx,
    caller: Caller,
    request: UpdateProfile,
) -> Result<Profile, Error> {
    let new = NewObject::new(Kind::Profile, request.name, &request.settings, None)?;
    let object = ctx.store.update_object(member(caller)?, request.uid, new, request.revision, now()).await?;
    Ok(profile(object))
}

pub(super) async fn delete_profile(ctx: Ctx, caller: Caller, request: DeleteProfile) -> Result<Empty, Error> {
    ctx.store.delete_object(Kind::Profile, member(caller)?, request.uid).await?;
    Ok(Empty {})
}
