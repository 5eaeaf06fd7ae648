//! The preparation of a workspace: repositories and setup commands. What fails names its command, its exit code and its
//! last lines; credentials in addresses are never shown.

use crate::{
    command::{self, Command},
    process::Household,
};
use oz_core::config::SourceRepo;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a clone may take.
const CLONE: Duration = Duration::from_secs(1800);
/// How long a setup command may take.
const SETUP: Duration = Duration::from_secs(3600);
/// How much of the output of a failed command is told.
const LINES: usize = 50;

/// Options of every call of git: no hooks, no helpers that the address itself could choose.
const GIT: &[&str] = &["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"];

type Variables = BTreeMap<String, String>;

/// Clones `repos` into `cwd`, but for those that are there. Answers with the directory to work in, which is that of the
/// only repository or else `cwd`, and with what was done.
pub(super) async fn clone(
    repos: &[SourceRepo],
    cwd: &Path,
    env: &Variables,
    household: &Household,
) -> Result<(PathBuf, String), String> {
    let mut done = Vec::new();
    for (repo, name) in repos.iter().zip(directories(repos)) {
        let shown = without_credentials(&repo.url);
        let target = cwd.join(&name);
        if target.exists() {
            done.push(format!("{shown} was there"));
            continue;
        }
        // A clone that is killed half-way must not pass for a whole one later.
        let part = format!(".{name}.part");
        let _ = tokio::fs::remove_dir_all(cwd.join(&part)).await;
        for words in plan(repo, &part) {
            let words: Vec<&str> = GIT.iter().copied().chain(words.iter().map(String::as_str)).collect();
            let result = run(&words, cwd, env, household, CLONE).await;
            result.map_err(|problem| {
                format!("cloning '{shown}' failed: git clone {problem}").replace(&repo.url, &shown)
            })?;
        }
        let moved = tokio::fs::rename(cwd.join(&part), &target).await;
        moved.map_err(|e| format!("cloning '{shown}' failed: '{name}' can't be made: {e}"))?;
        done.push(match &repo.checkout_ref {
            Some(reference) => format!("cloned {shown} at {reference}"),
            None => format!("cloned {shown}"),
        });
    }
    let workspace = match directories(repos).as_slice() {
        [only] => cwd.join(only),
        _ => cwd.to_owned(),
    };
    Ok((workspace, done.join(", ")))
}

/// Runs setup commands one after the other.
pub(super) async fn set_up(
    commands: &[String],
    workspace: &Path,
    env: &Variables,
    household: &Household,
) -> Result<((), String), String> {
    let mut env = env.clone();
    env.insert("CI".to_owned(), "true".to_owned());
    for (i, setup) in commands.iter().enumerate() {
        let result = run(&["/bin/sh", "-c", setup], workspace, &env, household, SETUP).await;
        result.map_err(|problem| format!("setup command {} `{setup}` {problem}", i + 1))?;
    }
    Ok(((), format!("{} commands", commands.len())))
}

/// Runs a command that must succeed; an error goes on after the command's name.
async fn run(
    words: &[&str],
    directory: &Path,
    env: &Variables,
    household: &Household,
    limit: Duration,
) -> Result<(), String> {
    let command = Command { words, directory, env, mark: household.mark(), limit };
    let ran = command::run(command).await.map_err(|e| format!("could not be started: {e}"))?;
    let how = match ran.exit_code {
        Some(0) => return Ok(()),
        Some(code) => format!("ended with exit code {code}"),
        None => format!("did not end within {} s and was killed", limit.as_secs()),
    };
    let output = ran.output.into_text();
    let lines: Vec<&str> = output.trim_end().lines().collect();
    Err(format!("{how}\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n")).trim_end().to_owned())
}

/// A directory for each repository, no two the same.
pub(super) fn directories(repos: &[SourceRepo]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for repo in repos {
        let base = repo.directory();
        let others = (2..).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(others).find(|name| !names.contains(name));
        names.extend(name);
    }
    names
}

/// The calls of git that make `directory` out of a repository.
fn plan(repo: &SourceRepo, directory: &str) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let depth: &[&str] = if is_remote(&repo.url) { &["--depth", "1"] } else { &[] };
    let clone =
        |options: &[&str]| words(&[&["clone", "--quiet"], options, &["--", &repo.url, directory]].concat());
    match &repo.checkout_ref {
        None => vec![clone(depth)],
        // A commit can't be named to a clone, and lies anywhere in the history.
        Some(reference) if is_commit(reference) => {
            vec![clone(&["--no-checkout"]), words(&["-C", directory, "checkout", "--quiet", reference, "--"])]
        }
        Some(reference) => vec![clone(&[depth, &["--branch", reference]].concat())],
    }
}

fn is_commit(reference: &str) -> bool {
    (7..=64).contains(&reference.len()) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether an address leads to another machine; git makes no shallow clones of paths.
fn is_remote(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme != "file",
        None => url.split('/').next().is_some_and(|host| host.contains(':')),
    }
}

/// An address without user and password.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
