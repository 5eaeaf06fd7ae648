//! Repositories of git on this machine: which directory belongs to which, and where they come from.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How many directories are looked at for repositories in them.
const ENTRIES: usize = 1000;

/// The root of the repository that a directory belongs to.
pub(crate) fn root_of(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|dir| is_root(dir)).map(Path::to_owned)
}

/// The repositories that lie directly in a directory, by name.
pub(crate) fn roots_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(ENTRIES);
    let real = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut roots: Vec<PathBuf> = real.map(|entry| entry.path()).filter(|path| is_root(path)).collect();
    roots.sort();
    roots
}

// In a worktree `.git` is a file.
fn is_root(directory: &Path) -> bool {
    directory.join(".git").exists()
}

/// The address that a repository was cloned from, if it says so.
pub(crate) fn origin(root: &Path) -> Option<String> {
    let asked = Command::new("git")
        .args(["config", "--get", "remote.origin.url"])
        .current_dir(root)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(std::env::var_os("HOME").map(|home| ("HOME", home)))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let url = String::from_utf8(asked.ok()?.stdout).ok()?;
    Some(url.trim().to_owned()).filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_belongs_to_the_nearest_repository() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("a/.git")).unwrap();
        fs::create_dir_all(path("a/sub/deep")).unwrap();
        fs::create_dir_all(path("b")).unwrap();
        fs::write(path("b/.git"), "gitdir: elsewhere").unwrap();
        std::os::unix::fs::symlink("a", path("link")).unwrap();
        assert_eq!(root_of(&path("a/sub/deep")), Some(path("a")));
        assert_eq!(root_of(&path("a")), Some(path("a")));
        assert_eq!(roots_in(dir.path()), [path("a"), path("b")]);
        assert_eq!(origin(&path("b")), None);
        let config = "[remote \"origin\"]\n\turl = https://h/me/app.git\n";
        fs::write(path("a/.git/config"), config).unwrap();
        fs::write(path("a/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        for name in ["objects", "refs"] {
            fs::create_dir_all(path("a/.git").join(name)).unwrap();
        }
        assert_eq!(origin(&path("a")).as_deref(), Some("https://h/me/app.git"));
    }
}
