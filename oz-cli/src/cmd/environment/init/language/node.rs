//! Node.js and its package managers.

use super::{Language, Needs, said};
use crate::cmd::environment::init::tree::Dir;
use serde_json::Value;

/// The version with long-term support that is taken where a project leaves the choice.
const LTS: u32 = 24;

pub(super) const LANGUAGE: Language = Language {
    name: "Node.js",
    manifests: &["package.json"],
    locks: &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
    ],
    covers: |dir| dir.has("pnpm-workspace.yaml") || !dir.json("package.json")["workspaces"].is_null(),
    inspect,
};

fn inspect(dir: Dir) -> Needs {
    let package = dir.json("package.json");
    let (major, why) = major(dir, &package);
    let setup = setup(dir, &package);
    let bun = setup.as_ref().is_some_and(|(command, _)| command.starts_with("bun "));
    let (image, why_image) = if bun {
        ("oven/bun:1".to_owned(), "its lock file is that of Bun".to_owned())
    } else {
        (format!("node:{major}"), why)
    };
    Needs { image, why_image, setup }
}

/// The major version of Node.js, and what says so.
fn major(dir: Dir, package: &Value) -> (u32, String) {
    for file in [".nvmrc", ".node-version"] {
        if let Some(word) = dir.word(file) {
            return (named(word), format!("{file} says {word}"));
        }
    }
    let others = [
        (".tool-versions", dir.tool_version("nodejs").or(dir.tool_version("node"))),
        ("volta in package.json", package["volta"]["node"].as_str()),
    ];
    if let Some((file, version)) = said(others) {
        return (named(&version), format!("{file} says {version}"));
    }
    match package["engines"]["node"].as_str() {
        Some(range) => (of_range(range), format!("engines in package.json says {range}")),
        None => (LTS, "package.json names no version of Node.js; this one has long-term support".to_owned()),
    }
}

/// The major version that a file of a version manager names.
fn named(word: &str) -> u32 {
    match word.trim_start_matches("lts/").to_ascii_lowercase().as_str() {
        "hydrogen" => 18,
        "iron" => 20,
        "jod" => 22,
        "krypton" => 24,
        other => {
            super::version(other).and_then(|version| version.split('.').next()?.parse().ok()).unwrap_or(LTS)
        }
    }
}

/// The highest major version in a range, of those with long-term support where it is open above.
fn of_range(range: &str) -> u32 {
    range.split("||").map(alternative).max().unwrap_or(LTS)
}

fn alternative(range: &str) -> u32 {
    // `>= 18` and `>=18` are the same.
    let range = range.replace("= ", "=").replace("> ", ">").replace("< ", "<");
    let number = |word: &str| super::version(word).and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    let (mut low, mut high, mut exact) = (0, None, None);
    for word in range.split_whitespace() {
        if let Some(bound) = word.strip_prefix("<=") {
            high = number(bound);
        } else if let Some(bound) = word.strip_prefix('<') {
            high = number(bound).map(|major| major.saturating_sub(1));
        } else if let Some(bound) = word.strip_prefix(">=").or(word.strip_prefix('>')) {
            low = number(bound).unwrap_or(0);
        } else {
            exact = exact.or(number(word.trim_start_matches(['^', '~', '=', 'v'])));
        }
    }
    match exact {
        Some(major) => major,
        None => LTS.max(low).min(high.unwrap_or(u32::MAX)),
    }
}

/// What installs the packages, and which file says so.
fn setup(dir: Dir, package: &Value) -> Option<(String, String)> {
    let by_lock = [
        ("pnpm-lock.yaml", "corepack enable && pnpm install --frozen-lockfile"),
        (
            "yarn.lock",
            if berry(dir, package) {
                "corepack enable && yarn install --immutable"
            } else {
                "yarn install --frozen-lockfile"
            },
        ),
        ("bun.lock", "bun install --frozen-lockfile"),
        ("bun.lockb", "bun install --frozen-lockfile"),
        ("package-lock.json", "npm ci"),
        ("npm-shrinkwrap.json", "npm ci"),
    ];
    if let Some((file, command)) = by_lock.into_iter().find(|(file, _)| dir.has(file)) {
        return Some((command.to_owned(), format!("{} is there", dir.path_of(file))));
    }
    let depends = ["dependencies", "devDependencies", "workspaces"];
    if depends.iter().all(|key| package[*key].is_null()) && !dir.has("pnpm-workspace.yaml") {
        return None;
    }
    let manager = package["packageManager"].as_str().and_then(|text| text.split('@').next()).unwrap_or("npm");
    let command = match manager {
        "pnpm" => "corepack enable && pnpm install",
        "yarn" => "corepack enable && yarn install",
        "bun" => "bun install",
        _ => "npm install",
    };
    let why = format!(
        "{} has dependencies but no lock file; commit one, so that runs stay the same",
        dir.path_of("package.json")
    );
    Some((command.to_owned(), why))
}

/// Whether yarn is one of the versions that name their options differently.
fn berry(dir: Dir, package: &Value) -> bool {
    let named = package["packageManager"].as_str().and_then(|text| text.strip_prefix("yarn@"));
    named.map_or_else(|| dir.has(".yarnrc.yml"), |version| !version.starts_with("1."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_versions_are_read() {
        for (range, expected) in [
            ("22", 22),
            ("18.x", 18),
            ("^20.1.0", 20),
            ("~18", 18),
            (">=18", LTS),
            (">= 18.0.0", LTS),
            (">=99", 99),
            (">=18 <21", 20),
            ("<=20", 20),
            ("^18 || ^20", 20),
            ("*", LTS),
            ("", LTS),
        ] {
            assert_eq!(of_range(range), expected, "{range}");
        }
        for (word, expected) in
            [("v20.11.1", 20), ("lts/iron", 20), ("lts/*", LTS), ("22", 22), ("node", LTS)]
        {
            assert_eq!(named(word), expected, "{word}");
        }
    }
}
