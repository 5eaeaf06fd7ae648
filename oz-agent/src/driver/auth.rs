//! How a command line agent logs in to its model service: the secret that the run names for it, else what the run has
//! for it anyway, else the standard variables of the worker. The choice is pure.

use super::keys::Keys;
use oz_core::{
    Error, ErrorCode,
    config::{AgentConfig, HarnessAuthSecrets, HarnessType},
};
use std::collections::BTreeMap;

type Variables = BTreeMap<String, String>;

/// How one program logs in.
struct Login {
    /// Each group of these is enough.
    keys: &'static [&'static [&'static str]],
    /// What says where a key goes and how it is used; they go with their key only.
    places: &'static [&'static str],
    /// The field that names a secret for it.
    field: &'static str,
}

const BEDROCK: &[&str] = &["AWS_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "CLAUDE_CODE_USE_BEDROCK"];
const CLAUDE: Login = Login {
    keys: &[
        &["ANTHROPIC_API_KEY"],
        &["ANTHROPIC_AUTH_TOKEN"],
        &["CLAUDE_CODE_OAUTH_TOKEN"],
        &["AWS_BEARER_TOKEN_BEDROCK"],
        &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CLAUDE_CODE_USE_BEDROCK"],
        &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "CLAUDE_CODE_USE_BEDROCK"],
        &["GOOGLE_APPLICATION_CREDENTIALS", "CLAUDE_CODE_USE_VERTEX"],
    ],
    places: &[
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_BEDROCK_BASE_URL",
        "ANTHROPIC_VERTEX_BASE_URL",
        "ANTHROPIC_VERTEX_PROJECT_ID",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLOUD_ML_REGION",
    ],
    field: "claude_auth_secret_name",
};
const CODEX: Login = Login {
    keys: &[&["OPENAI_API_KEY"], &["CODEX_API_KEY"]],
    places: &["OPENAI_BASE_URL"],
    field: "codex_auth_secret_name",
};
const GEMINI: Login = Login {
    keys: &[
        &["GEMINI_API_KEY"],
        &["GOOGLE_API_KEY"],
        &["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_GENAI_USE_VERTEXAI"],
    ],
    places: &[
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_VERTEX_BASE_URL",
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
    ],
    field: "gemini_auth_secret_name",
};
const OPENCODE: Login = Login {
    keys: &[&["ANTHROPIC_API_KEY"], &["OPENAI_API_KEY"], &["GEMINI_API_KEY"], &["OPENROUTER_API_KEY"]],
    places: &["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"],
    field: "opencode_auth_secret_name",
};

/// How the worker reaches the world; not secret, and no part of a login.
const PROXY: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
];

/// The variables of a command line agent beside those of its commands. `host` is the environment of this process.
///
/// # Errors
/// `authentication_required` when it has nothing to log in with.
pub(super) fn variables(config: &AgentConfig, keys: &Keys, host: &Variables) -> Result<Variables, Error> {
    let names = config.harness_auth_secrets.clone().unwrap_or_default();
    let kind = config.harness_type();
    let HarnessAuthSecrets {
        claude_auth_secret_name: claude,
        codex_auth_secret_name: codex,
        gemini_auth_secret_name: gemini,
        opencode_auth_secret_name: opencode,
    } = names;
    let (login, name) = match kind {
        HarnessType::Claude => (CLAUDE, claude),
        HarnessType::Codex => (CODEX, codex),
        HarnessType::Gemini => (GEMINI, gemini),
        HarnessType::Opencode => (OPENCODE, opencode),
        // What any program needs can't be known; it gets the secrets of its run.
        _ => return Ok(pick(host, PROXY)),
    };
    let refuse = |text: String| Err(Error::new(ErrorCode::AuthenticationRequired, text));
    let mut found = match &name {
        Some(name) => {
            let Some(secret) = keys.secret(name) else {
                return refuse(format!(
                    "the secret '{name}' that config.harness_auth_secrets.{} names is not there, or not in the scope of this run",
                    login.field
                ));
            };
            if !login.has_key(secret) {
                return refuse(format!(
                    "the secret '{name}' that config.harness_auth_secrets.{} names does not log in '{kind}'; it should set {}",
                    login.field,
                    login.expected()
                ));
            }
            secret.clone()
        }
        None => match login.sources(keys, host) {
            Some(found) => found,
            None => {
                return refuse(format!(
                    "the harness '{kind}' has nothing to log in with: name a secret in config.harness_auth_secrets.{}, or set {} in the environment of the worker",
                    login.field,
                    login.expected()
                ));
            }
        },
    };
    found.extend(pick(host, PROXY));
    Ok(found)
}

impl Login {
    fn has_key(&self, all: &Variables) -> bool {
        self.keys.iter().any(|group| group.iter().all(|name| set(all, name)))
    }

    fn expected(&self) -> String {
        let groups: Vec<String> = self.keys.iter().map(|group| group.join(" and ")).collect();
        groups.join(", or ")
    }

    /// All that belongs to a login, of one source: keys of one never go to addresses of another.
    fn sources(&self, keys: &Keys, host: &Variables) -> Option<Variables> {
        let run = keys.variables(&Variables::new());
        let source = [&run, host].into_iter().find(|source| self.has_key(source))?;
        let names = self.keys.iter().flat_map(|group| group.iter()).chain(self.places).chain(BEDROCK);
        Some(names.filter(|name| set(source, name)).map(|name| pair(source, name)).collect())
    }
}

fn set(all: &Variables, name: &str) -> bool {
    all.get(name).is_some_and(|value| !value.is_empty())
}

fn pair(all: &Variables, name: &str) -> (String, String) {
    (name.to_owned(), all.get(name).cloned().unwrap_or_default())
}

