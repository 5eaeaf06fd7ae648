//! `edit_files`: parts of files replaced, and patches. All changes of a call are made or none is.

mod changes;
mod closest;
mod hunk;
mod lines;
mod patch;
mod replace;

use super::{Desk, Done, Failed, Tool, Workspace, arguments, asks, blocking, object, schema};
use async_trait::async_trait;
use changes::Changes;
use oz_core::{Redactor, harness::ActionCategory, permission::Ask};
use patch::{Action, Section};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt::Write as _;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What the change is about, in a few words.
    #[expect(dead_code, reason = "it is shown to people and changes nothing")]
    title: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
    /// Instead of edits: `*** Begin Patch`, then for each file `*** Add File: PATH` with `+` lines, `*** Delete File:
    /// PATH`, or `*** Update File: PATH` (then perhaps `*** Move to: PATH`) with changes of ` `, `-` and `+` lines, each
    /// after `@@` or `@@ LINE BEFORE IT`; at last `*** End Patch`.
    patch: Option<String>,
}

/// Replaces `old`, which must be in the file exactly once, with `new`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: String,
    /// The text as it is, with its white space; add lines around it until it is unique.
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
        "Replaces parts of text files in the workspace, or applies a patch to add, change, move and delete them. Changes are \
         made in order, and all or none of them."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Files
    }

    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        let patch = input.get("patch").and_then(Value::as_str).and_then(|text| patch::parse(text).ok());
        let patched = patch.iter().flatten().flat_map(Section::paths).collect();
        asks::change(desk, input, patched)
    }

    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        let mut paths: Vec<Value> = Vec::new();
        let edited = input.get("edits").and_then(Value::as_array).into_iter().flatten();
        let edited = edited.filter_map(|edit| edit.get("path")?.as_str());
        let patch = input.get("patch").and_then(Value::as_str).and_then(|text| patch::parse(text).ok());
        let patched = patch.iter().flatten().flat_map(Section::paths);
        for path in edited.chain(patched) {
            if !paths.iter().any(|known| known == path) {
                paths.push(path.into());
            }
        }
        let title = input.get("title").cloned().unwrap_or_default();
        object([("title", title), ("file_paths", paths.into())])
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { edits, patch, .. } = arguments(input)?;
        match (edits.is_empty(), &patch) {
            (true, None) => {
                return Err("edits, patch: neither is there; name at least one edit".to_owned().into());
            }
            (false, Some(_)) => {
                return Err("edits, patch: give only one of them; nothing was changed".to_owned().into());
            }
            _ => {}
        }
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let _turn = workspace.turn();
            let mut plan = Plan { workspace: &workspace, changes: Changes::default(), notes: String::new() };
            match patch {
                Some(patch) => plan.patch(&patch)?,
                None => plan.edits(&edits)?,
            }
            Ok(plan.make(&redactor)?)
        })
        .await
    }
}

/// What a call is to do.
struct Plan<'a> {
    workspace: &'a Workspace,
    changes: Changes,
    /// What else is to be said.
    notes: String,
}

impl Plan<'_> {
    fn edits(&mut self, edits: &[Edit]) -> Result<(), String> {
        let all = edits.iter().map(|edit| (edit.path.as_str(), edit));
        self.each("edit", all, |plan, edit| {
            let path = plan.workspace.resolve(&edit.path)?;
            let replaced = replace::once(&plan.changes.text(&path)?, &edit.old, &edit.new)?;
            plan.note(&edit.path, replaced.ignored);
            plan.changes.set(&path, replaced.text)
        })
    }

    fn patch(&mut self, text: &str) -> Result<(), String> {
        let sections =
            patch::parse(text).map_err(|e| format!("patch: it is not right: {e}; nothing was changed"))?;
        let all = sections.iter().map(|section| (section.path, section));
        self.each("change", all, |plan, section| plan.section(section))
    }

    fn section(&mut self, section: &Section<'_>) -> Result<(), String> {
        let path = self.workspace.resolve(section.path)?;
        match &section.action {
            Action::Add(text) => self.changes.add(&path, text.clone()),
            Action::Delete => self.changes.remove(&path),
            Action::Update { to, hunks } => {
                let replaced = hunk::apply(&self.changes.text(&path)?, hunks)?;
                self.note(section.path, replaced.ignored);
                self.changes.set(&path, replaced.text)?;
                match to {
                    Some(to) => self.changes.rename(&path, &self.workspace.resolve(to)?),
                    None => Ok(()),
                }
            }
        }
    }

    /// Plans all of them, and collects what is wrong.
    fn each<'t, T>(
        &mut self,
        kind: &str,
        all: impl Iterator<Item = (&'t str, T)>,
        mut plan: impl FnMut(&mut Self, T) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut problems = String::new();
        for (i, (path, one)) in all.enumerate() {
            if let Err(problem) = plan(self, one) {
                let _ = writeln!(problems, "{kind} {} of '{path}': {problem}", i + 1);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(format!("{problems}nothing was changed")) }
    }

    fn note(&mut self, path: &str, ignored: Option<&str>) {
        if let Some(ignored) = ignored {
            let _ = writeln!(
                self.notes,
                "[{path}: the place was found ignoring {ignored}; see that it is right]"
            );
        }
    }

    fn make(self, redactor: &Redactor) -> Result<Done, String> {
        let whole = self.changes.make(self.workspace, redactor)?;
        let content = format!("{}{whole}", self.notes);
        Ok(Done { content, output: object([("diff", whole.into())]), ..Done::default() })
    }
}
