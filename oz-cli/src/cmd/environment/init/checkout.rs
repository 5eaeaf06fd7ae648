//! What is seen of a checkout on this machine: git's answers and the files that it tracks.

use super::{origin::Origin, tree::Tree};
use crate::error::CliError;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// How long the host of a repository may take to say whether it wants a login.
const PROBE: Duration = Duration::from_secs(8);
/// The longest text that is read.
const MAX_TEXT: u64 = 512 << 10;

/// A checkout.
#[derive(Debug, Default)]
pub(super) struct Checkout {
    /// Its top directory.
    pub(super) root: PathBuf,
    /// Where it came from.
    pub(super) origin: Option<Origin>,
    /// The branch that is checked out; none when it is a commit.
    pub(super) branch: Option<String>,
    /// The branch that a clone has checked out, where that is known.
    pub(super) default_branch: Option<String>,
    /// Whether its branch is known to be at its origin, too.
    pub(super) pushed: bool,
    /// Whether a clone needs a login.
    pub(super) login: Login,
    /// What it tracks.
    pub(super) tree: Tree,
}

/// Whether a host gives a repository to anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Login {
    NotNeeded,
    Needed,
    #[default]
    Unknown,
}

/// Looks at the checkout that holds `path`.
pub(super) async fn look(path: &Path) -> Result<Checkout, CliError> {
    let shown = path.display();
    if !path.is_dir() {
        return Err(CliError::new(format!("'{shown}' is not a directory")));
    }
    let root = git(path, &["rev-parse", "--show-toplevel"]).await;
    let root = PathBuf::from(root.ok_or_else(|| {
        CliError::new(format!("'{shown}' is not in a checkout of git"))
            .hint("name a checkout, or make the environment with `oz environment create`")
    })?);
    let origin = git(&root, &["remote", "get-url", "origin"]).await.map(|url| Origin::read(&url));
    let branch = git(&root, &["symbolic-ref", "--quiet", "--short", "HEAD"]).await;
    let remote = branch.as_ref().map(|branch| format!("refs/remotes/origin/{branch}"));
    let pushed = match &remote {
        Some(name) => git(&root, &["rev-parse", "--verify", "--quiet", name]).await.is_some(),
        None => false,
    };
    let head = git(&root, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]).await;
    let head = head.and_then(|name| name.strip_prefix("origin/").map(str::to_owned));
    let (login, theirs) = match &origin {
        Some(origin) if !origin.host.is_empty() => probe(&origin.address).await,
        _ => (Login::NotNeeded, None),
    };
    let files = git(&root, &["ls-files", "-z", "--cached"]).await.unwrap_or_default();
    let tree = Tree::new(files.split_terminator('\0').map(str::to_owned), |file| text(&root.join(file)));
    Ok(Checkout { root, origin, branch, default_branch: head.or(theirs), pushed, login, tree })
}

/// The text of a file; a link may lead anywhere and is not followed.
fn text(path: &Path) -> Option<String> {
    let found = fs::symlink_metadata(path).ok()?;
    if found.is_file() && found.len() <= MAX_TEXT { fs::read_to_string(path).ok() } else { None }
}

/// What git says, unless it fails or says nothing.
async fn git(directory: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(directory).args(words).stdin(Stdio::null()).output();
    let output = output.await.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim_end_matches('\n').to_owned()).filter(|text| !text.is_empty())
}

/// Asks a host for a repository as somebody without any login, as a run without secrets is.
async fn probe(address: &str) -> (Login, Option<String>) {
    if !address.starts_with("http") {
        return (Login::Needed, None);
    }
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "credential.helper=",
            "-c",
            "core.askPass=",
            "ls-remote",
            "--symref",
            "--",
            address,
            "HEAD",
        ])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env_remove("GIT_ASKPASS")
        .env_remove("SSH_ASKPASS")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(PROBE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            (Login::NotNeeded, head(&String::from_utf8_lossy(&output.stdout)))
        }
        Ok(Ok(output)) => (refused(&String::from_utf8_lossy(&output.stderr)), None),
        _ => (Login::Unknown, None),
    }
}

/// The branch that `ls-remote --symref` names.
fn head(answer: &str) -> Option<String> {
    let line = answer.lines().find_map(|line| line.strip_prefix("ref: refs/heads/"))?;
    Some(line.split_whitespace().next()?.to_owned())
}

/// Hosts hide what is private as not found.
fn refused(complaint: &str) -> Login {
    let signs = ["could not read Username", "Authentication failed", "not found", "error: 401", "error: 403"];
    if signs.iter().any(|sign| complaint.contains(sign)) { Login::Needed } else { Login::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_git_are_read() {
        assert_eq!(head("ref: refs/heads/trunk\tHEAD\n0a1b\tHEAD\n").as_deref(), Some("trunk"));
        assert_eq!(head("0a1b\tHEAD\n"), None);
        for (complaint, expected) in [
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                Login::Needed,
            ),
            ("remote: Not here\nfatal: repository 'https://x/' not found", Login::Needed),
            ("fatal: unable to access 'https://x/': Could not resolve host: x", Login::Unknown),
        ] {
            assert_eq!(refused(complaint), expected, "{complaint}");
        }
    }
}
