//! What a run was given to log in with: which variables it becomes, who may use them, and what must never be shown. Pure.

use super::{
    auth, environment,
    git::{self, Login, Logins},
};
use oz_core::{
    api::{RunCredentials, RunModelEndpoint, RunSecret},
    config::{AgentConfig, SourceRepo},
    env,
    secret::{self, SecretKind},
};
use std::{collections::BTreeMap, mem};

type Variables = BTreeMap<String, String>;

/// What typed secrets set beside what is secret.
const COMPANIONS: &[&str] =
    &[env::ANTHROPIC_BASE_URL, env::OPENAI_BASE_URL, "AWS_REGION", "CLAUDE_CODE_USE_BEDROCK"];
/// The key of each model provider, and what says where it goes.
const ADDRESSES: &[(&str, &str)] =
    &[(env::ANTHROPIC_API_KEY, env::ANTHROPIC_BASE_URL), (env::OPENAI_API_KEY, env::OPENAI_BASE_URL)];
/// Keys of the host that are shorter are words that stand in for one, such as those of local model servers.
const KEY: usize = 16;

/// What a run was given.
pub(super) struct Keys {
    /// Not secret: set by the environment of the run for all to see.
    plain: Variables,
    secrets: Vec<RunSecret>,
    /// Those that become no variables.
    reserved: Vec<RunSecret>,
    /// The names of what was asked for and not given.
    pub(super) missing: Vec<String>,
    pub(super) logins: Logins,
    pub(super) endpoints: Vec<RunModelEndpoint>,
}

impl Keys {
    /// What credentials and configuration give. What is secret in the configuration's addresses moves from there to the
    /// logins.
    pub(super) fn new(credentials: RunCredentials, config: &mut AgentConfig) -> Self {
        let RunCredentials { secrets, reserved, git, model_endpoints, missing } = credentials;
        let mut logins: Vec<Login> = git.into_iter().map(Login::from).collect();
        for SourceRepo { url, .. } in &mut config.source_repos {
            let (clean, login) = git::apart(url);
            *url = clean;
            logins.extend(login);
        }
        Self {
            plain: mem::take(&mut config.environment_variables),
            secrets,
            reserved,
            missing,
            logins: Logins(logins),
            endpoints: model_endpoints,
        }
    }

    /// What the configuration of the run sets for all to see.
    pub(super) fn plain(&self) -> &Variables {
        &self.plain
    }

