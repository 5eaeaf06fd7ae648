//! Memory stores and the memories in them.

use oz_core::api::{
    Empty, MemoryList, MemoryStore, MemoryStoreList, MemoryVersionList, MemoryWritten, StoreAgentList,
};

noun! {
    /// Calls about memory stores and the memories in them.
    MemoryStores memory
}

calls! { MemoryStores;
    /// Lists all memory stores that the caller may see.
    stores(ListMemoryStores {}) -> MemoryStoreList;
    /// Makes a memory store.
    create_store(CreateMemoryStore) -> MemoryStore;
    /// Gets the memory store with this id.
    store(GetMemoryStore { uid: String }) -> MemoryStore;
    /// Changes what a memory store says of itself.
    update_store(UpdateMemoryStore) -> MemoryStore;
    /// Lists the agents that may use the memory store with this id.
    agents(ListStoreAgents { uid: String }) -> StoreAgentList;
    /// Lists the memories of the store with this id.
    list(ListMemories { uid: String }) -> MemoryList;
    /// Adds a memory to a store.
    create(CreateMemory) -> MemoryWritten;
    /// Changes a memory. With a version, only the one that the caller has seen.
    update(UpdateMemory) -> MemoryWritten;
    /// Deletes a memory by the ids of its store and of itself; its versions stay.
    delete(DeleteMemory { uid: String, memory_id: String }) -> Empty;
    /// Lists the versions of a memory, by the ids of its store and of itself.
    versions(ListMemoryVersions { uid: String, memory_id: String }) -> MemoryVersionList;
}
