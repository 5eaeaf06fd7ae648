//! What every service refuses: calls without results, results without calls, illegal names, missing keys.

use axum::http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeSet;

/// Collects what is wrong with a request.
#[derive(Default)]
pub(crate) struct Check {
    /// Whether the client is somebody else's, who may do what is legal but not what we want of our own.
    foreign: bool,
    problems: Vec<String>,
    tools: BTreeSet<String>,
    calls: BTreeSet<String>,
    open: BTreeSet<String>,
}

impl Check {
    /// A check of what somebody else's client sends.
    pub(crate) fn foreign() -> Self {
        Self { foreign: true, ..Self::default() }
    }

    /// Whether the client is somebody else's.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// Notes `problem` unless `good`, where the client is our own.
    pub(crate) fn ours(&mut self, good: bool, problem: impl Into<String>) {
        self.must(good || self.foreign, problem);
    }

    /// Notes `problem` unless `good`.
    pub(crate) fn must(&mut self, good: bool, problem: impl Into<String>) {
        if !good {
            self.problems.push(problem.into());
        }
    }

    /// A field of text that must be there.
    pub(crate) fn required(&mut self, body: &Value, field: &str) {
        self.must(
            body[field].as_str().is_some_and(|t| !t.is_empty()),
            format!("{field} is missing or no text"),
        );
    }

    /// A number of tokens, which must be at least `least` where it is given.
    pub(crate) fn tokens(&mut self, body: &Value, field: &str, least: u64) {
        let given = &body[field];
        let good = given.is_null() || given.as_u64().is_some_and(|n| n >= least);
        self.must(good, format!("{field} is {given}, not a number of at least {least}"));
    }

    /// A header `Authorization: Bearer` with a key.
    pub(crate) fn bearer(&mut self, headers: &HeaderMap) {
        let key = header(headers, "authorization").strip_prefix("Bearer ").unwrap_or_default();
        self.must(!key.trim().is_empty(), "the bearer key is missing");
    }

    /// The declaration of a tool.
    pub(crate) fn tool(&mut self, name: &Value, schema: &Value) {
        let name = name.as_str().unwrap_or_default();
        self.name(name);
        self.must(schema["type"] == "object", format!("the schema of '{name}' is not an object's"));
        let new = self.tools.insert(name.to_owned());
        self.must(new, format!("the tool '{name}' is declared twice"));
    }

    /// A call that the model made before.
    pub(crate) fn call(&mut self, id: &str, name: &str) {
        self.name(name);
        let new = !id.is_empty() && self.calls.insert(id.to_owned());
        self.must(new, format!("the call id '{id}' is empty or used twice"));
        self.open.insert(id.to_owned());
    }

    /// The result of a call.
    pub(crate) fn result(&mut self, id: &str) {
        let asked = self.open.remove(id);
        self.must(asked, format!("the result '{id}' answers no call"));
    }

    /// Nothing but results may follow calls.
    pub(crate) fn settled(&mut self, before: &str) {
        for id in std::mem::take(&mut self.open) {
            self.problems.push(format!("the call '{id}' has no result before {before}"));
        }
    }

    /// What is wrong.
    pub(crate) fn problems(mut self) -> Vec<String> {
        self.settled("the end");
        self.problems
    }

    fn name(&mut self, name: &str) {
        let legal = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        self.must(legal, format!("the tool name '{name}' is not legal"));
    }
}

/// A header's text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}
