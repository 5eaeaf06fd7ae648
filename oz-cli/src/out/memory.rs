//! Memory stores and what is in them, as people read them.

use super::table::{self, Listing, short, time, utc};
use oz_core::api::{Memory, MemoryStore, MemoryVersion, StoreAgent};

/// A list of memory stores.
pub(crate) const STORES: Listing<MemoryStore, 4> = Listing {
    header: ["UID", "OWNER", "CREATED", "DESCRIPTION"],
    whole: 1,
    row: |store| {
        [store.uid.clone(), owner(store), time(store.created_at), short(store.description.as_deref())]
    },
    none: "No memory stores found.",
};

/// A memory store as a card.
pub(crate) fn store(store: &MemoryStore) -> String {
    let mut rows = vec![("Store", store.uid.clone()), ("Owner", owner(store))];
    rows.extend(store.description.clone().map(|text| ("Description", text)));
    rows.push(("Created", utc(store.created_at)));
    rows.push(("Updated", utc(store.updated_at)));
    table::card(&rows)
}

fn owner(store: &MemoryStore) -> String {
    format!("{} {}", store.owner_type, store.owner_uid)
}

/// A list of the agents that may use a store.
pub(crate) const AGENTS: Listing<StoreAgent, 4> = Listing {
    header: ["UID", "NAME", "ACCESS", "INSTRUCTIONS"],
    whole: 1,
    row: |agent| {
        [agent.uid.clone(), agent.name.clone(), agent.access.to_string(), short(Some(&agent.instructions))]
    },
    none: "No agents found.",
};

/// A list of memories.
pub(crate) const MEMORIES: Listing<Memory, 5> = Listing {
    header: ["UID", "VERSION ID", "SOURCE", "UPDATED", "CONTENT"],
    whole: 1,
    row: |memory| {
        [
            memory.uid.clone(),
            memory.version_id.clone(),
            memory.source.clone(),
            time(memory.updated_at),
            short(Some(&memory.content)),
        ]
    },
    none: "No memories found.",
};

/// A list of versions of a memory.
pub(crate) const VERSIONS: Listing<MemoryVersion, 5> = Listing {
    header: ["UID", "VERSION", "CREATED", "REASON", "CONTENT"],
    whole: 1,
    row: |version| {
        [
            version.uid.clone(),
            version.version.to_string(),
            time(version.created_at),
            short(version.reason.as_deref()),
            short(Some(&version.content)),
        ]
    },
    none: "No versions found.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use serde_json::{from_value, json};

    const AT: &str = "2026-03-02T08:00:00Z";

    #[test]
    fn stores_and_memories_are_tables() {
        let store: MemoryStore = from_value(json!({ "uid": "s1", "owner_type": "team", "owner_uid": "t1",
            "description": "the build", "created_at": AT, "updated_at": AT }))
        .unwrap();
        insta::assert_snapshot!(STORES.text(std::slice::from_ref(&store), Format::Text), @"
        UID	OWNER	CREATED	DESCRIPTION
        s1	team t1	2026-03-02 08:00:00	the build
        ");
        insta::assert_snapshot!(super::store(&store), @"
        Store       s1
        Owner       team t1
        Description the build
        Created     2026-03-02 08:00:00 UTC
        Updated     2026-03-02 08:00:00 UTC
        ");
        let memory: Memory = from_value(json!({ "uid": "m1", "content": "\u{1b}[31mDocker\nis needed",
            "version_id": "v1", "source": "AGENT", "source_id": null, "source_run_id": null,
            "is_tombstoned": false, "tombstoned_at": null, "created_at": AT, "updated_at": AT }))
        .unwrap();
        insta::assert_snapshot!(MEMORIES.text(&[memory], Format::Text), @"
        UID	VERSION ID	SOURCE	UPDATED	CONTENT
        m1	v1	AGENT	2026-03-02 08:00:00	Docker
        ");
        let version = json!({ "uid": "v1", "version": 1, "content": "Docker", "created_at": AT });
        insta::assert_snapshot!(VERSIONS.text(&[from_value(version).unwrap()], Format::Text), @"
        UID	VERSION	CREATED	REASON	CONTENT
        v1	1	2026-03-02 08:00:00	-	Docker
        ");
    }
}
