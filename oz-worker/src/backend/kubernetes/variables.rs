//! The environment of an agent, told apart into what anybody may read and what is kept in a Secret.

use super::{settings::Settings, sidecar::WORKSPACE};
use crate::{
    Credentials,
    environment::{self, Environment, Place},
    job::Job,
    redact::Secrets,
};
use oz_core::env;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where a setup command writes variables for the agent.
const FILE: &str = "/workspace/.oz-env";

/// The variables of one run.
#[derive(Debug, Default)]
pub(super) struct Variables {
    plain: BTreeMap<String, String>,
    /// By name, which is also the key in the Secret.
    pub(super) secret: BTreeMap<String, String>,
    /// The values to keep out of messages and logs.
    pub(super) secrets: Secrets,
}

impl Variables {
    /// # Errors
    /// The name of a variable that no pod can have.
    pub(super) fn of(
        job: &Job,
        host: &Environment,
        settings: &Settings,
        limited: bool,
    ) -> Result<Self, String> {
        let place = Place {
            backend: "kubernetes",
            workspace: WORKSPACE.into(),
            environment_file: Some(FILE.into()),
            git_config: None,
        };
        let common = environment::common(job, &settings.environment, &place);
        let all = environment::of_container(host, job, &common);
        let mut variables = Self { secrets: all.secrets(), ..Self::default() };
        for (name, value) in all.iter() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                return Err(format!("the variable {} of the agent is not UTF-8", name.display()));
            };
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                return Err(format!(
                    "the agent is to get a variable '{}', but pods take letters, digits, '-', '_' and '.' only",
                    name.escape_debug()
                ));
            }
            let inline = settings.config.credentials == Credentials::Inline || is_plain(name);
            let to = if inline { &mut variables.plain } else { &mut variables.secret };
            to.insert(name.to_owned(), value.to_owned());
        }
        // What the operator gives to the agent by the template is meant for its commands, too.
        let passed = variables.plain.entry(env::AGENT_ENV_PASS.to_owned()).or_default();
        let names: Vec<&str> = env::listed(passed).chain(settings.template_variables()).collect();
        *passed = names.join(",");
        if limited {
            variables.plain.insert(env::SANDBOX_LIMITED.to_owned(), "1".to_owned());
        }
        Ok(variables)
    }

    /// The `env` of a container; secrets are looked up in this Secret.
    pub(super) fn entries(&self, secret: &str) -> Vec<Value> {
        let plain = self.plain.iter().map(|(name, value)| json!({ "name": name, "value": literal(value) }));
        let secret = self.secret.keys().map(
            |name| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": name } } }),
        );
        plain.chain(secret).collect()
    }
}

fn is_plain(name: &str) -> bool {
    name == env::AGENT_ENV_PASS || env::OF_RUN.contains(&name)
}

/// A text that reaches the container as it is: the cluster would replace `$(NAME)` in it and make one `$` of two.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
