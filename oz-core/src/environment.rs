//! Environments: what a run finds prepared when its agent starts.

use crate::{
    Error,
    config::{GitCredential, SecretRef, SourceRepo},
    open::open_enum,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Id that a filter uses for runs without an environment.
pub const EMPTY_ENVIRONMENT: &str = "empty-environment";

/// What an environment is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentConfig {
    /// Its name.
    pub name: String,
    /// What it is for; at most 240 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// The image to run in, for workers that use images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_image: Option<String>,
    /// Repositories on GitHub.
    #[serde(default)]
    pub github_repos: Vec<GithubRepo>,
    /// (+) Repositories anywhere; stands in for `github_repos` when present, even when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repos: Option<Vec<SourceRepo>>,
    /// Commands to run, in order, before the agent starts.
    #[serde(default)]
    pub setup_commands: Vec<String>,
    /// Cloud providers that runs may log in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Providers>,
    /// Secrets that runs may have: absent means all in scope, an empty list none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// Minutes that a failed session stays open, 1 to 60; absent means that it is torn down at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_session_retention_minutes: Option<i32>,
    /// Runner of runs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_runner_uid: Option<String>,
    /// (+) Environment variables of setup commands and agents. They are shown to everybody: use secrets for the rest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment_variables: BTreeMap<String, String>,
    /// (+) Secrets that log git in, each to one host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git_credentials: Vec<GitCredential>,
    /// (+) Worker of runs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_worker_host: Option<String>,
    /// (+) Seconds that each setup command may take, 1 to 86400; 3600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_timeout_seconds: Option<i64>,
}

/// A repository on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GithubRepo {
    /// User or organisation.
    pub owner: String,
    /// Name.
    pub repo: String,
}

/// Cloud providers that runs may log in to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Providers {
    /// Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<GcpProvider>,
    /// Amazon Web Services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsProvider>,
}

/// Workload identity federation with Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GcpProvider {
    /// Number of the project.
    pub project_number: String,
    /// The pool.
    pub workload_identity_federation_pool_id: String,
    /// The provider in the pool.
    pub workload_identity_federation_provider_id: String,
    /// The service account to act as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_email: Option<String>,
}

/// A role of Amazon Web Services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AwsProvider {
    /// The role to assume.
    pub role_arn: String,
}

open_enum! {
    /// By what a list of environments is sorted.
    EnvironmentSort {
        /// Name.
        Name = "name",
        /// Time of the last change, newest first.
        LastUpdated = "last_updated",
    }
}

impl EnvironmentConfig {
    /// The repositories to clone.
    #[must_use]
    pub fn repos(&self) -> Vec<SourceRepo> {
        match &self.source_repos {
            Some(repos) => repos.clone(),
            None => self
                .github_repos
                .iter()
                .map(|r| SourceRepo {
                    url: format!("https://github.com/{}/{}.git", r.owner, r.repo),
                    checkout_ref: None,
                })
                .collect(),
        }
    }

    /// Checks what the types can't.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `config` and its value.
    pub fn validate(&self) -> Result<(), Error> {
        if self.name.trim().is_empty() || self.name.len() > 128 {
            return Err(Error::invalid_field("config.name", &self.name, "1 to 128 bytes"));
        }
        if let Some(text) = self.description.as_ref().filter(|d| d.chars().count() > 240) {
            return Err(Error::invalid_field("config.description", text, "at most 240 characters"));
        }
        let part = |s: &str| {
            !s.is_empty()
                && s.len() <= 100
                && !s.starts_with('-')
                && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        for (i, repo) in self.github_repos.iter().enumerate() {
            if !part(&repo.owner) || !part(&repo.repo) {
                let text = format!("{}/{}", repo.owner, repo.repo);
                return Err(Error::invalid_field(
                    &format!("config.github_repos[{i}]"),
                    &text,
                    "owner and repo",
                ));
            }
        }
        crate::config::check_repos("config.source_repos", self.source_repos.as_deref().unwrap_or_default())?;
        crate::config::check_variables("config.environment_variables", &self.environment_variables)?;
        crate::config::check_git_credentials("config.git_credentials", &self.git_credentials)?;
        crate::config::check_setup_timeout("config.setup_timeout_seconds", self.setup_timeout_seconds)?;
        crate::secret::check_refs("config.secrets", self.secrets.as_deref().unwrap_or_default())?;
        if let Some(minutes) = self.failure_session_retention_minutes
            && !(1..=60).contains(&minutes)
        {
            return Err(Error::invalid_field(
                "config.failure_session_retention_minutes",
                &minutes.to_string(),
                "1 to 60",
            ));
        }
        Ok(())
    }
}