    /// The value of the secret with this name, for whoever may name secrets in texts: logins of MCP servers are not for
    /// that.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut all = self.reserved.iter().chain(&self.secrets);
        let login = all.any(|secret| secret.name == name && secret.kind == SecretKind::McpOauth);
        self.value(name).filter(|_| !login)
    }

    /// The value of the secret with this name; `None` when it was not given or holds more than one.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let secret = self.reserved.iter().chain(&self.secrets).find(|secret| secret.name == name)?;
        let typed = is_typed(&secret.kind);
        let mut values =
            secret.variables.iter().filter(|(name, _)| !(typed && COMPANIONS.contains(&name.as_str())));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The names of what was given.
    pub(super) fn given(&self) -> Vec<&str> {
        self.secrets.iter().map(|secret| secret.name.as_str()).collect()
    }

    /// The variables of one secret.
    pub(super) fn secret(&self, name: &str) -> Option<&Variables> {
        let mut all = self.secrets.iter().chain(&self.reserved);
        all.find(|secret| secret.name == name).map(|secret| &secret.variables)
    }

    /// The environment of commands on top of `base`, which wins; then come typed secrets, others, and what the run's
    /// environment sets (cli.md 11.7).
    pub(super) fn variables(&self, base: &Variables) -> Variables {
        let mut all = self.plain.clone();
        let for_commands = self.secrets.iter().filter(|secret| secret.kind != SecretKind::McpOauth);
        let (typed, raw): (Vec<_>, Vec<_>) = for_commands.partition(|secret| is_typed(&secret.kind));
        let dotenv = |secret: &&RunSecret| secret.kind == SecretKind::Dotenv;
        for secret in raw.iter().filter(|s| dotenv(s)).chain(raw.iter().filter(|s| !dotenv(s))) {
            all.extend(secret.variables.clone());
        }
        all.extend(base.clone());
        // A key goes where its secret says: never one of the two without the other.
        for RunSecret { variables, .. } in typed {
            if !variables.keys().any(|name| base.contains_key(name) && !COMPANIONS.contains(&name.as_str())) {
                all.extend(variables.clone());
            }
        }
        all.retain(|name, value| {
            base.contains_key(name) || !(secret::is_reserved(name) || value.contains('\0'))
        });
        all
    }

    /// Takes what is secret out of the environment of commands.
    pub(super) fn take_secrets(&self, env: &mut Variables) -> Variables {
        let mut taken = Variables::new();
        for RunSecret { kind, variables, .. } in &self.secrets {
            for (name, value) in variables {
                let hidden = !(is_typed(kind) && COMPANIONS.contains(&name.as_str()));
                if hidden && env.get(name) == Some(value) {
                    taken.extend(env.remove_entry(name));
                }
            }
        }
        taken
    }

    /// The lookup that configures model providers: the host's variables, then the run's. A key of the host never goes to
    /// an address of the run.
    pub(super) fn lookup(&self, host: Variables) -> impl Fn(&str) -> Option<String> + Send + Sync + use<> {
        let own = self.variables(&Variables::new());
        move |name| {
            let set = |name: &str| host.get(name).is_some_and(|value| !value.is_empty());
            let hosts = ADDRESSES.iter().any(|(key, address)| *address == name && set(key));
            if set(name) || hosts { host.get(name).cloned() } else { own.get(name).cloned() }
        }
    }

    /// Everything that must not be shown, of `host` too.
    pub(super) fn values(&self, host: &Variables) -> Vec<String> {
        let all = self.secrets.iter().chain(&self.reserved);
        let secrets = all.flat_map(|RunSecret { kind, variables, .. }| {
            let hidden = |name: &str| !(is_typed(kind) && COMPANIONS.contains(&name));
            variables.iter().filter(move |(name, _)| hidden(name)).map(|(_, value)| value)
        });
        let logins = self.logins.0.iter().flat_map(|Login { login, .. }| {
            let token = Some(&login.username).filter(|_| login.password.is_empty());
            token.into_iter().chain([&login.password])
        });
        let endpoints = self.endpoints.iter().filter_map(|endpoint| endpoint.api_key.as_ref());
        let host = host
            .iter()
            .filter(|(name, value)| (environment::is_key(name) || auth::is_key(name)) && value.len() >= KEY);
        secrets.chain(logins).chain(endpoints).chain(host.map(|(_, value)| value)).cloned().collect()
    }
}

