//! The rules that an agent comes across: those of a directory are told with the first thing that it does there.

use super::of;
use crate::tool::Workspace;
use oz_core::harness::{ActionCategory, Rule};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Knows which directories an agent was told the rules of.
#[derive(Debug)]
pub(crate) struct RuleBook {
    workspace: Workspace,
    known: Mutex<BTreeSet<PathBuf>>,
}

impl RuleBook {
    /// For an agent that was told `rules` at its start.
    pub(crate) fn new(workspace: Workspace, rules: &[Rule]) -> Self {
        let known = rules.iter().filter_map(|rule| rule.path.parent()?.canonicalize().ok());
        let known = known.chain([workspace.root().to_owned()]).collect();
        Self { workspace, known: Mutex::new(known) }
    }

    /// The paths that an action is about.
    pub(crate) fn paths(category: &ActionCategory, input: &Map<String, Value>) -> Vec<String> {
        let mut paths = Vec::new();
        if matches!(category, ActionCategory::Files | ActionCategory::Search) {
            input.iter().for_each(|(key, value)| collect(key, value, &mut paths));
        }
        paths
    }

    /// The rules for these paths that were not told before, the weakest first. They count as told from now on.
    pub(crate) fn new_for(&self, paths: &[String]) -> Vec<Rule> {
        let root = self.workspace.root();
        let mut rules = Vec::new();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            let Ok(real) = self.workspace.resolve(path) else { continue };
            let directory = if real.is_dir() { Some(real.as_path()) } else { real.parent() };
            let mut way: Vec<&Path> = directory
                .into_iter()
                .flat_map(Path::ancestors)
                .take_while(|dir| dir.starts_with(root))
                .collect();
            way.reverse();
            for directory in way {
                if !known.contains(directory) && directory.is_dir() {
                    known.insert(directory.to_owned());
                    rules.extend(of(&self.workspace, directory).and_then(Result::ok));
                }
            }
        }
        rules
    }

    /// What the agent is told of rules that it came across.
    pub(crate) fn note(&self, rules: &[Rule]) -> String {
        let one = |rule: &Rule| {
            let directory = rule.path.parent().map_or_else(String::new, |dir| self.workspace.show(dir));
            let (shown, text) = (self.workspace.show(&rule.path), rule.text.trim());
            format!("\n\nThe project has rules for work in '{directory}', from {shown}:\n\n{text}")
        };
        rules.iter().map(one).collect()
    }

    /// The paths of rules, as they are shown.
    pub(crate) fn shown(&self, rules: &[Rule]) -> String {
        rules.iter().map(|rule| self.workspace.show(&rule.path)).collect::<Vec<_>>().join(", ")
    }
}

/// Tools call it `path`, at whatever depth.
fn collect(key: &str, value: &Value, paths: &mut Vec<String>) {
    match value {
        Value::String(path) if matches!(key, "path" | "paths" | "file_path") => paths.push(path.clone()),
        Value::Array(list) => list.iter().for_each(|value| collect(key, value, paths)),
        Value::Object(map) => map.iter().for_each(|(key, value)| collect(key, value, paths)),
        _ => {}
    }
}
