//! What may stand in a file and what a file may be called.

use super::{File, Violation};
use regex::Regex;
use std::{path::Path, sync::LazyLock};

/// Manifests of native modules: they can't forbid what their macros write, so they repeat the lints with that one change.
const OWN_LINTS: &[&str] = &["bindings/python/Cargo.toml", "bindings/node/Cargo.toml"];
/// Module names that say nothing about what is in them.
const VAGUE: &[&str] = &["utils", "util", "common", "helpers", "types", "misc"];
/// Directories that exist on one machine only; put together so that this file may say them.
const FOREIGN: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
/// Where SQL is spoken, or spoken about.
const SQL_ROOMS: &[&str] = &["oz-server/src/store", "tests/", "xtask/"];

#[expect(clippy::expect_used, reason = "the pattern is a constant that a test compiles")]
static SQL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\bSELECT\s[^;]*?\bFROM\s|\bINSERT INTO\s|\bUPDATE\s+\w+\s+SET\s|\bDELETE FROM\s|\bCREATE TABLE\s",
    )
    .expect("a valid pattern")
});

/// Checks one file.
pub(super) fn check(file: &File) -> Vec<Violation> {
    let (path, text) = (file.path.as_str(), file.text.as_str());
    let mut wrong = Vec::new();
    let mut say = |at: usize, rule: &'static str, advice: &str| {
        let line = text[..at].matches('\n').count() + 1;
        wrong.push(Violation::new(path, line, rule, advice));
    };
    for foreign in FOREIGN {
        for (at, _) in text.match_indices(foreign) {
            say(at, "foreign path", "a path of one machine means nothing on another");
        }
    }
    let own_lints = OWN_LINTS.contains(&path) && text.contains("unsafe_code = \"deny\"");
    // What stands apart from the workspace has none to inherit from.
    let apart = text.contains("[workspace]");
    if path.ends_with("/Cargo.toml") && !own_lints && !apart && !text.contains("[lints]\nworkspace = true") {
        say(0, "lints", "inherit them: `[lints]` with `workspace = true`");
    }
    if !path.ends_with(".rs") {
        return wrong;
    }
    let stem = Path::new(path).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    let vague = path.split('/').chain([stem]).any(|part| VAGUE.contains(&part));
    if vague {
        say(0, "vague name", "name the module after what is in it");
    }
    let test = stem == "tests" || path.contains("/tests/");
    if !test && !text.starts_with("//!") {
        say(0, "module doc", "begin with two sentences: what it owns and what it never does");
    }
    if !SQL_ROOMS.iter().any(|room| path.starts_with(room)) {
        for found in SQL.find_iter(text) {
            say(found.start(), "SQL", "only oz-server/src/store speaks SQL; ask it through a function");
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "//! Owns this. Never does that.\nfn main() {}\n";

    fn told(path: &str, text: &str) -> Vec<String> {
        check(&File { path: path.to_owned(), text: text.to_owned() })
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn good_files_pass() {
        for (path, text) in [
            ("oz-core/src/run.rs", GOOD),
            ("oz-core/src/run/tests.rs", "use super::*;"),
            ("oz-core/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n"),
            ("Cargo.toml", "[workspace]"),
            ("oz-server/src/store/runs.rs", "//! Runs.\nconst Q: &str = \"SELECT a FROM b\";"),
            (
                "oz-agent/src/x.rs",
                "//! Please SELECT one.\n// UPDATE the list, DELETE the rest, INSERT what is new; FROM here",
            ),
            ("docs/common/types.md", "SELECT a FROM b"),
        ] {
            assert_eq!(told(path, text), Vec::<String>::new());
        }
    }

    #[test]
    fn each_rule_finds_its_line() {
        let with = |more: &str| format!("{GOOD}{more}");
        for (path, text, expected) in [
            ("oz-core/src/utils.rs", GOOD.to_owned(), "1: vague name"),
            ("oz-core/src/common/run.rs", GOOD.to_owned(), "1: vague name"),
            ("oz-core/src/run.rs", "fn main() {}".to_owned(), "1: module doc"),
            ("oz-cli/src/a.rs", with("\"SELECT a\n  FROM b\";"), "3: SQL"),
            ("oz-cli/src/a.rs", with("\n\"INSERT INTO a VALUES (1)\";"), "4: SQL"),
            ("oz-cli/src/a.rs", with("\"UPDATE a SET b = 1\";"), "3: SQL"),
            ("oz-cli/src/a.rs", with("\"DELETE FROM a\";"), "3: SQL"),
            ("oz-cli/src/a.rs", with("\"CREATE TABLE a (b)\";"), "3: SQL"),
            ("docs/a.md", format!("a\nsee {}main", FOREIGN[0]), "2: foreign path"),
            ("oz-core/Cargo.toml", "[package]".to_owned(), "1: lints"),
        ] {
            let wrong = told(path, &text);
            assert!(
                wrong.len() == 1 && wrong[0].starts_with(&format!("{path}:{expected}: ")),
                "{expected}: {wrong:?}"
            );
        }
    }
}
