//! Memory stores and memories.

use super::{access::member, harness_support::current};
use crate::{
    ctx::{Ctx, now},
    store::accounts::Caller,
};
use oz_core::{
    Error,
    api::{
        CreateMemory, CreateMemoryStore, DeleteMemory, Empty, GetMemoryStore, ListMemories, ListMemoryStores,
        ListMemoryVersions, ListStoreAgents, MemoryList, MemoryMatchList, MemoryStore, MemoryStoreList,
        MemoryVersionList, MemoryWritten, SearchOwnMemories, StoreAgentList, UpdateMemory, UpdateMemoryStore,
        WriteOwnMemory,
    },
};

pub(super) async fn stores(ctx: Ctx, caller: Caller, _: ListMemoryStores) -> Result<MemoryStoreList, Error> {
    Ok(MemoryStoreList { memory_stores: ctx.store.memory_stores(member(caller)?).await? })
}

pub(super) async fn create_store(
    ctx: Ctx,
    caller: Caller,
    request: CreateMemoryStore,
) -> Result<MemoryStore, Error> {
    Ok(ctx.store.create_memory_store(member(caller)?, request, now()).await?)
}

pub(super) async fn store(ctx: Ctx, caller: Caller, request: GetMemoryStore) -> Result<MemoryStore, Error> {
    Ok(ctx.store.memory_store(member(caller)?, request.uid).await?)
}

pub(super) async fn update_store(
    ctx: Ctx,
    caller: Caller,
    request: UpdateMemoryStore,
) -> Result<MemoryStore, Error> {
    Ok(ctx.store.update_memory_store(member(caller)?, request.uid, request.description, now()).await?)
}

pub(super) async fn agents(
    ctx: Ctx,
    caller: Caller,
    request: ListStoreAgents,
) -> Result<StoreAgentList, Error> {
    Ok(StoreAgentList { agents: ctx.store.store_agents(member(caller)?, request.uid).await? })
}

pub(super) async fn list(ctx: Ctx, caller: Caller, request: ListMemories) -> Result<MemoryList, Error> {
    Ok(MemoryList { memories: ctx.store.memories(member(caller)?, request.uid).await? })
}

pub(super) async fn create(ctx: Ctx, caller: Caller, request: CreateMemory) -> Result<MemoryWritten, Error> {
    Ok(ctx.store.create_memory(member(caller)?, request, now()).await?)
}

pub(super) async fn update(ctx: Ctx, caller: Caller, request: UpdateMemory) -> Result<MemoryWritten, Error> {
    Ok(ctx.store.update_memory(member(caller)?, request, now()).await?)
}

pub(super) async fn delete(ctx: Ctx, caller: Caller, request: DeleteMemory) -> Result<Empty, Error> {
    ctx.store.delete_memory(member(caller)?, request.uid, request.memory_id, now()).await?;
    Ok(Empty {})
}

pub(super) async fn versions(
    ctx: Ctx,
    caller: Caller,
    request: ListMemoryVersions,
) -> Result<MemoryVersionList, Error> {
    Ok(MemoryVersionList {
        versions: ctx.store.memory_versions(member(caller)?, request.uid, request.memory_id).await?,
    })
}

pub(super) async fn search_own(
    ctx: Ctx,
    caller: Caller,
    request: SearchOwnMemories,
) -> Result<MemoryMatchList, Error> {
    Ok(MemoryMatchList { memories: ctx.store.search_memories(current(caller)?, request).await? })
}

pub(super) async fn write_own(
    ctx: Ctx,
    caller: Caller,
    request: WriteOwnMemory,
) -> Result<MemoryWritten, Error> {
    Ok(ctx.store.write_own_memory(current(caller)?, request, now()).await?)
}
