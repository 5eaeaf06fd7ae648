//! The rules of a workspace: `WARP.md`, `AGENTS.md` or `CLAUDE.md` of the repository and of the directory to work in.

use oz_core::harness::Rule;
use std::path::Path;

/// The rules for who works in `workspace`, the weakest first.
pub(super) fn find(workspace: &Path) -> Vec<Rule> {
    let _ = workspace;
    Vec::new()
}
