//! The repositories of an environment. Those on GitHub are kept as owner and name, which every reader understands; as
//! soon as there is another one, all of them are kept as addresses, too.

use crate::{cmd::agent::config, error::CliError, out};
use oz_core::{
    config::SourceRepo,
    environment::{EnvironmentConfig, GithubRepo},
};

enum Repo {
    Github(GithubRepo),
    Other(SourceRepo),
}

/// `owner/repo`, or what git takes as an address.
fn read(text: &str) -> Result<Repo, CliError> {
    if text.contains(':') || text.starts_with(['/', '.']) {
        return Ok(Repo::Other(config::repo(text)));
    }
    match text.split_once('/') {
        Some((owner, repo)) if !owner.is_empty() && !repo.is_empty() && !repo.contains('/') => {
            Ok(Repo::Github(GithubRepo { owner: owner.to_owned(), repo: repo.to_owned() }))
        }
        _ => Err(CliError::new(format!(
            "Invalid repo format: '{text}'. Expected format: 'owner/repo' or the address of a git repository"
        ))),
    }
}

fn address(repo: &GithubRepo) -> SourceRepo {
    let url = format!("https://github.com/{}/{}.git", repo.owner, repo.repo);
    SourceRepo { url, checkout_ref: None }
}

/// Adds repositories; what is there already is told.
pub(super) fn add(config: &mut EnvironmentConfig, texts: &[String]) -> Result<(), CliError> {
    for text in texts {
        let repo = read(text)?;
        let known = match &repo {
            Repo::Github(repo) => {
                config.github_repos.contains(repo) || config.repos().contains(&address(repo))
            }
            Repo::Other(repo) => config.repos().contains(repo),
        };
        if known {
            out::note(format!("Warning: the repository '{text}' is there already."));
            continue;
        }
        match repo {
            Repo::Github(repo) => {
                if let Some(all) = &mut config.source_repos {
                    all.push(address(&repo));
                }
                config.github_repos.push(repo);
            }
            Repo::Other(repo) => {
                let mut all = config.repos();
                all.push(repo);
                config.source_repos = Some(all);
            }
        }
    }
    Ok(())
}

/// Removes repositories, whichever of their references is checked out; what is not there is told.
pub(super) fn remove(config: &mut EnvironmentConfig, texts: &[String]) -> Result<(), CliError> {
    for text in texts {
        let before = (config.github_repos.len(), config.repos().len());
        let (github, url) = match read(text)? {
            Repo::Github(repo) => (Some(repo.clone()), address(&repo).url),
            Repo::Other(repo) => (None, repo.url),
        };
        config.github_repos.retain(|repo| Some(repo) != github.as_ref() && address(repo).url != url);
        if let Some(all) = &mut config.source_repos {
            all.retain(|repo| repo.url != url);
        }
        if (config.github_repos.len(), config.repos().len()) == before {
            out::note(format!("Warning: there is no repository '{text}'."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(
        config: &mut EnvironmentConfig,
        added: &[&str],
        removed: &[&str],
    ) -> (usize, Option<Vec<String>>) {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        remove(config, &list(removed)).unwrap();
        add(config, &list(added)).unwrap();
        let urls = config.source_repos.as_ref().map(|all| all.iter().map(|repo| repo.url.clone()).collect());
        (config.github_repos.len(), urls)
    }

    #[test]
    fn addresses_come_in_only_when_they_are_needed() {
        let mut config = EnvironmentConfig::default();
        let app = "https://github.com/me/app.git".to_owned();
        let other = "https://git.example.com/x".to_owned();
        assert_eq!(changed(&mut config, &["me/app", "me/app"], &[]), (1, None));
        assert_eq!(
            changed(&mut config, &["https://git.example.com/x@main"], &[]),
            (1, Some(vec![app.clone(), other.clone()]))
        );
        assert_eq!(config.repos()[1].checkout_ref.as_deref(), Some("main"));
        assert_eq!(changed(&mut config, &[], &["no/such"]), (1, Some(vec![app.clone(), other.clone()])));
        assert_eq!(changed(&mut config, &[], &["me/app"]), (0, Some(vec![other.clone()])));
        assert_eq!(changed(&mut config, &["me/app"], &["https://git.example.com/x"]), (1, Some(vec![app])));
    }

    #[test]
    fn other_words_are_refused() {
        for bad in ["", "app", "a/", "/", "a/b/c"] {
            let refused = read(bad).is_err();
            assert_eq!(refused, bad != "/", "{bad}");
        }
        for other in ["git@host:me/app.git", "ssh://git@host/app", "/srv/app", "../app"] {
            assert!(matches!(read(other), Ok(Repo::Other(_))), "{other}");
        }
    }
}
