//! Languages: how a directory shows that it is written in one, which image has it, and what installs its dependencies.

mod elixir;
mod go;
mod java;
mod node;
mod php;
mod python;
mod ruby;
mod rust;

use super::tree::{Dir, Tree};

/// How one language is recognised.
struct Language {
    /// What people call it.
    name: &'static str,
    /// Files that make a directory one of its projects.
    manifests: &'static [&'static str],
    /// Files that make a directory a project of its own below one that covers it.
    locks: &'static [&'static str],
    /// Whether a project takes in those below it.
    covers: fn(Dir) -> bool,
    /// What a project needs.
    inspect: fn(Dir) -> Needs,
}

/// What a project needs.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) image: String,
    /// What in the project says so.
    pub(super) why_image: String,
    /// What installs its dependencies, and why; none when there is nothing to install.
    pub(super) setup: Option<(String, String)>,
}

/// A project in a directory of a checkout.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) language: &'static str,
    pub(super) directory: String,
    pub(super) needs: Needs,
}

/// Every language. Of two that share a name, the first that a directory shows counts.
const ALL: &[Language] = &[
    rust::LANGUAGE,
    go::LANGUAGE,
    node::LANGUAGE,
    python::LANGUAGE,
    ruby::LANGUAGE,
    java::MAVEN,
    java::GRADLE,
    php::LANGUAGE,
    elixir::LANGUAGE,
];

/// The projects of a checkout, those above before those below.
pub(super) fn projects(tree: &Tree) -> Vec<Project> {
    let mut found: Vec<Project> = Vec::new();
    for directory in tree.directories() {
        let dir = tree.at(directory);
        for language in ALL.iter().filter(|language| dir.first(language.manifests).is_some()) {
            let covered = found.iter().filter(|project| project.language == language.name).any(|project| {
                let above = project.directory.is_empty()
                    || directory.strip_prefix(&*project.directory).is_some_and(|rest| rest.starts_with('/'));
                let own = dir.first(language.locks).is_some();
                project.directory == directory
                    || (above && !own && (language.covers)(tree.at(&project.directory)))
            });
            if !covered {
                let needs = (language.inspect)(dir);
                found.push(Project { language: language.name, directory: directory.to_owned(), needs });
            }
        }
    }
    found
}

/// The digits and points that a version begins with, such as `3.12.1` in `v3.12.1-rc1`.
fn version(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

/// The first parts of a version.
fn parts(version: &str, count: usize) -> String {
    version.split('.').take(count).collect::<Vec<_>>().join(".")
}

/// What stands between the first `begin` and the `end` after it.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(begin)? + begin.len()..];
    Some(rest[..rest.find(end)?].trim())
}

/// The first of what files say of a version, with the file.
fn said<'a>(
    sayings: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> Option<(&'static str, String)> {
    sayings.into_iter().find_map(|(file, text)| Some((file, version(text?)?)))
}
