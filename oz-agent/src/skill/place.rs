//! Where skills are looked for: repositories, and by which names they are known.

use super::Skill;
use std::path::PathBuf;

/// A repository with the skills that were found in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Where it lies.
    pub(crate) root: PathBuf,
    /// The name of its directory.
    pub(crate) directory: String,
    /// The path of its address, in parts; empty when it has none.
    address: Vec<String>,
    /// Whether it is the home of whoever runs the agent, whose skills come before all others.
    pub(crate) is_home: bool,
    /// Its skills, first those that count first.
    pub(crate) skills: Vec<Skill>,
}

impl Place {
    /// The repository from `url` that lies in `root`, with nothing found yet.
    pub(crate) fn new(root: PathBuf, url: &str) -> Self {
        let directory = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { root, directory, address: address(url), is_home: false, skills: Vec::new() }
    }

    /// The home of whoever runs the agent. No specification names it.
    pub(crate) fn home(root: PathBuf) -> Self {
        Self { root, directory: String::new(), address: Vec::new(), is_home: true, skills: Vec::new() }
    }

    /// A directory that holds skills for every run, which counts like a home. No specification names it.
    pub(crate) fn shelf(root: PathBuf) -> Self {
        let directory = root.display().to_string();
        Self { root, directory, address: Vec::new(), is_home: true, skills: Vec::new() }
    }

    /// `owner/repo`, when its address has that much.
    pub(crate) fn owner_and_repo(&self) -> Option<String> {
        match self.address.as_slice() {
            [.., owner, repo] => Some(format!("{owner}/{repo}")),
            _ => None,
        }
    }

    /// By what it is told from others.
    pub(crate) fn label(&self) -> String {
        let own = || if self.directory.is_empty() { "~".to_owned() } else { self.directory.clone() };
        self.owner_and_repo().unwrap_or_else(own)
    }

    /// Whether `repo` names it; if so, with the owner that it has.
    pub(super) fn known_as(&self, repo: &str) -> Option<Option<&str>> {
        if self.is_home {
            return None;
        }
        let parts: Vec<&str> = repo.split('/').collect();
        let same = |(a, b): (&String, &&str)| a.eq_ignore_ascii_case(b);
        let rest = self.address.len().checked_sub(parts.len());
        let by_address = rest.is_some_and(|rest| self.address[rest..].iter().zip(&parts).all(same));
        let owner = || rest.and_then(|rest| rest.checked_sub(1)).map(|at| self.address[at].as_str());
        (by_address || self.directory == repo).then(owner)
    }
}

/// The path in an address of git: what follows the host of a URL or of `user@host:path`, or a path itself.
fn address(url: &str) -> Vec<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => path,
            _ => url,
        },
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_and_repo_are_the_last_two_parts_of_an_address() {
        for (url, expected) in [
            ("https://h/o/r.git", Some("o/r")),
            ("https://me:secret@h:81/o/r/", Some("o/r")),
            ("https://h/a/b/c", Some("b/c")),
            ("ssh://git@h/o/r", Some("o/r")),
            ("git@h:o/r.git", Some("o/r")),
            ("file:///srv/git/r.git/", Some("git/r")),
            ("/srv/git/r", Some("git/r")),
            ("../git/r", Some("git/r")),
            ("https://h/r", None),
            ("git@h:r", None),
            ("/r", None),
            ("r", None),
            ("", None),
        ] {
            let place = Place::new("/w/d".into(), url);
            assert_eq!(place.owner_and_repo().as_deref(), expected, "{url}");
            assert_eq!(place.label(), expected.unwrap_or("d"));
        }
    }

    #[test]
    fn a_place_is_known_by_its_directory_and_the_end_of_its_address() {
        let place = Place::new("/w/r-2".into(), "https://h/a/b/R");
        for (repo, expected) in [
            ("r", Some(Some("b"))),
            ("r-2", Some(Some("b"))),
            ("b/r", Some(Some("a"))),
            ("a/b/r", Some(None)),
        ] {
            assert_eq!(place.known_as(repo), expected, "{repo}");
        }
        for repo in ["x", "b", "a/r", "x/a/b/r"] {
            assert_eq!(place.known_as(repo), None, "{repo}");
        }
        assert_eq!(Place::new("/w/d".into(), "").known_as("d"), Some(None));
    }
}
