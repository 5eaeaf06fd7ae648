//! What an agent gets beside its task: secrets, variables, and what logs git in.

use crate::{
    cli::{git_credential, pair, unique},
    error::CliError,
};
use clap::Args;
use oz_core::config::{AgentConfig, GitCredential, SecretRef};

/// Secrets and variables of runs on workers.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cmd) struct GrantOptions {
    /// A secret that the run gets, rather than all that it may have; repeatable
    #[arg(long = "secret", value_name = "NAME", conflicts_with = "no_secrets")]
    secrets: Vec<String>,
    /// The run gets no secrets
    #[arg(long)]
    no_secrets: bool,
    /// A variable of setup commands and agent, which everybody may read; repeatable
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Log git in to a host with a secret: HOST=SECRET, or HOST=SECRET:USER; repeatable
    #[arg(long = "git-credential", value_name = "LOGIN", value_parser = git_credential)]
    git_credentials: Vec<GitCredential>,
}

impl GrantOptions {
    /// Puts what is given over what the configuration has: another list of secrets, variables and hosts one by one.
    pub(in crate::cmd) fn apply(self, config: &mut AgentConfig) -> Result<(), CliError> {
        if self.no_secrets {
            config.secrets = Some(Vec::new());
        } else if !self.secrets.is_empty() {
            config.secrets = Some(self.secrets.into_iter().map(|name| SecretRef { name }).collect());
        }
        config.environment_variables.extend(unique("--env", self.variables)?);
        config.git_credentials.retain(|old| !self.git_credentials.iter().any(|new| new.host == old.host));
        config.git_credentials.extend(self.git_credentials);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    fn applied(options: GrantOptions) -> Result<serde_json::Value, String> {
        let mut config = AgentConfig {
            secrets: Some(vec![SecretRef { name: "OLD".into() }]),
            environment_variables: [("A", "1"), ("B", "2")].map(|(k, v)| (k.into(), v.into())).into(),
            git_credentials: vec![git_credential("github.com=OLD").unwrap()],
            ..AgentConfig::default()
        };
        options.apply(&mut config).map_err(|e| e.to_string())?;
        Ok(to_value(config).unwrap())
    }

    #[test]
    fn what_is_given_wins() {
        let before = applied(GrantOptions::default()).unwrap();
        assert_eq!(before["secrets"], json!([{ "name": "OLD" }]));
        let options = GrantOptions {
            secrets: vec!["X".into(), "Y".into()],
            variables: vec![("B".into(), "3".into()), ("C".into(), String::new())],
            git_credentials: ["github.com=NEW:bot", "git.example.com:8443=T"]
                .map(|text| git_credential(text).unwrap())
                .into(),
            ..GrantOptions::default()
        };
        assert_eq!(
            applied(options).unwrap(),
            json!({ "secrets": [{ "name": "X" }, { "name": "Y" }],
                "environment_variables": { "A": "1", "B": "3", "C": "" },
                "git_credentials": [{ "host": "github.com", "secret": "NEW", "username": "bot" },
                    { "host": "git.example.com:8443", "secret": "T" }] })
        );
        let none = applied(GrantOptions { no_secrets: true, ..GrantOptions::default() }).unwrap();
        assert_eq!(none["secrets"], json!([]));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let twice = vec![("A".to_owned(), String::new()), ("A".to_owned(), String::new())];
        let refused = applied(GrantOptions { variables: twice, ..GrantOptions::default() }).unwrap_err();
        assert_eq!(refused, "Error: --env: 'A' is there twice");
    }
}
