//! Walks the files of a workspace as a developer sees them: without what `.gitignore` names and without `.git`. It
//! follows no link, and ends when time is up.

use super::Failed;
use ignore::{WalkBuilder, overrides::OverrideBuilder, types::TypesBuilder};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a walk may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A walk through a directory.
pub(super) struct Walk {
    builder: WalkBuilder,
}

/// A file or directory on the way.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) is_dir: bool,
    /// Whether it is a regular file itself, not a link to one.
    pub(super) is_file: bool,
}

impl Walk {
    pub(super) fn new(directory: &Path) -> Self {
        let mut builder = WalkBuilder::new(directory);
        builder
            .hidden(false)
            .require_git(false)
            .parents(true)
            .git_global(false)
            .follow_links(false)
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .filter_entry(|entry| entry.file_name() != ".git");
        Self { builder }
    }

    /// Only files that match one of the patterns.
    pub(super) fn matching(mut self, directory: &Path, patterns: &[String]) -> Result<Self, Failed> {
        let mut globs = OverrideBuilder::new(directory);
        for pattern in patterns {
            globs.add(pattern).map_err(|e| format!("'{pattern}' is not a pattern: {e}"))?;
        }
        self.builder.overrides(globs.build().map_err(|e| format!("patterns: {e}"))?);
        Ok(self)
    }

    /// Only files of one of the types, when any is named.
    pub(super) fn types(mut self, names: &[String]) -> Result<Self, Failed> {
        if names.is_empty() {
            return Ok(self);
        }
        let mut types = TypesBuilder::new();
        types.add_defaults();
        let known = types.definitions();
        for name in names {
            if !known.iter().any(|d| d.name() == name) {
                let close =
                    |d: &&ignore::types::FileTypeDef| strsim::normalized_levenshtein(d.name(), name) > 0.5;
                let close: Vec<&str> =
                    known.iter().filter(close).map(ignore::types::FileTypeDef::name).collect();
                let like =
                    if close.is_empty() { String::new() } else { format!("; there is {}", close.join(", ")) };
                return Err(
                    format!("types: there is no type '{name}'{like}; or use `include` with a glob").into()
                );
            }
            types.select(name);
        }
        self.builder.types(types.build().map_err(|e| format!("types: {e}"))?);
        Ok(self)
    }

    /// Only down to this depth; 1 is the directory itself.
    pub(super) fn depth(mut self, depth: usize) -> Self {
        self.builder.max_depth(Some(depth));
        self
    }

    /// Visits what is found until `visit` says to stop. Answers whether the walk came to its end.
    pub(super) fn each(self, mut visit: impl FnMut(Found) -> bool) -> bool {
        let start = Instant::now();
        // What can't be read is passed over, as `grep -s` does.
        for entry in self.builder.build().flatten().filter(|e| e.depth() > 0) {
            let (is_dir, is_file) = entry.file_type().map_or((false, false), |t| (t.is_dir(), t.is_file()));
            if start.elapsed() > LIMIT || !visit(Found { path: entry.into_path(), is_dir, is_file }) {
                return false;
            }
        }
        true
    }
}
