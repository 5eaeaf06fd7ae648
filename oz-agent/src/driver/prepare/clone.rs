//! Clones of repositories: shallow where that can be, from the host itself, with the help of a mirror on this machine.

use super::{Shell, mirror};
use crate::driver::git::{self, Logins};
use oz_core::config::SourceRepo;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a clone may take.
pub(super) const LIMIT: Duration = Duration::from_secs(1800);

/// Options of every call of git: no hooks, no helpers that the address itself could choose.
const GIT: &[&str] = &["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"];

/// How repositories are cloned.
#[derive(Clone, Copy)]
pub(in crate::driver) struct Cloning<'a> {
    /// Where to.
    pub(in crate::driver) cwd: &'a Path,
    pub(in crate::driver) shell: Shell<'a>,
    pub(in crate::driver) logins: &'a Logins,
    /// The directory of mirrors, if there is one.
    pub(in crate::driver) cache: Option<&'a Path>,
}

impl Cloning<'_> {
    /// Clones a repository into the directory `name`, unless that is there. Answers with what was done.
    pub(in crate::driver) async fn clone(&self, repo: &SourceRepo, name: &str) -> Result<String, String> {
        let shown = git::shown(&repo.url);
        let target = self.cwd.join(name);
        if target.exists() {
            return Ok(format!("{shown} was there"));
        }
        // A clone that is killed half-way must not pass for a whole one later.
        let part = format!(".{name}.part");
        self.fetch(repo, &part).await.map_err(|problem| {
            let advice = git::advice(&problem, &repo.url, self.logins)
                .map_or(String::new(), |text| format!("\n{text}"));
            format!("cloning '{shown}' failed: {}{advice}", problem.replace(&repo.url, &shown))
        })?;
        let moved = tokio::fs::rename(self.cwd.join(&part), &target).await;
        moved.map_err(|e| format!("cloning '{shown}' failed: '{name}' can't be made: {e}"))?;
        Ok(match &repo.checkout_ref {
            Some(reference) => format!("cloned {shown} at {reference}"),
            None => format!("cloned {shown}"),
        })
    }

    /// Tries the ways to clone, the fastest first.
    async fn fetch(&self, repo: &SourceRepo, part: &str) -> Result<(), String> {
        let mirror = match self.cache.filter(|_| is_remote(&repo.url)) {
            Some(cache) => mirror::of(&repo.url, cache, self.shell).await,
            None => None,
        };
        let mut result = Ok(());
        for (i, plan) in plans(repo, part, mirror.as_deref()).iter().enumerate() {
            result = self.follow(plan, part).await;
            let Err(problem) = &result else {
                if let Some(mirror) = mirror.filter(|_| i > 0) {
                    mirror::discard(&mirror);
                }
                return Ok(());
            };
            tracing::info!(repo = git::shown(&repo.url), %problem, "a way to clone did not work");
        }
        result
    }

    async fn follow(&self, plan: &[Vec<String>], part: &str) -> Result<(), String> {
        let _ = tokio::fs::remove_dir_all(self.cwd.join(part)).await;
        for words in plan {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let what = words.iter().find(|word| ["clone", "fetch", "checkout"].contains(word)).unwrap_or(&"");
            let ran = call(&words, self.cwd, self.shell).await;
            ran.map_err(|problem| format!("git {what} {problem}"))?;
        }
        Ok(())
    }
}

/// Calls git.
pub(super) async fn call(words: &[&str], directory: &Path, shell: Shell<'_>) -> Result<(), String> {
    shell.run(&[GIT, words].concat(), directory, LIMIT, None).await
}

/// A directory for each repository, no two the same.
pub(in crate::driver) fn directories(repos: &[SourceRepo]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for repo in repos {
        let base = repo.directory();
        let others = (2..).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(others).find(|name| !names.contains(name));
        names.extend(name);
    }
    names
}

/// The ways to make `directory` out of a repository, each as calls of git; the next is for when one fails.
pub(super) fn plans(repo: &SourceRepo, directory: &str, mirror: Option<&Path>) -> Vec<Vec<Vec<String>>> {
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let within = |rest: &[&str]| words(&[&["-C", directory], rest].concat());
    let clone = |mirror: Option<&Path>, options: &[&str]| {
        let mirror = mirror.map(|path| path.to_string_lossy().into_owned());
        let near: &[&str] = match &mirror {
            Some(path) => &["--reference-if-able", path, "--dissociate"],
            None => &[],
        };
        words(&[&["clone", "--quiet"], near, options, &["--", &repo.url, directory]].concat())
    };
    let remote = is_remote(&repo.url);
    let depth: &[&str] = if remote { &["--depth", "1"] } else { &[] };
    let plain = |mirror: Option<&Path>| match &repo.checkout_ref {
        None => vec![clone(mirror, depth)],
        // A commit can't be named to a clone, and lies anywhere in the history.
        Some(reference) if is_commit(reference) => {
            vec![clone(mirror, &["--no-checkout"]), within(&["checkout", "--quiet", reference, "--"])]
        }
        Some(reference) => vec![clone(mirror, &[depth, &["--branch", reference]].concat())],
    };
    let mut plans = Vec::new();
    if mirror.is_some() {
        plans.push(plain(mirror));
    } else if let Some(commit) = repo.checkout_ref.as_deref().filter(|r| remote && is_whole_commit(r)) {
        // Most hosts give away a single commit when its whole name is known.
        plans.push(vec![
            words(&["init", "--quiet", directory]),
            within(&["remote", "add", "origin", &repo.url]),
            within(&["fetch", "--quiet", "--depth", "1", "origin", commit]),
            within(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]),
        ]);
    }
    plans.push(plain(None));
    plans
}

fn is_commit(reference: &str) -> bool {
    (7..=64).contains(&reference.len()) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_whole_commit(reference: &str) -> bool {
    is_commit(reference) && matches!(reference.len(), 40 | 64)
}

/// Whether an address leads to another machine; git makes no shallow clones of paths.
fn is_remote(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme != "file",
        None => url.split('/').next().is_some_and(|host| host.contains(':')),
    }
}

/// The directory to work in: that of the only repository, or else the one around them.
pub(in crate::driver) fn workspace(cwd: &Path, names: &[String]) -> PathBuf {
    match names {
        [only] => cwd.join(only),
        _ => cwd.to_owned(),
    }
}