fn pick(all: &Variables, names: &[&str]) -> Variables {
    names.iter().filter(|name| set(all, name)).map(|name| pair(all, name)).collect()
}

/// What must not be shown of the environment of the host: the keys of all programs.
pub(super) fn is_key(name: &str) -> bool {
    let plain = |name: &&str| {
        !name.starts_with("CLAUDE_CODE_USE") && !name.ends_with("_VERTEXAI") && !name.ends_with("_ARN")
    };
    let logins = [CLAUDE, CODEX, GEMINI, OPENCODE];
    let mut keys = logins.iter().flat_map(|login| login.keys.iter().flat_map(|group| group.iter()));
    keys.any(|key| *key == name && plain(key))
        || matches!(name, "AWS_SESSION_TOKEN" | "ANTHROPIC_CUSTOM_HEADERS")
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::{
        api::{RunCredentials, RunSecret},
        config::HarnessConfig,
        secret::SecretKind,
    };

    fn map(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    /// The login of a run with these secrets and plain variables.
    #[expect(clippy::type_complexity, reason = "it is read as a table")]
    fn login(
        kind: HarnessType,
        named: Option<&str>,
        secrets: &[(&str, SecretKind, &[(&str, &str)])],
        plain: &[(&str, &str)],
        host: &[(&str, &str)],
    ) -> Result<Variables, String> {
        let secrets = secrets.iter().map(|(name, kind, pairs)| RunSecret {
            name: (*name).to_owned(),
            kind: kind.clone(),
            variables: map(pairs),
        });
        let credentials = RunCredentials { secrets: secrets.collect(), ..RunCredentials::default() };
        let mut config = AgentConfig {
            harness: Some(HarnessConfig { kind, ..HarnessConfig::native() }),
            harness_auth_secrets: Some(HarnessAuthSecrets {
                claude_auth_secret_name: named.map(str::to_owned),
                codex_auth_secret_name: named.map(str::to_owned),
                ..HarnessAuthSecrets::default()
            }),
            environment_variables: map(plain),
            ..AgentConfig::default()
        };
        let keys = Keys::new(credentials, &mut config);
        variables(&config, &keys, &map(host)).map_err(|e| {
            assert_eq!(e.code, ErrorCode::AuthenticationRequired);
            e.detail
        })
    }

    #[test]
    fn the_named_secret_wins_then_the_run_then_the_worker() {
        use HarnessType as H;
        let typed: &[(&str, &str)] = &[("OPENAI_API_KEY", "named"), ("OPENAI_BASE_URL", "there")];
        let secrets = [
            ("mine", SecretKind::OpenAiApiKey, typed),
            ("OTHER", SecretKind::RawValue, &[("OTHER", "o")][..]),
        ];
        let host =
            [("OPENAI_API_KEY", "host"), ("OPENAI_BASE_URL", "at-host"), ("HTTPS_PROXY", "p"), ("PATH", "/")];
        let got = login(H::Codex, Some("mine"), &secrets, &[], &host).unwrap();
        assert_eq!(
            got,
            map(&[("OPENAI_API_KEY", "named"), ("OPENAI_BASE_URL", "there"), ("HTTPS_PROXY", "p")])
        );
        let got = login(H::Codex, None, &secrets, &[], &host).unwrap();
        assert_eq!(got["OPENAI_API_KEY"], "named");
        let got = login(H::Codex, None, &[], &[], &host).unwrap();
        assert_eq!(
            got,
            map(&[("OPENAI_API_KEY", "host"), ("OPENAI_BASE_URL", "at-host"), ("HTTPS_PROXY", "p")])
        );
    }

    #[test]
    fn a_key_of_the_worker_goes_to_no_address_of_the_run() {
        let evil = [("ANTHROPIC_BASE_URL", "http://evil")];
        let got = login(HarnessType::Claude, None, &[], &evil, &[("ANTHROPIC_API_KEY", "host")]).unwrap();
        assert_eq!(got, map(&[("ANTHROPIC_API_KEY", "host")]));
    }

    #[test]
    fn bedrock_needs_all_of_its_key() {
        let half = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "r")];
        assert!(login(HarnessType::Claude, None, &[], &[], &half).is_err());
        let whole = [&half[..], &[("CLAUDE_CODE_USE_BEDROCK", "1")]].concat();
        assert_eq!(login(HarnessType::Claude, None, &[], &[], &whole).unwrap(), map(&whole));
    }

    #[test]
    fn who_has_no_key_is_told_where_one_could_be() {
        let error = login(HarnessType::Claude, None, &[], &[], &[("OPENAI_API_KEY", "x")]).unwrap_err();
        assert!(error.contains("claude_auth_secret_name") && error.contains("ANTHROPIC_API_KEY"), "{error}");
        let error =
            login(HarnessType::Claude, Some("gone"), &[], &[], &[("ANTHROPIC_API_KEY", "x")]).unwrap_err();
        assert!(error.contains("'gone'"), "{error}");
        let other: &[(&str, &str)] = &[("OTHER", "o")];
        let secrets = [("OTHER", SecretKind::RawValue, other)];
        let error = login(HarnessType::Codex, Some("OTHER"), &secrets, &[], &[]).unwrap_err();
        assert!(error.contains("does not log in 'codex'"), "{error}");
        assert_eq!(login(HarnessType::Oz, None, &[], &[], &[]), Ok(Variables::new()));
    }

    #[test]
    fn keys_of_the_worker_are_known_as_such() {
        for name in ["CODEX_API_KEY", "GEMINI_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "AWS_SECRET_ACCESS_KEY"] {
            assert!(is_key(name), "{name}");
        }
        for name in ["CLAUDE_CODE_USE_BEDROCK", "AWS_ROLE_ARN", "PATH"] {
            assert!(!is_key(name), "{name}");
        }
    }
}
