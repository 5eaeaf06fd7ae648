//! What agents remember: which stores a run may use, and what its agent reads and writes there.

use super::Bed;
use crate::{
    ctx::now,
    store::{accounts::Workload, executions::Report, runs::NewRun},
};
use oz_core::{
    ConversationId, Error, RunId,
    api::{
        AutoMemoryInput, CreateIdentity, CreateMemory, CreateMemoryStore, MemoryInput, SearchOwnMemories,
        UpdateMemory, WriteOwnMemory,
    },
    config::{AgentConfig, MemoryAccess, MemoryStoreRef},
};

fn of(uid: &str, access: MemoryAccess, instructions: &str) -> MemoryStoreRef {
    MemoryStoreRef { uid: uid.into(), access, instructions: instructions.into() }
}

impl Bed {
    async fn memory_store(&self, personal: bool) -> String {
        let new = CreateMemoryStore { team: Some(!personal), ..CreateMemoryStore::default() };
        self.store.create_memory_store(self.member.clone(), new, now()).await.unwrap().uid
    }

    /// A run at work that may use these stores, as an agent or not.
    async fn with_stores(&self, stores: Vec<MemoryStoreRef>, agent: Option<String>) -> Workload {
        let new = NewRun {
            prompt: "x".into(),
            config: AgentConfig { memory_stores: stores, ..AgentConfig::default() },
            agent_uid: agent,
            ..NewRun::by(self.member.clone(), RunId::mint(now()), ConversationId::mint(now()))
        };
        let run_no = self.store.create_run(new, now()).await.unwrap();
        let who = self.offer(run_no).await;
        self.report(&who, Report::Claimed).await;
        who
    }

    async fn remember(&self, uid: &str, content: &str) -> String {
        let new = CreateMemory { uid: uid.into(), content: content.into(), ..CreateMemory::default() };
        self.store.create_memory(self.member.clone(), new, now()).await.unwrap().memory_id
    }

    async fn recall(&self, who: &Workload, query: &str) -> Vec<String> {
        let query = SearchOwnMemories { query: query.into(), limit: None };
        let found = self.store.search_memories(who.clone(), query).await.unwrap();
        found.into_iter().map(|memory| memory.content).collect()
    }

    async fn write(&self, who: &Workload, new: WriteOwnMemory) -> Result<String, u16> {
        let written = self.store.write_own_memory(who.clone(), new, now()).await;
        written.map(|written| written.memory_id).map_err(|e| Error::from(e).http_status())
    }
}

fn note(store: &str, content: &str) -> WriteOwnMemory {
    WriteOwnMemory {
        store_uid: store.into(),
        content: content.into(),
        reason: Some("it lasts".into()),
        ..WriteOwnMemory::default()
    }
}

on_both! {
    async fn a_run_finds_what_fits_in_its_own_stores_only(bed: Bed) {
        let (one, two, other) = (bed.memory_store(false).await, bed.memory_store(true).await, bed.memory_store(false).await);
        bed.remember(&one, "Deployments need an approval.").await;
        bed.remember(&two, "The user deploys on Fridays.").await;
        bed.remember(&other, "Deployments of others.").await;
        let gone = bed.remember(&one, "Deployments were forbidden.").await;
        bed.store.delete_memory(bed.member.clone(), one.clone(), gone, now()).await.unwrap();
        let read = MemoryAccess::ReadOnly;
        let who = bed.with_stores(vec![of(&one, read.clone(), "i"), of(&two, read, "i")], None).await;
        assert_eq!(bed.recall(&who, "How do deployments go?").await, ["Deployments need an approval."]);
        let mut all = bed.recall(&who, "approval fridays").await;
        all.sort();
        assert_eq!(all, ["Deployments need an approval.", "The user deploys on Fridays."]);
        assert_eq!(bed.recall(&who, "kubernetes").await, [""; 0]);
        let bare = bed.with_stores(Vec::new(), None).await;
        assert_eq!(bed.recall(&bare, "deployments").await, [""; 0]);
    }

    async fn an_agent_writes_only_where_it_may_and_what_it_has_seen(bed: Bed) {
        let (own, shared, other) = (bed.memory_store(false).await, bed.memory_store(false).await, bed.memory_store(false).await);
        let stores = vec![of(&own, MemoryAccess::ReadWrite, "i"), of(&shared, MemoryAccess::ReadOnly, "i")];
        let who = bed.with_stores(stores, None).await;
        assert_eq!(bed.write(&who, note(&shared, "x")).await, Err(403));
        assert_eq!(bed.write(&who, note(&other, "x")).await, Err(404));
        assert_eq!(bed.write(&who, note("nowhere", "x")).await, Err(404));
        let memory_id = bed.write(&who, note(&own, "Tests need a database.")).await.unwrap();
        let changed = |version| WriteOwnMemory {
            memory_id: Some(memory_id.clone()),
            version: Some(version),
            ..note(&own, "Tests need no database.")
        };
        bed.write(&who, changed(1)).await.unwrap();
        assert_eq!(bed.write(&who, changed(1)).await, Err(409));
        let elsewhere = bed.remember(&shared, "s").await;
        let sly = WriteOwnMemory { memory_id: Some(elsewhere), ..note(&own, "x") };
        assert_eq!(bed.write(&who, sly).await, Err(404), "a memory of another store");
        let left = bed.store.memories(bed.member.clone(), own.clone()).await.unwrap();
        let [memory] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!((memory.source.as_str(), memory.content.as_str()), ("AGENT", "Tests need no database."));
        assert_eq!(memory.source_run_id.as_deref(), Some(who.run_id.to_string().as_str()));
        let versions = bed.store.memory_versions(bed.member.clone(), own.clone(), memory_id.clone()).await.unwrap();
        let told: Vec<_> = versions.iter().map(|v| (v.version, v.reason.as_deref())).collect();
        assert_eq!(told, [(2, Some("it lasts")), (1, Some("it lasts"))]);
        let change = UpdateMemory { uid: own.clone(), memory_id, content: "By hand.".into(), version: Some(2), reason: None };
        bed.store.update_memory(bed.member.clone(), change, now()).await.unwrap();
        bed.store.cancel_run(who.run_no, "enough".into(), now()).await.unwrap();
        assert_eq!(bed.write(&who, note(&own, "too late")).await, Err(409));
    }

    async fn a_run_has_the_stores_of_its_agent_and_its_own_entry_counts(bed: Bed) {
        let (one, two) = (bed.memory_store(false).await, bed.memory_store(false).await);
        let (read, write) = (MemoryAccess::ReadOnly, MemoryAccess::ReadWrite);
        let memory = MemoryInput {
            attached_stores: Some(vec![of(&one, write.clone(), "agent"), of(&two, write.clone(), "agent")]),
            auto_memory: Some(AutoMemoryInput { enabled: Some(true) }),
        };
        let new = CreateIdentity { name: "keeper".into(), memory: Some(memory), ..CreateIdentity::default() };
        let agent = bed.store.create_identity(bed.member.clone(), new, now()).await.unwrap();
        let own = agent.memory.auto_memory.store.unwrap();
        let who = bed.with_stores(vec![of(&one, read.clone(), "run")], Some(agent.uid)).await;
        let stores = bed.store.get_run(who.run_no).await.unwrap().agent_config.unwrap().memory_stores;
        let expected = [of(&one, read, "run"), of(&two, write.clone(), "agent"), of(&own.uid, write, &own.instructions)];
        assert_eq!(stores, expected);
        assert_eq!(bed.write(&who, note(&one, "x")).await, Err(403));
        assert!(bed.write(&who, note(&own.uid, "x")).await.is_ok());
    }
}
