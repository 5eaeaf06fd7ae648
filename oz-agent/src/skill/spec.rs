//! How a configuration names a skill: `name`, `path/SKILL.md`, and either after `repo:` or `org/repo:`.

use super::{FILE, Skill};
use oz_core::Error;

/// The longest name of an owner or a repository.
const NAME: usize = 100;

/// Which skill is meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    /// As it was written.
    pub(super) text: String,
    pub(super) org: Option<String>,
    pub(super) repo: Option<String>,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Name(String),
    /// The path of its file in its repository.
    Path(String),
    /// A path that is in no repository.
    Elsewhere,
}

impl Spec {
    /// Reads a specification.
    ///
    /// # Errors
    /// `invalid_request` when a part of it is empty.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let full = |part: &str| Some(part.trim().to_owned()).filter(|part| !part.is_empty());
        let empty = || {
            Error::invalid_field("skill", text, "name, repo:name, repo:path, org/repo:name or org/repo:path")
        };
        let (qualifier, identifier) = match text.split_once(':') {
            Some((qualifier, identifier)) => (Some(qualifier), identifier),
            None => (None, text),
        };
        let (org, repo) = match qualifier.map(|qualifier| qualifier.split_once('/').ok_or(qualifier)) {
            Some(Ok((org, repo))) => {
                (Some(full(org).ok_or_else(empty)?), Some(full(repo).ok_or_else(empty)?))
            }
            Some(Err(repo)) => (None, Some(full(repo).ok_or_else(empty)?)),
            None => (None, None),
        };
        let identifier = full(identifier).ok_or_else(empty)?;
        Ok(Self { text: text.trim().to_owned(), org, repo, what: What::of(identifier) })
    }

    /// The path of the skill's file in its repository, when that is how it is named.
    pub(crate) fn path(&self) -> Option<&str> {
        match &self.what {
            What::Path(path) => Some(path),
            What::Name(_) | What::Elsewhere => None,
        }
    }

    /// Whether it is named by a path that leads out of every repository.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.what == What::Elsewhere
    }

    /// The repository at GitHub that it names in full.
    ///
    /// # Errors
    /// When it names an owner, but what it names can't be a repository there.
    pub(crate) fn at_github(&self) -> Result<Option<(&str, &str)>, Error> {
        let (Some(org), Some(repo)) = (&self.org, &self.repo) else { return Ok(None) };
        let fits = |part: &str| {
            let legal = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            legal && part.len() <= NAME && !part.starts_with(['-', '.'])
        };
        if fits(org) && fits(repo) {
            return Ok(Some((org, repo)));
        }
        Err(Error::invalid_field(
            "skill",
            &self.text,
            "a repository of GitHub before the colon, such as owner/repo",
        ))
    }

    /// The one of `skills` that is meant.
    pub(super) fn choose<'a>(&self, skills: &'a [Skill]) -> Option<&'a Skill> {
        match &self.what {
            What::Name(name) => {
                let by_name = skills.iter().find(|skill| skill.name() == name);
                by_name.or_else(|| skills.iter().find(|skill| skill.directory() == name))
            }
            What::Path(path) => skills.iter().find(|skill| skill.path == *path),
            What::Elsewhere => None,
        }
    }
}

impl What {
    fn of(identifier: String) -> Self {
        if !identifier.contains('/') {
            return Self::Name(identifier);
        }
        let parts: Vec<&str> = identifier.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        match parts.as_slice() {
            _ if identifier.starts_with('/') || parts.contains(&"..") => Self::Elsewhere,
            [.., file] if file.ends_with(".md") => Self::Path(parts.join("/")),
            _ => Self::Path([parts.as_slice(), &[FILE]].concat().join("/")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::ErrorCode;
    use proptest::prelude::*;

    #[test]
    fn the_table() {
        let name = |n: &str| What::Name(n.into());
        let path = |p: &str| What::Path(p.into());
        for (text, org, repo, what) in [
            ("fix", None, None, name("fix")),
            (" fix ", None, None, name("fix")),
            ("r:fix", None, Some("r"), name("fix")),
            ("o / r : fix", Some("o"), Some("r"), name("fix")),
            ("a/b/c:fix", Some("a"), Some("b/c"), name("fix")),
            ("o/r:a:b", Some("o"), Some("r"), name("a:b")),
            ("x/SKILL.md", None, None, path("x/SKILL.md")),
            ("r:./x//y/", None, Some("r"), path("x/y/SKILL.md")),
            ("o/r:x/y.md", Some("o"), Some("r"), path("x/y.md")),
            ("r:/etc/x.md", None, Some("r"), What::Elsewhere),
            ("r:../x.md", None, Some("r"), What::Elsewhere),
        ] {
            let spec = Spec::parse(text).unwrap();
            assert_eq!((spec.org.as_deref(), spec.repo.as_deref(), spec.what), (org, repo, what), "{text:?}");
        }
        for text in ["", " ", ":fix", "r:", "/r:fix", "o/:fix", " / : "] {
            assert_eq!(Spec::parse(text).unwrap_err().code, ErrorCode::InvalidRequest, "{text:?}");
        }
    }

    #[test]
    fn only_what_can_be_a_repository_of_github_is_looked_for_there() {
        let at = |text: &str| Spec::parse(text).unwrap().at_github().map(|found| found.is_some()).ok();
        for (text, expected) in [
            ("o/r:fix", Some(true)),
            ("o-1/r.js_2:x/SKILL.md", Some(true)),
            ("fix", Some(false)),
            ("r:fix", Some(false)),
            ("a/b/c:fix", None),
            ("--upload-pack=touch x/r:fix", None),
            ("o/--upload-pack=x:fix", None),
            ("-o/r:fix", None),
            ("../r:fix", None),
            ("o/..:fix", None),
            ("o/../../r:fix", None),
            ("ext::sh -c x/r:fix", Some(false)),
            ("o/r@main:fix", None),
            ("o/r\n:fix", Some(true)),
            ("o/r\nx:fix", None),
        ] {
            assert_eq!(at(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[a-z:/. ]{0,20}|\\PC*") {
            if let Ok(spec) = Spec::parse(&text) {
                prop_assert!(spec.path().is_none_or(|path| !path.starts_with('/') && path.ends_with(".md")));
            }
        }
    }
}
