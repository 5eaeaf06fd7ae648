//! The quickstart's repository: real git, a shell script with a bug, and the test that shows it.

use crate::error::CliError;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const SLUG: &str = r#"#!/bin/sh
# Turns a title into a slug: lower case, words joined by single dashes.
printf '%s\n' "$1" | tr 'A-Z' 'a-z' | tr ' ' '_'
"#;

const TEST: &str = r#"#!/bin/sh
# Checks slug.sh. Exit code 0 when every case is right.
failed=0
check() {
    got=$(sh slug.sh "$1")
    if [ "$got" = "$2" ]; then echo "ok    '$1' -> $got"; else echo "FAIL  '$1' -> $got (expected $2)"; failed=1; fi
}
check "Hello World" "hello-world"
check "Run agents  in the background" "run-agents-in-the-background"
exit $failed
"#;

/// Settings of this machine that would get in the way of commits here.
const GIT: &[&str] = &[
    "-c",
    "user.name=Oz Quickstart",
    "-c",
    "user.email=quickstart@localhost",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.hooksPath=/dev/null",
];

/// The repository.
pub(super) struct Repository {
    path: PathBuf,
    scratch: PathBuf,
}

/// How a test ended.
pub(super) struct Tested {
    pub(super) passed: bool,
    pub(super) output: String,
}

/// Makes sure that git and sh are there.
pub(super) fn require_programs() -> Result<(), CliError> {
    for (program, args) in [("git", &["--version"][..]), ("sh", &["-c", ":"])] {
        if Command::new(program).args(args).output().is_err() {
            let text =
                format!("the quickstart needs `{program}`, which was not found; install it and try again");
            return Err(CliError::new(text));
        }
    }
    Ok(())
}

fn git(dir: &Path, args: &[&str]) -> Result<String, CliError> {
    let output =
        Command::new("git").current_dir(dir).args(GIT).args(args).env("GIT_TERMINAL_PROMPT", "0").output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(CliError::new(format!("git {} failed: {reason}", args.join(" "))))
}

impl Repository {
    /// Makes the repository in `dir`, with one commit.
    pub(super) fn create(dir: &Path) -> Result<Self, CliError> {
        let path = dir.join("slug");
        fs::create_dir(&path)?;
        fs::write(path.join("slug.sh"), SLUG)?;
        fs::write(path.join("test.sh"), TEST)?;
        git(&path, &["init", "--quiet"])?;
        // The option of `init` that does this is younger than many a git.
        git(&path, &["symbolic-ref", "HEAD", "refs/heads/main"])?;
        git(&path, &["add", "."])?;
        git(&path, &["commit", "--quiet", "-m", "Turn titles into slugs"])?;
        Ok(Self { path, scratch: dir.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the test of a branch in a fresh clone. The test is that of the first commit, whatever the branch made of it.
    pub(super) fn test(&self, branch: &str) -> Result<Tested, CliError> {
        let clone = self.scratch.join("check");
        git(&self.scratch, &["clone", "--quiet", "--branch", branch, &self.path.to_string_lossy(), "check"])?;
        fs::write(clone.join("test.sh"), TEST)?;
        let output = Command::new("sh").arg("test.sh").current_dir(&clone).output()?;
        fs::remove_dir_all(&clone)?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Tested { passed: output.status.success(), output: String::from_utf8_lossy(&text).into_owned() })
    }

    /// What a branch changes, with its commits.
    pub(super) fn changes(&self, branch: &str) -> Result<String, CliError> {
        let log = git(&self.path, &["log", "--format=%h %an: %s", &format!("main..{branch}")])?;
        let diff = git(&self.path, &["diff", "--no-color", "--no-ext-diff", &format!("main...{branch}")])?;
        Ok(format!("{log}{diff}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bug_is_there_and_the_scripted_edit_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::create(dir.path()).unwrap();
        let before = repository.test("main").unwrap();
        assert!(!before.passed && before.output.contains("FAIL"), "{}", before.output);

        let script = include_str!("script.yaml");
        let (old, new) = ("tr ' ' '_'", "tr -s ' ' '-'");
        assert!(script.contains(old) && script.contains(new), "the script makes another edit");
        fs::write(repository.path().join("slug.sh"), SLUG.replace(old, new)).unwrap();
        git(repository.path(), &["checkout", "--quiet", "-b", "fix"]).unwrap();
        git(repository.path(), &["commit", "--quiet", "-a", "-m", "Fix"]).unwrap();
        let after = repository.test("fix").unwrap();
        assert!(after.passed, "{}", after.output);
        assert!(repository.changes("fix").unwrap().contains("+printf"));
    }

    #[test]
    fn a_test_that_was_bent_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::create(dir.path()).unwrap();
        fs::write(repository.path().join("test.sh"), "exit 0\n").unwrap();
        git(repository.path(), &["commit", "--quiet", "-a", "-m", "Cheat"]).unwrap();
        assert!(!repository.test("main").unwrap().passed);
    }
}
