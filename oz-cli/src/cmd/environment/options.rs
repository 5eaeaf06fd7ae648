//! What environments are made of, as options of `create` and `update`.

use super::repos;
use crate::{
    cli::{duration, git_credential, pair, unique},
    error::CliError,
    out,
};
use clap::Args;
use oz_core::{
    config::{GitCredential, SecretRef},
    environment::{AwsProvider, EnvironmentConfig, GcpProvider, Providers},
};

/// What is set or added.
#[derive(Debug, Default, Args)]
pub(super) struct Options {
    /// The image to run in, for workers that use images
    #[arg(short, long, value_name = "IMAGE")]
    pub(super) docker_image: Option<String>,
    /// A repository: on GitHub, or at any address that git takes; repeatable
    #[arg(short, long = "repo", value_name = "OWNER/REPO|URL[@REF]")]
    pub(super) repos: Vec<String>,
    /// Run this command before the agent starts, after those that are there; repeatable
    #[arg(short = 'c', long = "setup-command", value_name = "COMMAND")]
    pub(super) setup_commands: Vec<String>,
    /// A variable of setup commands and agents, shown to everybody; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) env: Vec<(String, String)>,
    /// The secret that logs git in to a host, where the host wants one also with the name of a user; repeatable
    #[arg(long = "git-credential", value_name = "HOST=SECRET[:USER]", value_parser = git_credential)]
    pub(super) git_credentials: Vec<GitCredential>,
    /// A secret that runs may have; those that are not named they don't get; repeatable
    #[arg(long = "secret", value_name = "NAME", conflicts_with = "no_secrets")]
    pub(super) secrets: Vec<String>,
    /// Runs get no secret
    #[arg(long)]
    pub(super) no_secrets: bool,
    /// The role on Amazon Web Services that runs may assume
    #[arg(long, value_name = "ARN", value_parser = role_arn)]
    pub(super) aws_role_arn: Option<String>,
    /// The workload identity provider on Google Cloud that runs may log in with
    #[arg(long, value_name = "PROJECT_NUMBER/POOL/PROVIDER[/SERVICE_ACCOUNT]", value_parser = gcp_provider)]
    pub(super) gcp_provider: Option<GcpProvider>,
    /// The worker of runs that name none
    #[arg(long, value_name = "WORKER_ID")]
    pub(super) default_host: Option<String>,
    /// How long each setup command may take, 1s to 24h; 1h when not given
    #[arg(long, value_name = "DURATION", value_parser = setup_timeout)]
    pub(super) setup_timeout: Option<i64>,
    /// How long the session of a failed run stays open, 1m to 60m; it is torn down at once when not given
    #[arg(long, value_name = "DURATION", value_parser = minutes)]
    pub(super) retain_failed: Option<i32>,
    /// The runner of runs that name none
    #[arg(long, value_name = "UID")]
    pub(super) runner: Option<String>,
}

impl Options {
    /// Puts the options over what there is.
    pub(super) fn apply(self, config: &mut EnvironmentConfig) -> Result<(), CliError> {
        config.docker_image = self.docker_image.or(config.docker_image.take());
        repos::add(config, &self.repos)?;
        config.setup_commands.extend(self.setup_commands);
        config.environment_variables.extend(unique("--env", self.env)?);
        for credential in self.git_credentials {
            config.git_credentials.retain(|other| other.host != credential.host);
            config.git_credentials.push(credential);
        }
        if self.no_secrets {
            config.secrets = Some(Vec::new());
        } else if !self.secrets.is_empty() {
            let list = config.secrets.get_or_insert_default();
            for name in self.secrets {
                let secret = SecretRef { name };
                if list.contains(&secret) {
                    out::note(format!("Warning: the secret '{}' is there already.", secret.name));
                } else {
                    list.push(secret);
                }
            }
        }
        if self.aws_role_arn.is_some() || self.gcp_provider.is_some() {
            let providers = config.providers.get_or_insert_with(Providers::default);
            providers.aws =
                self.aws_role_arn.map(|role_arn| AwsProvider { role_arn }).or(providers.aws.take());
            providers.gcp = self.gcp_provider.or(providers.gcp.take());
        }
        config.default_worker_host = self.default_host.or(config.default_worker_host.take());
        config.setup_timeout_seconds = self.setup_timeout.or(config.setup_timeout_seconds);
        config.failure_session_retention_minutes =
            self.retain_failed.or(config.failure_session_retention_minutes);
        config.default_runner_uid = self.runner.or(config.default_runner_uid.take());
        Ok(())
    }
}

