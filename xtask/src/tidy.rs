//! `cargo xtask tidy`: the house rules that the compiler does not know. Each violation says where, which rule, and what to
//! do.

use crate::{Outcome, root};
use regex::Regex;
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// Who may know whom: the dependency edges between the rooms.
const EDGES: &[(&str, &[&str])] = &[
    ("oz-core", &[]),
    ("oz-client", &["oz-core"]),
    ("oz-server", &["oz-core"]),
    ("oz-worker", &["oz-core"]),
    ("oz-agent", &["oz-core", "oz-client"]),
    ("oz-cli", &["oz-core", "oz-client", "oz-server", "oz-worker", "oz-agent"]),
    ("oz-tests", &["oz-core", "oz-client", "fake-model"]),
    ("fake-model", &[]),
    ("xtask", &["oz-core"]),
];
/// Lines of a Rust file that no file may exceed.
const MAX_LINES: usize = 800;
/// Lines above which a file must be listed in `xtask/large-files.txt`, where it may only shrink.
const LARGE: usize = 400;
/// Module names that say nothing about what is in them.
const VAGUE: &[&str] = &["utils", "util", "common", "helpers", "types", "misc"];

/// Checks every rule.
pub(crate) fn run() -> Outcome {
    let files = tracked()?;
    let mut wrong = edges()?;
    let allowed = fs::read_to_string(root().join("xtask/large-files.txt")).unwrap_or_default();
    for path in &files {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        wrong.extend(check(path, &text, &allowed));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The files under version control, with those that are new.
fn tracked() -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Checks one file.
fn check(path: &str, text: &str, allowed: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say =
        |line: usize, rule: &str, advice: &str| wrong.push(format!("{path}:{line}: {rule}: {advice}"));
    for (i, line) in text.lines().enumerate() {
        if line.contains(concat!("/wo", "rk/")) {
            say(i + 1, "foreign path", "a path of one machine means nothing on another");
        }
    }
    if path.ends_with("Cargo.toml") && path != "Cargo.toml" && !text.contains("[lints]\nworkspace = true") {
        say(1, "lints", "inherit them: [lints] workspace = true");
    }
    if !path.ends_with(".rs") {
        return wrong;
    }
    let lines = text.lines().count();
    let ceiling = allowed
        .lines()
        .filter_map(|l| l.split_once(' '))
        .find(|(_, p)| *p == path)
        .and_then(|(n, _)| n.parse().ok());
    if lines > MAX_LINES {
        say(lines, "size", "no file has more than 800 lines; split it by noun");
    } else if lines > ceiling.unwrap_or(LARGE) {
        say(
            lines,
            "size",
            "split it by noun; files above 400 lines stand in xtask/large-files.txt and only shrink",
        );
    }
    let stem = Path::new(path).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if VAGUE.contains(&stem) {
        say(1, "vague name", "name the module after what is in it");
    }
    let test = stem == "tests" || path.contains("/tests/");
    if !test && !text.starts_with("//!") {
        say(1, "module doc", "begin with two sentences: what it owns and what it never does");
    }
    let sql_is_fine = ["oz-server/src/store", "tests/", "xtask/"].iter().any(|p| path.starts_with(p));
    if !sql_is_fine && let Some(found) = sql().find(text) {
        let line = text[..found.start()].lines().count();
        say(line, "SQL", "only oz-server/src/store speaks SQL");
    }
    wrong
}

#[expect(clippy::expect_used, reason = "the pattern is a constant that a test compiles")]
fn sql() -> Regex {
    Regex::new(r"SELECT [^;]*\bFROM\b|INSERT INTO |UPDATE \w+ SET |DELETE FROM |CREATE TABLE ")
        .expect("a valid pattern")
}

/// Checks the dependency edges between the rooms.
fn edges() -> Result<Vec<String>, String> {
    let output = crate::cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, known)) = EDGES.iter().find(|(n, _)| *n == name) else {
            wrong.push(format!("{name}: edges: a new room needs a row in xtask/src/tidy.rs and a reason"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let ours = EDGES.iter().any(|(n, _)| *n == other);
            if ours && dependency["kind"].is_null() && !known.contains(&other) {
                wrong.push(format!(
                    "{name}/Cargo.toml: edges: {name} must not know {other}; see ARCHITECTURE.md"
                ));
            }
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_catches_its_violation_and_lets_good_files_pass() {
        let good = "//! Owns this. Never does that.\nfn main() {}\n";
        assert!(check("oz-core/src/run.rs", good, "").is_empty());
        for (path, text, rule) in [
            ("oz-core/src/utils.rs", good.to_owned(), "vague name"),
            ("oz-core/src/run.rs", "fn main() {}".to_owned(), "module doc"),
            ("oz-core/src/run.rs", format!("{good}{}", "\n".repeat(500)), "size"),
            ("oz-core/src/run.rs", format!("{good}const Q: &str = \"SELECT a FROM b\";"), "SQL"),
            ("docs/a.md", concat!("see /wo", "rk/main").to_owned(), "foreign path"),
            ("oz-core/Cargo.toml", "[package]".to_owned(), "lints"),
        ] {
            let wrong = check(path, &text, "");
            assert!(wrong.len() == 1 && wrong[0].contains(rule), "{rule}: {wrong:?}");
        }
        let big = format!("{good}{}", "\n".repeat(450));
        assert!(check("a/b.rs", &big, "460 a/b.rs").is_empty());
        assert!(!check("a/b.rs", &big, "440 a/b.rs").is_empty());
        assert!(check("oz-server/src/store/x.rs", &format!("{good}\"SELECT a FROM b\""), "").is_empty());
    }
}
