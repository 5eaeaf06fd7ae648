//! Secrets: what kinds there are, what each becomes in a run, and which of them a run may have.

mod dotenv;
mod grant;

pub use grant::{Grant, Granted, has_user_context, placeholders};

use crate::{Error, config::SecretRef, open::open_enum};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest value, in bytes (rest-api 13.4).
pub const MAX_VALUE_BYTES: usize = (128 << 10) - 1;

open_enum! {
    /// What a secret holds. A raw value becomes one variable of its own name, the others what their programs expect.
    #[derive(Default)]
    SecretKind {
        /// Any text, as it is.
        #[default]
        RawValue = "RAW_VALUE" | "raw_value" | "raw-value",
        /// Lines of `NAME=value`.
        Dotenv = "DOTENVX" | "dotenvx" | "dotenv",
        /// A key for Anthropic's API.
        AnthropicApiKey = "ANTHROPIC_API_KEY" | "anthropic_api_key" | "anthropic-api-key",
        /// An access key for Anthropic's models on Amazon Bedrock.
        AnthropicBedrockAccessKey = "ANTHROPIC_BEDROCK_ACCESS_KEY" | "anthropic_bedrock_access_key" | "anthropic-bedrock-access-key",
        /// An API key for Anthropic's models on Amazon Bedrock.
        AnthropicBedrockApiKey = "ANTHROPIC_BEDROCK_API_KEY" | "anthropic_bedrock_api_key" | "anthropic-bedrock-api-key",
        /// A key for OpenAI's API or a compatible one.
        OpenAiApiKey = "OPENAI_API_KEY" | "openai_api_key" | "openai-api-key",
        /// (+) What `oz mcp login` keeps: the login at one MCP server. Commands never see it.
        McpOauth = "MCP_OAUTH" | "mcp_oauth" | "mcp-oauth",
    }
}

/// The value of [`SecretKind::AnthropicApiKey`], as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AnthropicApiKey {
    /// The key.
    pub api_key: String,
}

/// The value of [`SecretKind::OpenAiApiKey`], as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenAiApiKey {
    /// The key.
    pub api_key: String,
    /// Address of a compatible API; OpenAI's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
}

/// The value of [`SecretKind::AnthropicBedrockAccessKey`], as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BedrockAccessKey {
    /// Id of the access key.
    pub aws_access_key_id: String,
    /// The secret part of the access key.
    pub aws_secret_access_key: String,
    /// Token of a temporary access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_session_token: Option<String>,
    /// Region of Bedrock.
    pub aws_region: String,
}

/// The value of [`SecretKind::AnthropicBedrockApiKey`], as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BedrockApiKey {
    /// The key.
    pub aws_bearer_token_bedrock: String,
    /// Region of Bedrock.
    pub aws_region: String,
}

/// The value of [`SecretKind::McpOauth`], as JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct McpOauth {
    /// The address of the MCP server that the tokens are for.
    pub resource: String,
    /// What logs in.
    pub access_token: String,
    /// When it ends, in seconds since 1970; absent when nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What gets the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Where.
    pub token_endpoint: String,
    /// As whom.
    pub client_id: String,
    /// With what password, for clients that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// What the sealing of a secret is bound to, so that a sealed value fits no other secret (rest-api 13.4): the owner's
/// id, the name and the kind.
#[must_use]
pub fn context(owner_uid: &str, name: &str, kind: &SecretKind) -> String {
    format!("1:{owner_uid}:{name}:{}", kind.as_str().to_ascii_lowercase())
}

/// Checks the name of a secret: a raw value's is the name of its variable, the others' are labels.
///
/// # Errors
/// `invalid_request` that names the field, the value and what would be right.
pub fn check_name(field: &str, name: &str, kind: &SecretKind) -> Result<(), Error> {
    let raw = *kind == SecretKind::RawValue;
    let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || (!raw && matches!(c, b'-' | b'.'));
    let legal = (1..=128).contains(&name.len())
        && name.bytes().all(letter)
        && !(raw && name.as_bytes()[0].is_ascii_digit());
    if !legal {
        let expected = if raw {
            "the name of an environment variable: letters, digits and _, at most 128, not beginning with a digit"
        } else {
            "letters, digits, '_', '-' and '.', at most 128"
        };
        return Err(Error::invalid_field(field, name, expected));
    }
    if raw && is_reserved(name) {
        return Err(Error::invalid_field(field, name, "a name that the platform does not use itself"));
    }
    Ok(())
}

/// Whether a variable means something to the platform inside a run, so that no secret may stand in for it.
#[must_use]
pub fn is_reserved(variable: &str) -> bool {
    use crate::env;
    [
        env::RUN_ID,
        env::EXECUTION_ID,
        env::WORKLOAD_TOKEN,
        env::WORKSPACE_ROOT,
        env::WORKER_BACKEND,
        env::PROCESS_MARK,
        env::GIT_SOCKET,
    ]
    .contains(&variable)
        || ["PATH", "HOME", "SHELL", "USER", "PWD", "TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH"]
            .contains(&variable)
}

