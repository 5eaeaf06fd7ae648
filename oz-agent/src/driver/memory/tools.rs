//! The tools that search and write memories.

use super::{Memory, fitting, in_words};
use async_trait::async_trait;
use oz_core::{
    api::WriteOwnMemory,
    config::{MemoryAccess, MemoryStoreRef},
    harness::{ActionCategory, HostTool},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The tools for some stores: one to search, and one to write where that is allowed.
pub(super) fn of(memory: &Arc<Memory>) -> Vec<Arc<dyn HostTool>> {
    let search = SearchMemory {
        description: format!(
            "Looks for what earlier runs remembered, by words. Use it when something of the task may have come up before. \
             The stores:\n{}",
            listed(memory.stores.iter())
        ),
        memory: Arc::clone(memory),
    };
    let mut tools: Vec<Arc<dyn HostTool>> = vec![Arc::new(search)];
    if memory.writable().next().is_some() {
        tools.push(Arc::new(Remember {
            description: format!(
                "Writes down what later runs should know: facts, decisions and outcomes that last, one at a time, each \
                 understandable by itself. No keys or passwords, nothing that the repository says already. With \
                 memory_id it replaces a memory that is out of date. The stores:\n{}",
                listed(memory.writable())
            ),
            memory: Arc::clone(memory),
        }));
    }
    tools
}

/// Stores with what their owner says about how to use them.
fn listed<'a>(stores: impl Iterator<Item = &'a MemoryStoreRef>) -> String {
    let line = |store: &MemoryStoreRef| {
        let access = if store.access == MemoryAccess::ReadWrite { "read and write" } else { "read only" };
        format!("- {} ({access}): {}", store.uid, store.instructions.trim())
    };
    stores.map(line).collect::<Vec<_>>().join("\n")
}

struct SearchMemory {
    memory: Arc<Memory>,
    description: String,
}

#[derive(Deserialize)]
struct Query {
    query: String,
}

#[async_trait]
impl HostTool for SearchMemory {
    fn name(&self) -> &str {
        "search_memory"
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "query": { "type": "string", "description": "Words that the memory should contain" } },
            "required": ["query"],
            "additionalProperties": false,
        })
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }

    async fn call(&self, input: Map<String, Value>) -> Result<String, String> {
        let Query { query } = arguments(input)?;
        let found = fitting(self.memory.search(&query).await?);
        Ok(if found.is_empty() { "Nothing that fits is remembered.".to_owned() } else { in_words(&found) })
    }
}

struct Remember {
    memory: Arc<Memory>,
    description: String,
}

#[derive(Deserialize)]
struct Note {
    store: String,
    content: String,
    reason: String,
    #[serde(default)]
    memory_id: Option<String>,
}

#[async_trait]
impl HostTool for Remember {
    fn name(&self) -> &str {
        "remember"
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn input_schema(&self) -> Value {
        let stores: Vec<&str> = self.memory.writable().map(|store| store.uid.as_str()).collect();
        json!({
            "type": "object",
            "properties": {
                "store": { "type": "string", "enum": stores, "description": "The store to write to" },
                "content": { "type": "string", "description": "What to remember" },
                "reason": { "type": "string", "description": "Why it is worth it, in a sentence" },
                "memory_id": { "type": "string", "description": "The memory that it replaces, if any" },
            },
            "required": ["store", "content", "reason"],
            "additionalProperties": false,
        })
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Documents
    }

    async fn call(&self, input: Map<String, Value>) -> Result<String, String> {
        let Note { store, content, reason, memory_id } = arguments(input)?;
        let new = WriteOwnMemory {
            store_uid: store,
            memory_id: memory_id.filter(|id| !id.is_empty()),
            content,
            version: None,
            reason: Some(reason),
        };
        let memory_id = self.memory.write(new).await?;
        Ok(format!("It is remembered as memory {memory_id}."))
    }
}

fn arguments<T: for<'de> Deserialize<'de>>(input: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(input)).map_err(|e| format!("the arguments are not right: {e}"))
}