/// Whether a secret logs something in that is known here.
fn is_typed(kind: &SecretKind) -> bool {
    !matches!(kind, SecretKind::RawValue | SecretKind::Dotenv | SecretKind::Unknown(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::api::GitLogin;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    fn keys(plain: &[(&str, &str)], secrets: &[(SecretKind, &[(&str, &str)])]) -> Keys {
        let secrets = secrets.iter().map(|(kind, pairs)| RunSecret {
            name: "n".into(),
            kind: kind.clone(),
            variables: variables(pairs),
        });
        let credentials = RunCredentials { secrets: secrets.collect(), ..RunCredentials::default() };
        let mut config = AgentConfig { environment_variables: variables(plain), ..AgentConfig::default() };
        Keys::new(credentials, &mut config)
    }

    #[test]
    fn the_host_wins_then_typed_secrets_then_raw_ones_then_the_environment() {
        use SecretKind as K;
        let keys = keys(
            &[("A", "plain"), ("B", "plain"), ("P", "plain"), ("PATH", "/evil")],
            &[
                (K::OpenAiApiKey, &[("OPENAI_API_KEY", "typed"), ("OPENAI_BASE_URL", "of-the-key")]),
                (K::AnthropicBedrockApiKey, &[("AWS_BEARER_TOKEN_BEDROCK", "typed"), ("AWS_REGION", "r")]),
                (K::RawValue, &[("OPENAI_API_KEY", "raw")]),
                (K::RawValue, &[("B", "raw")]),
                (K::RawValue, &[("H", "raw")]),
                (K::RawValue, &[("OZ_GIT_SOCKET", "forged")]),
                (K::Dotenv, &[("B", "dotenv"), ("C", "dotenv")]),
            ],
        );
        let all = keys.variables(&variables(&[
            ("H", "host"),
            ("PATH", "/bin"),
            ("AWS_BEARER_TOKEN_BEDROCK", "host"),
            ("OPENAI_BASE_URL", "host"),
        ]));
        let expected = [
            ("A", "plain"),
            ("B", "raw"),
            ("C", "dotenv"),
            ("P", "plain"),
            ("H", "host"),
            ("PATH", "/bin"),
            ("AWS_BEARER_TOKEN_BEDROCK", "host"),
            ("OPENAI_API_KEY", "typed"),
            ("OPENAI_BASE_URL", "of-the-key"),
        ];
        assert_eq!(all, variables(&expected));
    }

    #[test]
    fn secrets_leave_the_environment_and_nothing_else_does() {
        let typed = [("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "r")];
        let keys = keys(
            &[("A", "plain")],
            &[
                (SecretKind::AnthropicBedrockAccessKey, &typed),
                (SecretKind::RawValue, &[("B", "raw"), ("H", "raw")]),
            ],
        );
        let mut env = keys.variables(&variables(&[("H", "host"), ("PATH", "/bin")]));
        let taken = keys.take_secrets(&mut env);
        assert_eq!(taken, variables(&[("AWS_SECRET_ACCESS_KEY", "s"), ("B", "raw")]));
        assert_eq!(env, variables(&[("A", "plain"), ("AWS_REGION", "r"), ("H", "host"), ("PATH", "/bin")]));
    }

    #[test]
    fn a_key_of_the_host_goes_to_no_address_of_the_run() {
        let keys = keys(
            &[("OPENAI_BASE_URL", "http://evil"), ("OZ_MODEL", "m")],
            &[(SecretKind::RawValue, &[("ANTHROPIC_API_KEY", "of-the-run")])],
        );
        let lookup = keys.lookup(variables(&[("OPENAI_API_KEY", "of-the-host"), ("ANTHROPIC_API_KEY", "")]));
        assert_eq!(lookup("OPENAI_API_KEY").as_deref(), Some("of-the-host"));
        assert_eq!(lookup("OPENAI_BASE_URL"), None);
        assert_eq!(lookup("ANTHROPIC_API_KEY").as_deref(), Some("of-the-run"));
        assert_eq!(lookup("OZ_MODEL").as_deref(), Some("m"));
        let lookup = keys.lookup(Variables::new());
        assert_eq!(lookup("OPENAI_BASE_URL").as_deref(), Some("http://evil"));
    }

    #[test]
    fn what_is_secret_is_known_and_leaves_the_addresses() {
        let typed = [("AWS_SECRET_ACCESS_KEY", "hidden-1"), ("AWS_REGION", "eu-central-1")];
        let mut keys = keys(
            &[("A", "shown-1")],
            &[
                (SecretKind::AnthropicBedrockAccessKey, &typed),
                (SecretKind::RawValue, &[("AWS_REGION", "hidden-2")]),
            ],
        );
        let login = GitLogin { host: "h".into(), username: "shown-2".into(), password: "hidden-3".into() };
        keys.logins.0.push(login.into());
        let mut config = AgentConfig {
            source_repos: vec![SourceRepo { url: "https://me:hidden-4@h/r".into(), checkout_ref: None }],
            ..AgentConfig::default()
        };
        let more = Keys::new(RunCredentials::default(), &mut config);
        assert_eq!(config.source_repos[0].url, "https://me@h/r");
        let host =
            variables(&[("WARP_API_KEY", "hidden-5-and-long"), ("OPENAI_API_KEY", "ollama"), ("HOME", "/h")]);
        let mut values = keys.values(&host);
        values.extend(more.values(&Variables::new()));
        values.sort_unstable();
        assert_eq!(values, ["hidden-1", "hidden-2", "hidden-3", "hidden-4", "hidden-5-and-long"]);
    }
}