fn role_arn(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") && text.contains(":iam:") && text.contains(":role/") {
        return Ok(text.to_owned());
    }
    Err("expected the ARN of a role, for example arn:aws:iam::123456789012:role/oz".to_owned())
}

fn gcp_provider(text: &str) -> Result<GcpProvider, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (&[project, pool, provider], account) = match parts[..] {
        [a, b, c] => (&[a, b, c], None),
        [a, b, c, account] => (&[a, b, c], Some(account.to_owned())),
        _ => return Err("expected PROJECT_NUMBER/POOL/PROVIDER or one with /SERVICE_ACCOUNT".to_owned()),
    };
    if project.is_empty() || !project.bytes().all(|c| c.is_ascii_digit()) {
        return Err(format!("'{project}' is no number of a project, which has digits only"));
    }
    if parts.iter().any(|part| part.is_empty()) {
        return Err("no part may be empty".to_owned());
    }
    Ok(GcpProvider {
        project_number: project.to_owned(),
        workload_identity_federation_pool_id: pool.to_owned(),
        workload_identity_federation_provider_id: provider.to_owned(),
        service_account_email: account,
    })
}

fn setup_timeout(text: &str) -> Result<i64, String> {
    let seconds = duration(text)?.as_secs();
    match i64::try_from(seconds) {
        Ok(seconds @ 1..=86_400) => Ok(seconds),
        _ => Err("expected 1s to 24h".to_owned()),
    }
}

fn minutes(text: &str) -> Result<i32, String> {
    let seconds = duration(text)?.as_secs();
    match i32::try_from(seconds / 60) {
        Ok(minutes @ 1..=60) if seconds % 60 == 0 => Ok(minutes),
        _ => Err("expected whole minutes, 1m to 60m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_git_are_read() {
        let read = |text| git_credential(text).map(|c| (c.host, c.secret, c.username));
        let some = |host: &str, secret: &str, user: Option<&str>| {
            Ok((host.to_owned(), secret.to_owned(), user.map(str::to_owned)))
        };
        assert_eq!(read("github.com=T"), some("github.com", "T", None));
        assert_eq!(read("https://Git.Example.com:8443/=T:me"), some("git.example.com:8443", "T", Some("me")));
        for bad in ["github.com", "=T", "github.com=", "github.com=T:", "github.com=:me"] {
            assert!(read(bad).unwrap_err().contains("HOST=SECRET"), "{bad}");
        }
    }

    #[test]
    fn cloud_providers_are_read() {
        let provider = gcp_provider("12/pool/oz/a@b.iam").unwrap();
        assert_eq!(provider.project_number, "12");
        assert_eq!(provider.workload_identity_federation_provider_id, "oz");
        assert_eq!(provider.service_account_email.as_deref(), Some("a@b.iam"));
        assert_eq!(gcp_provider("12/pool/oz").unwrap().service_account_email, None);
        for bad in ["", "12/pool", "app/pool/oz", "12//oz", "12/pool/oz/", "12/a/b/c/d"] {
            assert!(gcp_provider(bad).is_err(), "{bad}");
        }
        assert!(role_arn("arn:aws:iam::1:role/oz").is_ok());
        for bad in ["oz", "arn:aws:s3:::bucket", "arn:aws:iam::1:user/me"] {
            assert!(role_arn(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_their_bounds() {
        assert_eq!((setup_timeout("90s"), minutes("1h")), (Ok(90), Ok(60)));
        for bad in ["0s", "25h", "500ms", "10"] {
            assert!(setup_timeout(bad).is_err(), "{bad}");
        }
        for bad in ["90s", "61m", "0m", "30"] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
    }
}
