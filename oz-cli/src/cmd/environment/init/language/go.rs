//! Go and its modules.

use super::{Language, Needs, parts, version};
use crate::cmd::environment::init::tree::Dir;

pub(super) const LANGUAGE: Language = Language {
    name: "Go",
    manifests: &["go.work", "go.mod"],
    locks: &[],
    covers: |dir| dir.has("go.work"),
    inspect,
};

fn inspect(dir: Dir) -> Needs {
    let file = dir.first(LANGUAGE.manifests).unwrap_or("go.mod");
    let line = |word: &str| {
        let mut lines = dir.text(file)?.lines().map(str::split_whitespace);
        lines.find_map(|mut words| if words.next() == Some(word) { words.next() } else { None })
    };
    let toolchain = line("toolchain").and_then(|name| version(name.trim_start_matches("go")));
    let (image, why_image) = match toolchain.or_else(|| version(line("go")?)) {
        Some(version) => (format!("golang:{}", parts(&version, 2)), format!("{file} says go {version}")),
        None => ("golang:1".to_owned(), format!("{file} names no version of Go")),
    };
    let setup = Some(("go mod download".to_owned(), format!("{} is there", dir.path_of(file))));
    Needs { image, why_image, setup }
}
