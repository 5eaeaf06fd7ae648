//! The files of a checkout: all that a detector may see.

use std::collections::{BTreeMap, BTreeSet};

/// Files whose text may be asked for.
const READ: &[&str] = &[
    ".devcontainer.json",
    ".gitmodules",
    ".node-version",
    ".nvmrc",
    ".python-version",
    ".ruby-version",
    ".tool-versions",
    "Cargo.toml",
    "Containerfile",
    "Dockerfile",
    "Gemfile",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "devcontainer.json",
    "go.mod",
    "go.work",
    "mix.exs",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "runtime.txt",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// How deep below the top a project is looked for.
const DEPTH: usize = 3;

/// Directories whose projects nobody works on by themselves.
const SKIPPED: &[&str] = &[
    ".github",
    "doc",
    "docs",
    "example",
    "examples",
    "fixtures",
    "node_modules",
    "samples",
    "templates",
    "test",
    "testdata",
    "tests",
    "third_party",
    "third-party",
    "vendor",
];

/// The tracked files by their path, with the texts of those that say something.
#[derive(Debug, Default)]
pub(super) struct Tree(BTreeMap<String, Option<String>>);

impl Tree {
    /// The tree of these paths; `read` gets the text of those that may be asked for.
    pub(super) fn new(
        paths: impl IntoIterator<Item = String>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let file = |path: String| {
            let wanted = READ.contains(&path.rsplit('/').next().unwrap_or_default());
            let text = if wanted { read(&path) } else { None };
            (path, text)
        };
        Self(paths.into_iter().map(file).collect())
    }

    /// The directory at `path`; that of the top is empty.
    pub(super) fn at<'a>(&'a self, path: &'a str) -> Dir<'a> {
        Dir { tree: self, path }
    }

    /// The directories that may hold a project, those above before those below.
    pub(super) fn directories(&self) -> Vec<&str> {
        let parents = self.0.keys().filter_map(|path| Some(path.rsplit_once('/')?.0));
        let ancestors = parents.flat_map(|dir| {
            let ends = dir.match_indices('/').map(|(at, _)| at).chain([dir.len()]);
            ends.take(DEPTH).map(|end| &dir[..end])
        });
        let all: BTreeSet<&str> =
            ancestors.filter(|dir| dir.split('/').all(|part| !SKIPPED.contains(&part))).collect();
        std::iter::once("").chain(all).collect()
    }
}

/// A directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dir<'a> {
    tree: &'a Tree,
    pub(super) path: &'a str,
}

impl<'a> Dir<'a> {
    /// Whether a file is here.
    pub(super) fn has(self, name: &str) -> bool {
        self.tree.0.contains_key(&self.path_of(name))
    }

    /// The text of a file here.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.tree.0.get(&self.path_of(name))?.as_deref()
    }

    /// The first of these that is here.
    pub(super) fn first(self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// The first word of the first line of a file here, for files that hold one word.
    pub(super) fn word(self, name: &str) -> Option<&'a str> {
        self.text(name)?.split_whitespace().next()
    }

    /// The version that `.tool-versions` has for a tool.
    pub(super) fn tool_version(self, tool: &str) -> Option<&'a str> {
        let mut lines = self.text(".tool-versions")?.lines().map(str::split_whitespace);
        lines.find_map(|mut words| if words.next() == Some(tool) { words.next() } else { None })
    }

    /// A file here as JSON.
    pub(super) fn json(self, name: &str) -> serde_json::Value {
        self.text(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// A file here as TOML.
    pub(super) fn toml(self, name: &str) -> toml::Table {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The path of a file here.
    pub(super) fn path_of(self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}
