//! `edit_files`: parts of files replaced exactly. All edits of a call are made or none is.

mod replace;

use super::{
    Desk, Done, Failed, Tool, Workspace, arguments, asks, blocking, diff, object, read_files, schema,
};
use async_trait::async_trait;
use oz_core::{Redactor, harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// The largest file that can be edited.
const MAX: u64 = 8 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What the change is about, in a few words.
    #[expect(dead_code, reason = "it is shown to people and changes nothing")]
    title: Option<String>,
    edits: Vec<Edit>,
}

/// Replaces `old`, which must be in the file exactly once, with `new`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: String,
    /// Exact text with its white space; add lines around it until it is unique.
    old: String,
    new: String,
}

pub(super) struct EditFiles;

#[async_trait]
impl Tool for EditFiles {
    fn name(&self) -> &str {
        "edit_files"
    }

    fn description(&self) -> &str {
        "Replaces parts of text files in the workspace. Edits are made in order, and all or none of them."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Files
    }

    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        asks::change(desk, input)
    }

    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        let mut paths: Vec<Value> = Vec::new();
        for edit in input.get("edits").and_then(Value::as_array).into_iter().flatten() {
            if let Some(path) = edit.get("path").filter(|path| !paths.contains(path)) {
                paths.push(path.clone());
            }
        }
        let title = input.get("title").cloned().unwrap_or_default();
        object([("title", title), ("file_paths", paths.into())])
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { edits, .. } = arguments(input)?;
        if edits.is_empty() {
            return Err("edits: it is empty; name at least one edit".to_owned().into());
        }
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || edit(&workspace, &edits, &redactor).map_err(Failed::from)).await
    }
}

/// A file before and after.
struct Change {
    old: String,
    new: String,
}

fn edit(workspace: &Workspace, edits: &[Edit], redactor: &Redactor) -> Result<Done, String> {
    let mut changes: BTreeMap<PathBuf, Change> = BTreeMap::new();
    let mut problems = String::new();
    for (i, edit) in edits.iter().enumerate() {
        if let Err(problem) = plan(workspace, &mut changes, edit) {
            let _ = writeln!(problems, "edit {} of '{}': {problem}", i + 1, edit.path);
        }
    }
    if !problems.is_empty() {
        return Err(format!("{problems}nothing was changed"));
    }
    let mut whole = String::new();
    for (path, Change { old, new }) in &changes {
        let shown = workspace.show(path);
        fs::write(path, new).map_err(|e| format!("'{shown}' can't be written: {e}"))?;
        whole.push_str(&diff::unified(&shown, old, new, redactor));
    }
    Ok(Done { content: whole.clone(), output: object([("diff", whole.into())]), ..Done::default() })
}

fn plan(workspace: &Workspace, changes: &mut BTreeMap<PathBuf, Change>, edit: &Edit) -> Result<(), String> {
    let path = workspace.resolve(&edit.path)?;
    if !changes.contains_key(&path) {
        let text = read(&path)?;
        changes.insert(path.clone(), Change { new: text.clone(), old: text });
    }
    if let Some(change) = changes.get_mut(&path) {
        change.new = replace::once(&change.new, &edit.old, &edit.new)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    if !path.exists() {
        return Err("it does not exist; use write_file to create it".to_owned());
    }
    let mut text = Vec::new();
    read_files::open(path)?.take(MAX + 1).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX {
        return Err(format!("it is larger than {MAX} bytes; use run_command"));
    }
    String::from_utf8(text).map_err(|_| "it is not a text file in UTF-8; use run_command".to_owned())
}
