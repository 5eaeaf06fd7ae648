//! `list_files`: what is in a directory.

use super::{Desk, Done, Failed, Tool, arguments, blocking, directory, object, schema, walk::Walk};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

const MAX: usize = 500;
const MAX_DEPTH: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The directory; the workspace itself when absent.
    path: Option<String>,
    /// How many levels to show; 1 by default.
    depth: Option<usize>,
}

pub(super) struct ListFiles;

#[async_trait]
impl Tool for ListFiles {
    fn name(&self) -> &str {
        "list_files"
    }

    fn description(&self) -> &str {
        "Lists a directory of the workspace, without what .gitignore excludes. Directories end with a slash."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Files
    }

    fn parallel(&self) -> bool {
        true
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { path, depth } = arguments(input)?;
        let root = directory(desk, path.as_deref())?;
        let workspace = desk.workspace.clone();
        blocking(move || {
            if !root.is_dir() {
                return Err(format!("'{}' is not a directory", workspace.show(&root)).into());
            }
            let mut files = Vec::new();
            let whole = Walk::new(&root).depth(depth.unwrap_or(1).clamp(1, MAX_DEPTH)).each(|found| {
                let slash = if found.is_dir { "/" } else { "" };
                files.push(format!("{}{slash}", workspace.show(&found.path)));
                files.len() < MAX
            });
            Ok(found(files, whole))
        })
        .await
    }
}

/// A list of files as a result.
pub(super) fn found(files: Vec<String>, whole: bool) -> Done {
    let mut content = match files.is_empty() {
        true => "nothing was found".to_owned(),
        false => files.join("\n"),
    };
    if !whole {
        content.push_str("\n[… there is more; ask for less …]");
    }
    Done { content, output: object([("files", files.into())]), ..Done::default() }
}
