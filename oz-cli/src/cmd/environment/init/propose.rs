//! The proposal: what an environment for some checkouts is made of, and why. It decides from what was seen of them alone.

use super::{
    checkout::{Checkout, Login},
    image,
    language::{self, Project},
    origin::{Origin, Scheme},
};
use crate::{cmd::environment::repos, error::CliError};
use oz_core::{config::GitCredential, environment::EnvironmentConfig};
use serde::Serialize;

/// An environment, with the reasons for each of its parts.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) config: EnvironmentConfig,
    pub(super) reasons: Vec<Reason>,
}

/// Why something was chosen, or what there is to know where nothing was.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Reason {
    /// Which part of the environment.
    pub(super) what: &'static str,
    /// What was chosen.
    pub(super) choice: Option<String>,
    /// Why.
    pub(super) why: String,
}

/// Proposes an environment.
pub(super) fn propose(name: Option<&str>, checkouts: &[Checkout]) -> Result<Proposal, CliError> {
    let mut proposal = Proposal { config: EnvironmentConfig::default(), reasons: Vec::new() };
    let mut projects = Vec::new();
    for checkout in checkouts {
        proposal.add_repository(checkout)?;
        projects.push(language::projects(&checkout.tree));
    }
    let directories = directories(&proposal.config);
    proposal.config.name =
        name.map(str::to_owned).or(directories.first().cloned()).unwrap_or("app".to_owned());
    proposal.add_image(checkouts, &projects);
    for (i, found) in projects.iter().enumerate() {
        let clone = (checkouts.len() > 1).then(|| directories.get(i).map(String::as_str)).flatten();
        found.iter().for_each(|project| proposal.add_setup(clone, project));
    }
    checkouts.iter().for_each(|checkout| proposal.add_login(checkout));
    Ok(proposal)
}

/// The directories that a run clones into.
fn directories(config: &EnvironmentConfig) -> Vec<String> {
    config.repos().iter().map(oz_core::config::SourceRepo::directory).collect()
}

impl Proposal {
    fn because(&mut self, what: &'static str, choice: Option<&str>, why: impl Into<String>) {
        self.reasons.push(Reason { what, choice: choice.map(str::to_owned), why: why.into() });
    }

    fn add_repository(&mut self, checkout: &Checkout) -> Result<(), CliError> {
        let Some(origin) = &checkout.origin else {
            let text = format!("'{}' has no remote named origin to clone from", checkout.root.display());
            return Err(CliError::new(text).hint("add one with `git remote add origin URL`, and push to it"));
        };
        let (reference, why) = reference(checkout);
        let repo = reference.map_or_else(|| origin.repo(), |name| format!("{}@{name}", origin.repo()));
        repos::add(&mut self.config, std::slice::from_ref(&repo))?;
        self.because("repository", Some(&repo), format!("{}; {why}", came(origin)));
        Ok(())
    }

    fn add_image(&mut self, checkouts: &[Checkout], projects: &[Vec<Project>]) {
        let all: Vec<&Project> = projects.iter().flatten().collect();
        let named = checkouts.iter().find_map(|checkout| image::of_dev_container(&checkout.tree));
        let (image, why) = named.unwrap_or_else(|| image::of_languages(&all));
        self.because("image", Some(&image), why);
        self.config.docker_image = Some(image);
        for (file, why) in checkouts.iter().flat_map(|checkout| image::recipes(&checkout.tree)) {
            self.because("image", None, format!("{file} is there: {why}"));
        }
    }

    fn add_setup(&mut self, clone: Option<&str>, project: &Project) {
        let Some((command, why)) = &project.needs.setup else { return };
        let parts =
            clone.into_iter().chain(Some(&*project.directory).filter(|directory| !directory.is_empty()));
        let directory = parts.collect::<Vec<_>>().join("/");
        let command = match &*directory {
            "" => command.clone(),
            directory => format!("cd {} && {command}", super::command::quoted(directory)),
        };
        if !self.config.setup_commands.contains(&command) {
            self.because("setup command", Some(&command), why);
            self.config.setup_commands.push(command);
        }
    }

    fn add_login(&mut self, checkout: &Checkout) {
        let Some(origin) = checkout.origin.as_ref().filter(|origin| !origin.host.is_empty()) else { return };
        if self.config.git_credentials.iter().any(|known| known.host == origin.host) {
            return;
        }
        let secret = origin.secret();
        let store = format!("store a token that may read it with `oz secret create {secret}`");
        match checkout.login {
            Login::NotNeeded => {}
            Login::Unknown => {
                let why = format!(
                    "{} did not say whether it wants a login; if it does, {store} and pass --git-credential {}={secret}",
                    origin.host, origin.host
                );
                self.because("git login", None, why);
            }
            Login::Needed => {
                let choice = format!("{}={secret}", origin.host);
                let why = format!("{} gives this repository to nobody without a login; {store}", origin.host);
                self.because("git login", Some(&choice), why);
                let host = origin.host.clone();
                self.config.git_credentials.push(GitCredential { host, secret, username: None });
            }
        }
    }
}

/// How the address came about.
fn came(origin: &Origin) -> &'static str {
    match origin.scheme {
        Scheme::Web if origin.had_login => "origin names it, with a login that is left out",
        Scheme::Web => "origin names it",
        Scheme::Ssh if origin.address.starts_with("https://") => {
            "origin names it for SSH, whose keys runs don't have: this is its address on the web"
        }
        Scheme::Ssh => {
            "origin names it for SSH, whose keys runs don't have: pass its address on the web instead"
        }
        Scheme::Path => "origin is a directory, which only workers on this machine reach",
    }
}

/// The reference to check out, and why. Runs clone the default branch unless told otherwise.
fn reference(checkout: &Checkout) -> (Option<&str>, String) {
    let Some(branch) = checkout.branch.as_deref() else {
        return (None, "no branch is checked out here, so that runs get the default one".to_owned());
    };
    let default = match &checkout.default_branch {
        Some(default) => branch == default,
        None => matches!(branch, "main" | "master"),
    };
    if default {
        return (None, format!("'{branch}' is its default branch"));
    }
    if !checkout.pushed {
        let why = format!(
            "'{branch}' is not known to be at origin, so that runs get the default branch: push it and add @{branch}"
        );
        return (None, why);
    }
    (Some(branch), format!("'{branch}' is checked out here and is not its default branch"))
}
