//! Skills: instructions for agents that a repository holds, each in a `SKILL.md`. Finding them reads files, inside the
//! repository and of bounded size; what a file says and which one is meant are pure decisions over what was found.

mod arguments;
mod discover;
mod front;
mod parse;
mod place;
mod resolve;
mod spec;

pub(crate) use arguments::{asks, fill};
pub(crate) use discover::{discover, on_shelf, read_at};
pub(crate) use parse::Content;
pub(crate) use place::Place;
pub(crate) use resolve::{Resolved, is_there, knows, resolve};
pub(crate) use spec::Spec;

/// The folders of a repository that may hold skills. Where two have one of the same name, the first counts.
const FOLDERS: &[&str] = &[
    ".warp/skills",
    ".agents/skills",
    ".claude/skills",
    ".codex/skills",
    ".cursor/skills",
    ".gemini/skills",
    ".copilot/skills",
    ".factory/skills",
    ".github/skills",
    ".opencode/skills",
    ".kiro/skills",
];

/// The file of a skill in its directory.
const FILE: &str = "SKILL.md";

/// A skill as it was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Skill {
    /// Path of its file in the repository.
    pub(crate) path: String,
    /// What the file says, or why it can't be read.
    pub(crate) content: Result<Content, String>,
}

impl Skill {
    /// Its name; that of its directory when the file says none that can be read.
    pub(crate) fn name(&self) -> &str {
        self.content.as_ref().map_or_else(|_| self.directory(), |content| content.name.as_str())
    }

    /// The directory of its file.
    pub(crate) fn directory(&self) -> &str {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.rsplit('/').next().unwrap_or(folder)
    }
}

#[cfg(test)]
mod tests;
