//! Where a checkout came from, and how a run gets it from there.

use oz_core::config::WELL_KNOWN_GIT_SECRETS;

/// How git was told to reach a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Web,
    Ssh,
    Path,
}

/// The repository that a checkout calls `origin`, without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    /// The host with its port; empty for a path.
    pub(super) host: String,
    /// What a run clones: an address of the web wherever there is one, as runs have no keys of SSH.
    pub(super) address: String,
    /// Whether it had a password or token in it.
    pub(super) had_login: bool,
}

impl Origin {
    /// Reads what `git remote get-url` says.
    pub(super) fn read(url: &str) -> Self {
        match url.split_once("://") {
            Some(("file", _)) => Self::path(url),
            Some((scheme, rest)) => {
                let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
                let (user, host) = place.rsplit_once('@').unwrap_or(("", place));
                let ssh = scheme.ends_with("ssh");
                if ssh && !host.contains(':') {
                    return Self::ssh(host, path);
                }
                Self {
                    scheme: if ssh { Scheme::Ssh } else { Scheme::Web },
                    host: host.to_ascii_lowercase(),
                    // A server with a port of its own for SSH may have none for the web.
                    address: if ssh { url.to_owned() } else { format!("{scheme}://{host}/{path}") },
                    had_login: !ssh && !user.is_empty(),
                }
            }
            None => match url.split_once(':') {
                Some((place, path)) if !place.contains('/') => {
                    Self::ssh(place.rsplit_once('@').map_or(place, |(_, host)| host), path)
                }
                _ => Self::path(url),
            },
        }
    }

    fn ssh(host: &str, path: &str) -> Self {
        let (mut host, mut path) = (host.to_ascii_lowercase(), path.trim_start_matches('/').to_owned());
        if host == "ssh.dev.azure.com" {
            let parts: Vec<&str> = path.split('/').collect();
            if let ["v3", organisation, project, repo] = parts[..] {
                (host, path) = ("dev.azure.com".to_owned(), format!("{organisation}/{project}/_git/{repo}"));
            }
        }
        Self { scheme: Scheme::Ssh, address: format!("https://{host}/{path}"), host, had_login: false }
    }

    fn path(url: &str) -> Self {
        Self { scheme: Scheme::Path, host: String::new(), address: url.to_owned(), had_login: false }
    }

    /// What `--repo` takes.
    pub(super) fn repo(&self) -> String {
        let short = self.address.strip_prefix("https://github.com/");
        let short = short.map(|path| path.trim_end_matches('/').trim_end_matches(".git"));
        short.filter(|path| path.matches('/').count() == 1).unwrap_or(&self.address).to_owned()
    }

    /// The name of the secret that logs git in to the host.
    pub(super) fn secret(&self) -> String {
        let known = WELL_KNOWN_GIT_SECRETS.iter().find(|(host, _)| *host == self.host);
        known.map_or_else(
            || {
                let letters = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
                format!("GIT_TOKEN_{}", self.host.chars().map(letters).collect::<String>())
            },
            |(_, name)| (*name).to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_of_every_kind_are_read() {
        for (url, repo, host, secret) in [
            ("https://github.com/me/app.git", "me/app", "github.com", "GITHUB_TOKEN"),
            ("git@github.com:me/app.git", "me/app", "github.com", "GITHUB_TOKEN"),
            ("ssh://git@github.com/me/app", "me/app", "github.com", "GITHUB_TOKEN"),
            ("git@gitlab.com:g/s/app.git", "https://gitlab.com/g/s/app.git", "gitlab.com", "GITLAB_TOKEN"),
            (
                "git@ssh.dev.azure.com:v3/o/p/r",
                "https://dev.azure.com/o/p/_git/r",
                "dev.azure.com",
                "AZURE_DEVOPS_TOKEN",
            ),
            (
                "https://me:hunter2@git.Example.com:8443/x",
                "https://git.Example.com:8443/x",
                "git.example.com:8443",
                "GIT_TOKEN_GIT_EXAMPLE_COM_8443",
            ),
            (
                "ssh://git@git.example.com:2222/x.git",
                "ssh://git@git.example.com:2222/x.git",
                "git.example.com:2222",
                "GIT_TOKEN_GIT_EXAMPLE_COM_2222",
            ),
            ("/srv/git/app.git", "/srv/git/app.git", "", "GIT_TOKEN_"),
            ("file:///srv/app", "file:///srv/app", "", "GIT_TOKEN_"),
        ] {
            let origin = Origin::read(url);
            assert_eq!((&*origin.repo(), &*origin.host, &*origin.secret()), (repo, host, secret), "{url}");
            assert_eq!(origin.had_login, url.contains("hunter2"), "{url}");
        }
    }
}
