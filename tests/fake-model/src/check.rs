//! What every service refuses: calls without results, results without calls, illegal names.

use serde_json::Value;
use std::collections::BTreeSet;

/// Checks that the calls of each answer are followed at once by exactly their results.
pub(crate) struct Pairs {
    open: BTreeSet<String>,
    pub(crate) problems: Vec<String>,
}

impl Pairs {
    pub(crate) fn new() -> Self {
        Self { open: BTreeSet::new(), problems: Vec::new() }
    }
    pub(crate) fn call(&mut self, id: &str) {
        if id.is_empty() || !self.open.insert(id.to_owned()) {
            self.problems.push(format!("call id '{id}' is empty or used twice"));
        }
    }
    pub(crate) fn result(&mut self, id: &str) {
        if !self.open.remove(id) {
            self.problems.push(format!("the result '{id}' answers no call"));
        }
    }
    /// Nothing but results may follow calls.
    pub(crate) fn settled(&mut self, before: &str) {
        for id in std::mem::take(&mut self.open) {
            self.problems.push(format!("the call '{id}' has no result before {before}"));
        }
    }
}

/// Checks the declaration of a tool.
pub(crate) fn tool(name: &Value, schema: &Value, problems: &mut Vec<String>) {
    let name = name.as_str().unwrap_or_default();
    let legal = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !legal {
        problems.push(format!("the tool name '{name}' is not legal"));
    }
    if schema["type"] != "object" {
        problems.push(format!("the schema of '{name}' is not an object's"));
    }
}
