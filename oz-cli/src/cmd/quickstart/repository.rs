//! The quickstart's repository: real git, a shell script with a bug, and the test that shows it.

use crate::error::CliError;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
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

/// How a test ended.
pub(super) struct Tested {
    pub(super) passed: bool,
    pub(super) output: String,
}

/// Makes sure that git and sh are there.
pub(super) fn require_programs() -> Result<(), CliError> {
    for program in ["git", "sh"] {
        let arg = if program == "git" { "--version" } else { "-c:" };
        let args: &[&str] = if program == "git" { &[arg] } else { &["-c", ":"] };
        if Command::new(program).args(args).output().is_err() {
            return Err(CliError::new(format!("the quickstart needs `{program}`, which was not found"))
                .hint("install it and try again"));
        }
    }
    Ok(())
}

fn git(dir: &Path, args: &[&str]) -> Result<Output, CliError> {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .args(["-c", "user.name=Oz Quickstart", "-c", "user.email=quickstart@localhost"])
        .args(args);
    let output = command.env("GIT_TERMINAL_PROMPT", "0").output()?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(CliError::new(format!("git {}: {text}", args.join(" "))))
}

/// Makes the repository with one commit.
pub(super) fn create(dir: &Path) -> Result<(), CliError> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    fs::write(dir.join("slug.sh"), SLUG)?;
    fs::write(dir.join("test.sh"), TEST)?;
    git(dir, &["init", "--quiet", "--initial-branch=main"])?;
    git(dir, &["add", "."])?;
    git(dir, &["commit", "--quiet", "-m", "Turn titles into slugs"])?;
    Ok(())
}

/// Runs the test of a branch in a fresh clone.
pub(super) fn test(repo: &Path, branch: &str, scratch: &Path) -> Result<Tested, CliError> {
    let clone = scratch.join("check");
    if clone.exists() {
        fs::remove_dir_all(&clone)?;
    }
    git(scratch, &["clone", "--quiet", "--branch", branch, &repo.to_string_lossy(), "check"])?;
    let output = Command::new("sh").arg("test.sh").current_dir(&clone).output()?;
    fs::remove_dir_all(&clone)?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let verdict = if output.status.success() { "the test passes" } else { "the test fails" };
    Ok(Tested { passed: output.status.success(), output: format!("{text}{verdict}") })
}

/// What a branch changes, with its commits.
pub(super) fn diff(repo: &Path, branch: &str) -> Result<String, CliError> {
    let log = git(repo, &["log", "--format=%h %an: %s", &format!("main..{branch}")])?;
    let diff = git(repo, &["diff", &format!("main...{branch}")])?;
    Ok(format!("{}{}", String::from_utf8_lossy(&log.stdout), String::from_utf8_lossy(&diff.stdout)))
}
