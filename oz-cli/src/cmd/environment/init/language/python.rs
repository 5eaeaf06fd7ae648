//! Python and its package managers.

use super::{Language, Needs, parts, said, version};
use crate::cmd::environment::init::tree::Dir;
use toml::{Table, Value};

/// The version that is taken where a project leaves the choice.
const USUAL: u32 = 13;

pub(super) const LANGUAGE: Language = Language {
    name: "Python",
    manifests: &["pyproject.toml", "requirements.txt", "setup.py", "Pipfile", ".python-version"],
    locks: &["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt"],
    covers: |dir| at(&dir.toml("pyproject.toml"), &["tool", "uv", "workspace"]).is_some(),
    inspect,
};

fn inspect(dir: Dir) -> Needs {
    let project = dir.toml("pyproject.toml");
    let (version, why_image) = wanted(dir, &project);
    Needs { image: format!("python:{version}"), why_image, setup: setup(dir, &project) }
}

fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// The version of Python, and what says so.
fn wanted(dir: Dir, project: &Table) -> (String, String) {
    let files = [
        (".python-version", dir.word(".python-version")),
        (".tool-versions", dir.tool_version("python")),
        ("runtime.txt", dir.word("runtime.txt").map(|word| word.trim_start_matches("python-"))),
    ];
    if let Some((file, version)) = said(files) {
        return (parts(&version, 2), format!("{file} says {version}"));
    }
    let ranges = [
        ("requires-python", at(project, &["project", "requires-python"])),
        ("the Poetry section", at(project, &["tool", "poetry", "dependencies", "python"])),
    ];
    for (place, range) in ranges {
        if let Some(range) = range.and_then(Value::as_str) {
            return (format!("3.{}", of_range(range)), format!("{place} in pyproject.toml says {range}"));
        }
    }
    (format!("3.{USUAL}"), "no file names a version of Python".to_owned())
}

/// The highest minor version of Python 3 in a range, the usual one where it is open above.
fn of_range(range: &str) -> u32 {
    let minor = |text: &str| version(text)?.split('.').nth(1)?.parse::<u32>().ok();
    let (mut low, mut high, mut exact) = (0, None, None);
    for bound in range.split(',').map(|bound| bound.replace(' ', "")) {
        if let Some(bound) = bound.strip_prefix("<=") {
            high = minor(bound);
        } else if let Some(bound) = bound.strip_prefix('<') {
            high = minor(bound).map(|minor| minor.saturating_sub(1));
        } else if let Some(bound) =
            bound.strip_prefix(">=").or(bound.strip_prefix('^')).or(bound.strip_prefix('>'))
        {
            low = minor(bound).unwrap_or(0);
        } else if bound.starts_with("!=") {
        } else if let Some(bound) = bound.strip_prefix("~=").filter(|bound| bound.matches('.').count() < 2) {
            low = minor(bound).unwrap_or(0);
        } else {
            exact = exact.or(minor(bound.trim_start_matches(['=', '~'])));
        }
    }
    exact.unwrap_or_else(|| USUAL.max(low).min(high.unwrap_or(u32::MAX)))
}

/// What installs the packages, and which file says so.
fn setup(dir: Dir, project: &Table) -> Option<(String, String)> {
    let by_lock = [
        ("uv.lock", "pip install uv && uv sync --frozen"),
        ("poetry.lock", "pip install poetry && poetry install --no-interaction"),
        ("pdm.lock", "pip install pdm && pdm sync"),
        ("Pipfile.lock", "pip install pipenv && pipenv sync --dev"),
    ];
    let there = |file: &str| format!("{} is there", dir.path_of(file));
    if let Some((file, command)) = by_lock.into_iter().find(|(file, _)| dir.has(file)) {
        return Some((command.to_owned(), there(file)));
    }
    if dir.has("requirements.txt") {
        let more = ["requirements-dev.txt", "dev-requirements.txt"];
        let more = dir.first(&more).map_or_else(String::new, |file| format!(" -r {file}"));
        return Some((format!("pip install -r requirements.txt{more}"), there("requirements.txt")));
    }
    let unlocked = |file: &str| format!("{} has dependencies but no lock file", dir.path_of(file));
    if at(project, &["tool", "poetry"]).is_some() {
        let command = "pip install poetry && poetry install --no-interaction";
        return Some((command.to_owned(), unlocked("pyproject.toml")));
    }
    if dir.has("Pipfile") {
        return Some(("pip install pipenv && pipenv install --dev".to_owned(), unlocked("Pipfile")));
    }
    let installed = project.contains_key("project") || project.contains_key("build-system");
    let file = if installed { "pyproject.toml" } else { dir.first(&["setup.py"])? };
    Some(("pip install -e .".to_owned(), there(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_versions_are_read() {
        for (range, expected) in [
            (">=3.10", USUAL),
            (">=3.9,<3.12", 11),
            (">= 3.9, <= 3.11", 11),
            ("==3.11.*", 11),
            ("~=3.10.2", 10),
            ("~=3.10", USUAL),
            ("^3.11", USUAL),
            (">=3.9,!=3.9.7", USUAL),
            (">=3.99", 99),
            ("*", USUAL),
        ] {
            assert_eq!(of_range(range), expected, "{range}");
        }
    }
}