/// The environment variables that a secret becomes in a run (cli 11.7).
///
/// # Errors
/// `invalid_request` that names what is wrong with the value, and never shows any of it.
pub fn variables(name: &str, kind: &SecretKind, value: &str) -> Result<BTreeMap<String, String>, Error> {
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        let text =
            format!("value of '{name}': it has {} bytes; expected 1 to {MAX_VALUE_BYTES}", value.len());
        return Err(Error::invalid(text));
    }
    if value.contains('\0') {
        return Err(Error::invalid(format!("value of '{name}': it has a NUL, which no variable can hold")));
    }
    let pairs: Vec<(&str, Option<String>)> = match kind {
        SecretKind::RawValue => vec![(name, Some(value.to_owned()))],
        SecretKind::Dotenv => return dotenv_variables(name, value),
        SecretKind::AnthropicApiKey => {
            let AnthropicApiKey { api_key } = typed(name, value)?;
            vec![("ANTHROPIC_API_KEY", Some(api_key))]
        }
        SecretKind::OpenAiApiKey => {
            let OpenAiApiKey { api_key, base_url } = typed(name, value)?;
            vec![("OPENAI_API_KEY", Some(api_key)), ("OPENAI_BASE_URL", base_url)]
        }
        SecretKind::AnthropicBedrockAccessKey => {
            let key: BedrockAccessKey = typed(name, value)?;
            vec![
                ("AWS_ACCESS_KEY_ID", Some(key.aws_access_key_id)),
                ("AWS_SECRET_ACCESS_KEY", Some(key.aws_secret_access_key)),
                ("AWS_SESSION_TOKEN", key.aws_session_token),
                ("AWS_REGION", Some(key.aws_region)),
                ("CLAUDE_CODE_USE_BEDROCK", Some("1".to_owned())),
            ]
        }
        SecretKind::AnthropicBedrockApiKey => {
            let key: BedrockApiKey = typed(name, value)?;
            vec![
                ("AWS_BEARER_TOKEN_BEDROCK", Some(key.aws_bearer_token_bedrock)),
                ("AWS_REGION", Some(key.aws_region)),
                ("CLAUDE_CODE_USE_BEDROCK", Some("1".to_owned())),
            ]
        }
        SecretKind::McpOauth => {
            typed::<McpOauth>(name, value)?;
            vec![(name, Some(value.to_owned()))]
        }
        SecretKind::Unknown(kind) => {
            return Err(Error::invalid(format!(
                "secret '{name}': this version does not know its type '{kind}'"
            )));
        }
    };
    let set = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(set.collect())
}

fn typed<T: serde::de::DeserializeOwned>(name: &str, value: &str) -> Result<T, Error> {
    // The parser's own message may quote the value.
    serde_json::from_str(value).map_err(|e| {
        let text = format!(
            "value of '{name}': it is not the JSON of its type (line {}, column {}); see `oz secret create --help`",
            e.line(),
            e.column()
        );
        Error::invalid(text)
    })
}

fn dotenv_variables(name: &str, value: &str) -> Result<BTreeMap<String, String>, Error> {
    let wrong = |problem: &str| Error::invalid(format!("value of '{name}': {problem}"));
    let all = dotenv::parse(value).map_err(|line| wrong(&format!("line {line} is not NAME=value")))?;
    if let Some(key) = all.keys().find(|key| is_reserved(key)) {
        return Err(wrong(&format!("it sets {key}, which the platform uses itself")));
    }
    if all.is_empty() {
        return Err(wrong("it sets no variable: expected lines of NAME=value"));
    }
    Ok(all)
}

/// What became of the secrets of a run when it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunSecrets {
    /// Those it got, by name.
    #[serde(default)]
    pub given: Vec<String>,
    /// Those that its configuration, environment or agent names and that it did not get: deleted, renamed, or not in
    /// the scope of what started it.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// Checks a list of secrets: no name twice.
///
/// # Errors
/// `invalid_request` that names the field and the name.
pub fn check_refs(field: &str, secrets: &[SecretRef]) -> Result<(), Error> {
    for (i, secret) in secrets.iter().enumerate() {
        if secret.name.is_empty() || secret.name.len() > 128 {
            return Err(Error::invalid_field(
                &format!("{field}[{i}].name"),
                &secret.name,
                "the name of a secret",
            ));
        }
        if secrets[..i].contains(secret) {
            let text = format!("{field}[{i}].name: '{}' is there twice", secret.name);
            return Err(Error::invalid(text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
