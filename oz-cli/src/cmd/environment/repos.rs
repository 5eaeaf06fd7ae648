//! The repositories of an environment. Those on GitHub are kept as owner and name, which every reader understands; as
//! soon as there is another one, all of them are kept as addresses, too.

use crate::{cmd::agent::config, error::CliError, out};
use oz_core::{
    config::SourceRepo,
    environment::{EnvironmentConfig, GithubRepo},
};

#[derive(Debug, PartialEq)]
enum Repo {
    Github(GithubRepo),
    Other(SourceRepo),
}

/// `owner/repo`, or what git takes as an address, with `@REF` after either. The address of a repository on GitHub means
/// the same as its short form.
fn read(text: &str) -> Result<Repo, CliError> {
    if text.contains("://") {
        let repo = config::repo(text);
        no_login(&repo.url)?;
        let path = repo.url.strip_prefix("https://github.com/").filter(|_| repo.checkout_ref.is_none());
        let short = path.and_then(|path| short(path.trim_end_matches('/').trim_end_matches(".git")));
        return Ok(short.map_or(Repo::Other(repo), Repo::Github));
    }
    if text.contains(':') && !text.starts_with('@') || text.starts_with(['/', '.']) {
        return Ok(Repo::Other(config::repo(text)));
    }
    let (name, reference) = text.split_once('@').map_or((text, None), |(name, rest)| (name, Some(rest)));
    match (short(name), reference) {
        (Some(repo), None) => Ok(Repo::Github(repo)),
        (Some(repo), Some(reference)) if !reference.is_empty() => {
            Ok(Repo::Other(SourceRepo { checkout_ref: Some(reference.to_owned()), ..address(&repo) }))
        }
        _ => {
            let error = CliError::new(format!(
                "Invalid repo format: '{text}'. Expected format: 'owner/repo' or the address of a git repository"
            ));
            let host = name.split('/').next().is_some_and(|host| host.contains('.'));
            Err(if host { error.hint(format!("did you mean 'https://{text}'?")) } else { error })
        }
    }
}

fn short(text: &str) -> Option<GithubRepo> {
    let (owner, repo) = text.split_once('/')?;
    let legal = !owner.is_empty() && !repo.is_empty() && !repo.contains('/');
    legal.then(|| GithubRepo { owner: owner.to_owned(), repo: repo.to_owned() })
}

/// Environments are shown to everybody, so that no address may hold a password or a token.
fn no_login(url: &str) -> Result<(), CliError> {
    let login = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    let Some((user, host)) = login else { return Ok(()) };
    let token = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-"].iter().any(|begin| user.starts_with(begin));
    if !token && !user.contains(':') {
        return Ok(());
    }
    let text = format!("the address of the repository at {host} holds a password, which everybody would see");
    let hint =
        format!("leave it out, store it with `oz secret create NAME`, and pass --git-credential {host}=NAME");
    Err(CliError::new(text).hint(hint))
}

fn address(repo: &GithubRepo) -> SourceRepo {
    let url = format!("https://github.com/{}/{}.git", repo.owner, repo.repo);
    SourceRepo { url, checkout_ref: None }
}

/// Adds repositories. What is there already is told; one that is there with another reference gets the new one.
pub(in crate::cmd) fn add(config: &mut EnvironmentConfig, texts: &[String]) -> Result<(), CliError> {
    for text in texts {
        let repo = read(text)?;
        let source = match &repo {
            Repo::Github(repo) => address(repo),
            Repo::Other(repo) => repo.clone(),
        };
        let mut all = config.repos();
        if all.contains(&source) {
            out::note(format!("Warning: the repository '{text}' is there already."));
            continue;
        }
        let before = all.len();
        all.retain(|other| other.url != source.url);
        if all.len() < before {
            let reference = source.checkout_ref.as_deref().unwrap_or("its default branch");
            out::note(format!("The repository '{}' is now at {reference}.", source.url));
            config.github_repos.retain(|other| address(other).url != source.url);
        }
        all.push(source);
        match repo {
            Repo::Github(repo) => {
                config.github_repos.push(repo);
                if config.source_repos.is_some() {
                    config.source_repos = Some(all);
                }
            }
            Repo::Other(_) => config.source_repos = Some(all),
        }
    }
    Ok(())
}

/// Removes repositories, whichever of their references is checked out; what is not there is told.
pub(super) fn remove(config: &mut EnvironmentConfig, texts: &[String]) -> Result<(), CliError> {
    for text in texts {
        let before = (config.github_repos.len(), config.repos().len());
        let url = match read(text)? {
            Repo::Github(repo) => address(&repo).url,
            Repo::Other(repo) => repo.url,
        };
        config.github_repos.retain(|repo| address(repo).url != url);
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
        assert_eq!(
            changed(&mut config, &["https://github.com/me/app"], &["https://git.example.com/x"]),
            (1, Some(vec![app.clone()]))
        );
        assert_eq!(changed(&mut config, &["me/app@dev"], &[]), (0, Some(vec![app])));
        assert_eq!(config.repos()[0].checkout_ref.as_deref(), Some("dev"));
        assert_eq!(changed(&mut config, &[], &["me/app"]), (0, Some(vec![])));
    }

    #[test]
    fn repositories_of_every_host_are_read() {
        let github =
            |owner: &str, repo: &str| Repo::Github(GithubRepo { owner: owner.into(), repo: repo.into() });
        let other = |url: &str, reference: Option<&str>| {
            Repo::Other(SourceRepo { url: url.into(), checkout_ref: reference.map(str::to_owned) })
        };
        for (text, expected) in [
            ("me/app", github("me", "app")),
            ("https://github.com/me/app", github("me", "app")),
            ("https://github.com/me/app.git/", github("me", "app")),
            ("me/app@fix/it", other("https://github.com/me/app.git", Some("fix/it"))),
            ("https://github.com/me/app@v1", other("https://github.com/me/app", Some("v1"))),
            ("git@github.com:me/app.git", other("git@github.com:me/app.git", None)),
            ("https://gitlab.com/group/sub/app.git", other("https://gitlab.com/group/sub/app.git", None)),
            ("https://me@bitbucket.org/me/app@main", other("https://me@bitbucket.org/me/app", Some("main"))),
            ("https://o@dev.azure.com/o/p/_git/r", other("https://o@dev.azure.com/o/p/_git/r", None)),
            ("git@ssh.dev.azure.com:v3/o/p/r@x", other("git@ssh.dev.azure.com:v3/o/p/r", Some("x"))),
            ("ssh://git@host:2222/app@main", other("ssh://git@host:2222/app", Some("main"))),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        let error = read("gitlab.com/group/app").unwrap_err().to_string();
        assert!(error.ends_with("did you mean 'https://gitlab.com/group/app'?"), "{error}");
    }

    #[test]
    fn no_address_holds_a_password() {
        for text in ["https://me:hunter2@git.example.com/x", "https://ghp_hunter2@github.com/me/app"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("--git-credential") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn other_words_are_refused() {
        for bad in ["", "app", "a/", "/", "a/b/c", "a/b@", "@a/b"] {
            let refused = read(bad).is_err();
            assert_eq!(refused, bad != "/", "{bad}");
        }
        for other in ["git@host:me/app.git", "ssh://git@host/app", "/srv/app", "../app"] {
            assert!(matches!(read(other), Ok(Repo::Other(_))), "{other}");
        }
    }
}
