//! `file_glob`: files by patterns of their paths.

use super::{
    Desk, Done, Failed, Tool, arguments, blocking, directory, list_files::found, schema, walk::Walk,
};
use async_trait::async_trait;
use oz_core::harness::ActionCategory;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

const MAX: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Such as `*.rs` (at any depth) or `src/**/test_*.py`.
    patterns: Vec<String>,
    /// The directory to look in; the workspace itself when absent.
    path: Option<String>,
}

pub(super) struct FileGlob;

#[async_trait]
impl Tool for FileGlob {
    fn name(&self) -> &str {
        "file_glob"
    }

    fn description(&self) -> &str {
        "Finds files of the workspace by glob patterns of their paths, without what .gitignore excludes."
    }

    fn schema(&self) -> Value {
        schema::<Input>()
    }

    fn category(&self) -> ActionCategory {
        ActionCategory::Search
    }

    fn parallel(&self) -> bool {
        true
    }

    async fn run(&self, desk: &Desk, input: Value) -> Result<Done, Failed> {
        let Input { patterns, path } = arguments(input)?;
        if patterns.is_empty() {
            return Err("patterns: it is empty; name at least one pattern".to_owned().into());
        }
        let root = directory(desk, path.as_deref())?;
        let workspace = desk.workspace.clone();
        blocking(move || {
            let mut files = Vec::new();
            let whole = Walk::new(&root).matching(&root, &patterns)?.each(|found| {
                if !found.is_dir {
                    files.push(workspace.show(&found.path));
                }
                files.len() < MAX
            });
            Ok(found(files, whole))
        })
        .await
    }
}
