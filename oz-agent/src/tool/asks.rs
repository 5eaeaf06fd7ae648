//! What tools for files want to be permitted.

use super::{Desk, Workspace};
use oz_core::permission::Ask;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The arguments that name files.
const PATHS: &[&str] = &["path", "paths", "directory", "new_path", "move_to"];

/// To read what the arguments name; without any, the whole workspace.
pub(super) fn read(desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
    let mut paths = paths(desk, input);
    if paths.is_empty() {
        paths.push(desk.workspace.root().to_owned());
    }
    vec![Ask::Read { paths }]
}

/// To change what the arguments name, and what a patch among them does.
pub(super) fn change(desk: &Desk, input: &Map<String, Value>, patched: Vec<&str>) -> Vec<Ask> {
    let mut paths = paths(desk, input);
    paths.extend(patched.into_iter().map(|path| real(&desk.workspace, path)));
    vec![Ask::Change { paths }]
}

/// All files that arguments name at any depth, where they really are.
fn paths(desk: &Desk, input: &Map<String, Value>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (name, value) in input {
        let named = PATHS.contains(&name.as_str());
        collect(value, named, &mut found);
    }
    found.into_iter().map(|path| real(&desk.workspace, path)).collect()
}

/// Where a path of a workspace really is, as far as it is there.
pub(crate) fn real(workspace: &Workspace, path: &str) -> PathBuf {
    let there = workspace.root().join(path);
    workspace.resolve(path).unwrap_or_else(|_| there.canonicalize().unwrap_or(there))
}

fn collect<'a>(value: &'a Value, named: bool, found: &mut Vec<&'a str>) {
    match value {
        Value::String(path) if named => found.push(path),
        Value::Array(list) => list.iter().for_each(|value| collect(value, named, found)),
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| collect(value, PATHS.contains(&name.as_str()), found));
        }
        _ => {}
    }
}
