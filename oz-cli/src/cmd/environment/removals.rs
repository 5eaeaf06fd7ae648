//! What `update` takes away from an environment.

use super::repos;
use crate::{error::CliError, out};
use clap::Args;
use oz_core::environment::{EnvironmentConfig, Providers};

/// What is removed. What is not there is told, and is no failure.
#[derive(Debug, Default, Args)]
pub(super) struct Removals {
    /// Remove its description
    #[arg(long, conflicts_with = "description")]
    pub(super) remove_description: bool,
    /// Remove its image
    #[arg(long, conflicts_with = "docker_image")]
    pub(super) remove_docker_image: bool,
    /// Remove a repository; repeatable
    #[arg(long = "remove-repo", value_name = "OWNER/REPO|URL")]
    pub(super) remove_repos: Vec<String>,
    /// Remove a command; repeatable
    #[arg(long = "remove-setup-command", value_name = "COMMAND")]
    pub(super) remove_setup_commands: Vec<String>,
    /// Remove a variable; repeatable
    #[arg(long, value_name = "KEY")]
    pub(super) remove_env: Vec<String>,
    /// Remove what logs git in to a host; repeatable
    #[arg(long = "remove-git-credential", value_name = "HOST")]
    pub(super) remove_git_credentials: Vec<String>,
    /// Remove a secret from those that runs may have; repeatable
    #[arg(long = "remove-secret", value_name = "NAME", conflicts_with = "no_secrets")]
    pub(super) remove_secrets: Vec<String>,
    /// Runs get all secrets in scope again
    #[arg(long, conflicts_with_all = ["secrets", "no_secrets", "remove_secrets"])]
    pub(super) all_secrets: bool,
    /// Remove the role on Amazon Web Services
    #[arg(long, conflicts_with = "aws_role_arn")]
    pub(super) remove_aws_role_arn: bool,
    /// Remove the provider on Google Cloud
    #[arg(long, conflicts_with = "gcp_provider")]
    pub(super) remove_gcp_provider: bool,
    /// Remove the worker of runs that name none
    #[arg(long, conflicts_with = "default_host")]
    pub(super) remove_default_host: bool,
    /// Let setup commands take the usual hour again
    #[arg(long, conflicts_with = "setup_timeout")]
    pub(super) remove_setup_timeout: bool,
    /// Tear failed sessions down at once again
    #[arg(long, conflicts_with = "retain_failed")]
    pub(super) remove_retain_failed: bool,
    /// Remove the runner of runs that name none
    #[arg(long, conflicts_with = "runner")]
    pub(super) remove_runner: bool,
}

impl Removals {
    /// Takes away what is named.
    pub(super) fn apply(&self, config: &mut EnvironmentConfig) -> Result<(), CliError> {
        clear(self.remove_description, &mut config.description);
        clear(self.remove_docker_image, &mut config.docker_image);
        clear(self.remove_default_host, &mut config.default_worker_host);
        clear(self.remove_setup_timeout, &mut config.setup_timeout_seconds);
        clear(self.remove_retain_failed, &mut config.failure_session_retention_minutes);
        clear(self.remove_runner, &mut config.default_runner_uid);
        clear(self.all_secrets, &mut config.secrets);
        if let Some(providers) = &mut config.providers {
            clear(self.remove_aws_role_arn, &mut providers.aws);
            clear(self.remove_gcp_provider, &mut providers.gcp);
        }
        config.providers.take_if(|providers| *providers == Providers::default());
        repos::remove(config, &self.remove_repos)?;
        remove("setup command", &self.remove_setup_commands, &mut config.setup_commands, |command| command);
        remove("login of git for", &self.remove_git_credentials, &mut config.git_credentials, |c| &c.host);
        for key in &self.remove_env {
            if config.environment_variables.remove(key).is_none() {
                missing("variable", key);
            }
        }
        match &mut config.secrets {
            Some(list) => remove("secret", &self.remove_secrets, list, |secret| &secret.name),
            None => self.remove_secrets.iter().for_each(|name| {
                out::note(format!(
                    "Warning: there is no list to remove the secret '{name}' from: runs get all secrets in scope."
                ));
            }),
        }
        Ok(())
    }
}

fn clear<T>(wanted: bool, field: &mut Option<T>) {
    if wanted {
        *field = None;
    }
}

fn remove<T>(what: &str, names: &[String], list: &mut Vec<T>, name: impl Fn(&T) -> &String) {
    for unwanted in names {
        let count = list.len();
        list.retain(|item| name(item) != unwanted);
        if list.len() == count {
            missing(what, unwanted);
        }
    }
}

fn missing(what: &str, name: &str) {
    out::note(format!("Warning: there is no {what} '{name}'."));
}
