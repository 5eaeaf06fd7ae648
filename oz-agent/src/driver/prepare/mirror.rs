//! Mirrors of repositories on this machine, which the runs of a worker share: `CACHE/NAME.git` with a file that is locked
//! while the mirror changes. A clone only borrows from a mirror what the host has said it may have, so who may read what
//! stays the host's to say. Whatever is wrong with a mirror, the clone goes without it.

use super::{Shell, clone};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// How old a mirror may be: what it lacks comes from the host anyway.
const FRESH: Duration = Duration::from_secs(60);
/// How often a locked mirror is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Written when a mirror is up to date.
const UPDATED: &str = "oz-updated";

/// A mirror of `url`, brought up to date, if there can be one.
pub(super) async fn of(url: &str, cache: &Path, shell: Shell<'_>) -> Option<PathBuf> {
    match update(url, cache, shell).await {
        Ok(mirror) => Some(mirror),
        Err(problem) => {
            tracing::info!(%problem, "there is no mirror of a repository; cloning without one");
            None
        }
    }
}

async fn update(url: &str, cache: &Path, shell: Shell<'_>) -> Result<PathBuf, String> {
    let name = name(url);
    let mirror = cache.join(format!("{name}.git"));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(cache);
    made.map_err(|e| format!("'{}' can't be made: {e}", cache.display()))?;
    let _lock =
        lock(&cache.join(format!("{name}.lock"))).await.map_err(|e| format!("it can't be locked: {e}"))?;
    if is_fresh(&mirror) {
        return Ok(mirror);
    }
    let was_there = mirror.exists();
    if let Err(problem) = fetch(url, &mirror, shell).await {
        if was_there && is_of_the_host(&problem) {
            return Err(problem);
        }
        discard(&mirror);
        if !was_there {
            return Err(problem);
        }
        tracing::warn!(%problem, mirror = %mirror.display(), "a mirror is broken; making it anew");
        if let Err(problem) = fetch(url, &mirror, shell).await {
            discard(&mirror);
            return Err(problem);
        }
    }
    let _ = fs::write(mirror.join(UPDATED), "");
    Ok(mirror)
}

/// Gets what is new, all branches and tags, into a mirror that need not be there.
async fn fetch(url: &str, mirror: &Path, shell: Shell<'_>) -> Result<(), String> {
    let path = mirror.to_string_lossy();
    let parent = mirror.parent().unwrap_or(mirror);
    let branches = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    // In the foreground, so that nothing tidies up a mirror that is not locked.
    let fetch =
        ["-C", &path, "-c", "gc.autoDetach=false", "fetch", "--quiet", "--prune", "--no-tags", "--", url];
    clone::call(&["init", "--quiet", "--bare", &path], parent, shell).await?;
    clone::call(&[&fetch[..], &branches].concat(), parent, shell).await
}

/// Whether git complains of the host, or of the way to it, rather than of the mirror.
fn is_of_the_host(problem: &str) -> bool {
    let signs = [
        "unable to access",
        "could not read",
        "Could not read from remote",
        "Authentication failed",
        "' not found",
    ];
    signs.iter().any(|sign| problem.contains(sign)) || problem.contains("was killed")
}

/// Removes a mirror that is broken; the next clone makes it anew.
pub(super) fn discard(mirror: &Path) {
    if let Err(error) = fs::remove_dir_all(mirror)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, mirror = %mirror.display(), "a broken mirror can't be removed");
    }
}

fn is_fresh(mirror: &Path) -> bool {
    let updated = mirror.join(UPDATED).metadata().and_then(|meta| meta.modified());
    let age = updated.ok().and_then(|updated| SystemTime::now().duration_since(updated).ok());
    age.is_some_and(|age| age < FRESH) && mirror.join("HEAD").exists()
}

/// Waits for the lock as long as a clone may take.
async fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let until = Instant::now() + clone::LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(POLL).await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn name(url: &str) -> String {
    Sha256::digest(url).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
