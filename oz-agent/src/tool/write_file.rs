//! `write_file`: a whole file.

use super::{Desk, Done, Failed, Tool, arguments, asks, blocking, diff, object, schema};
use async_trait::async_trait;
use oz_core::{harness::ActionCategory, permission::Ask};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs;

/// Up to which size the old content is read to show what changed.
const MAX_DIFF: u64 = 1 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    /// All of the file's new content.
    content: String,
}

pub(super) struct WriteFile;

#[async_trait]
impl Tool for WriteFile {
    fn name(&self) -> &str {
        "write_file"
    }

    fn description(&self) -> &str {
        "Writes a whole text file of the workspace; makes missing directories. To change a part of a file use edit_files."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Files
    }

    fn asks(&self, desk: &Desk, input: &Map<String, Value>) -> Vec<Ask> {
        asks::change(desk, input, Vec::new())
    }

    fn shown(&self, input: &Map<String, Value>) -> Map<String, Value> {
        object([("path", input.get("path").cloned().unwrap_or_default())])
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { path, content } = arguments(input)?;
        let (workspace, redactor) = (desk.workspace.clone(), desk.redactor.clone());
        blocking(move || {
            let _turn = workspace.turn();
            let real = workspace.resolve(&path)?;
            let shown = workspace.show(&real);
            let metadata = real.metadata();
            if metadata.as_ref().is_ok_and(|m| !m.is_file()) {
                return Err(format!("'{shown}' is not a regular file").into());
            }
            let small = metadata.as_ref().is_ok_and(|m| m.len() <= MAX_DIFF);
            let old = if small { fs::read_to_string(&real).unwrap_or_default() } else { String::new() };
            if let Some(parent) = real.parent() {
                fs::create_dir_all(parent)
                    .map_err(|e| format!("the directory of '{shown}' can't be made: {e}"))?;
            }
            fs::write(&real, &content).map_err(|e| format!("'{shown}' can't be written: {e}"))?;
            let verb = if metadata.is_ok() { "replaced" } else { "created" };
            Ok(Done {
                content: format!("{verb} {shown}: {} bytes", content.len()),
                output: object([("diff", diff::unified(&shown, &old, &content, &redactor).into())]),
                ..Done::default()
            })
        })
        .await
    }
}
