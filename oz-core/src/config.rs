//! How an agent is configured: the wire's `AmbientAgentConfig`, with our additions marked (+).

use crate::{Error, open::open_enum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

open_enum! {
    /// Which agent works on a run.
    HarnessType {
        /// The native agent.
        Oz = "oz",
        /// Claude Code.
        Claude = "claude" | "claude-code",
        /// Codex.
        Codex = "codex",
        /// Gemini CLI.
        Gemini = "gemini",
        /// opencode.
        Opencode = "opencode" | "open-code",
    }
}

/// The harness of a run and what it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HarnessConfig {
    /// Which harness; `oz` when absent.
    #[serde(rename = "type", default = "native")]
    pub kind: HarnessType,
    /// The model it should use; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// How hard the model should think; for harnesses other than `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
}

fn native() -> HarnessType {
    HarnessType::Oz
}

open_enum! {
    /// Whose credentials a run gets for git and the like.
    CredentialStrategy {
        /// Those of whom it executes as.
        Executor = "EXECUTOR",
        /// Those of who asked for it.
        Creator = "CREATOR",
    }
}

open_enum! {
    /// What an agent may do with a memory store.
    MemoryAccess {
        /// Read and write.
        ReadWrite = "read_write",
        /// Read.
        ReadOnly = "read_only",
    }
}

/// A memory store that an agent may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryStoreRef {
    /// The store.
    pub uid: String,
    /// What the agent may do with it.
    pub access: MemoryAccess,
    /// How the agent should use it.
    pub instructions: String,
}

/// A secret, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretRef {
    /// Its name.
    pub name: String,
}

/// Secrets that log a harness in; only that of the active harness is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HarnessAuthSecrets {
    /// For Claude Code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claude_auth_secret_name: Option<String>,
    /// For Codex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codex_auth_secret_name: Option<String>,
}

/// Where model calls go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InferenceProviders {
    /// Amazon Bedrock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsInference>,
}

/// Model calls over Amazon Bedrock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwsInference {
    /// Whether it is switched off at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role to assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

open_enum! {
    /// What anybody with the link may do in a session.
    PublicAccess {
        /// Watch.
        Viewer = "VIEWER",
        /// Steer.
        Editor = "EDITOR",
    }
}

/// Who may join the session of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSharing {
    /// What anybody with the link may do; absent means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<PublicAccess>,
}

/// (+) When a run must stop. Absent means no limit but the harness's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The most model calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// The most tokens, read and written together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// The most seconds of wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
    /// The most US dollars. Only enforceable for models whose price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

/// (+) A git repository that a run works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceRepo {
    /// Anything `git clone` takes: an HTTPS or SSH address or a path on the worker.
    pub url: String,
    /// Branch, tag or commit to check out; absent means the default branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_ref: Option<String>,
}

impl SourceRepo {
    /// The directory name that `git clone` would choose, always one safe path component.
    #[must_use]
    pub fn directory(&self) -> String {
        let name = self.url.trim_end_matches('/').trim_end_matches(".git").trim_end_matches('/');
        let name = name.rsplit(['/', ':']).next().unwrap_or_default();
        let safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
            .collect();
        if safe.is_empty() || safe.starts_with('.') { "repo".to_owned() } else { safe }
    }
}

/// (+) A secret that logs git in to one host. The token goes nowhere else: not into addresses, arguments or files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitCredential {
    /// The host, such as `github.com`, with its port where that is not the usual one.
    pub host: String,
    /// The secret with the password or token; of a raw value.
    pub secret: String,
    /// The user name; what the host expects beside a token when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl GitCredential {
    /// The user name to log in with.
    #[must_use]
    pub fn user(&self) -> &str {
        match &self.username {
            Some(name) => name,
            None if self.host.contains("gitlab") => "oauth2",
            None if self.host == "bitbucket.org" => "x-token-auth",
            None => "x-access-token",
        }
    }
}

/// The secrets that log git in to well-known hosts wherever a run has them: host and name.
pub const WELL_KNOWN_GIT_SECRETS: &[(&str, &str)] = &[
    ("github.com", "GITHUB_TOKEN"),
    ("github.com", "GH_TOKEN"),
    ("github.com", "GITHUB_ACCESS_TOKEN"),
    ("gitlab.com", "GITLAB_TOKEN"),
    ("bitbucket.org", "BITBUCKET_TOKEN"),
    ("dev.azure.com", "AZURE_DEVOPS_TOKEN"),
];

/// One MCP server: exactly one of `warp_id`, `command` and `url`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct McpServerConfig {
    /// Id of a shared server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warp_id: Option<String>,
    /// Program of a stdio server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Arguments of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment of the program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Directory to start the program in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Address of an HTTP server; some tools write `serverUrl`.
    #[serde(default, alias = "serverUrl", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers for the address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// How an agent is configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentConfig {
    /// Label that groups runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model, passed through to the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Instructions that come before the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_prompt: Option<String>,
    /// The environment to prepare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// The skill to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_spec: Option<String>,
    /// The skills to run, in order; excludes `skill_spec`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// MCP servers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_servers: BTreeMap<String, McpServerConfig>,
    /// Whether the agent may use a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_use_enabled: Option<bool>,
    /// Minutes that an idle session stays open, 1 to 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_minutes: Option<i32>,
    /// The self-hosted worker to run on; absent or `warp` means a worker of the control plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_host: Option<String>,
    /// The harness; absent means `oz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<HarnessConfig>,
    /// Secrets that log the harness in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_auth_secrets: Option<HarnessAuthSecrets>,
    /// Whose credentials the run gets; EXECUTOR when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_strategy: Option<CredentialStrategy>,
    /// Where model calls go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_providers: Option<InferenceProviders>,
    /// Memory stores that the agent may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory_stores: Vec<MemoryStoreRef>,
    /// The runner: what to compute on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_id: Option<String>,
    /// Who may join the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_sharing: Option<SessionSharing>,
    /// The model for the screen, for the native harness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_use_model_id: Option<String>,
    /// The profile of a local run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// Whether the end-of-run snapshot is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_disabled: Option<bool>,
    /// (+) Repositories to clone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_repos: Vec<SourceRepo>,
    /// (+) Commands to run, in order, before the agent starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup_commands: Vec<String>,
    /// (+) The image to run in, for workers that use images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_image: Option<String>,
    /// (+) When the run must stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Secrets that the run gets: absent means those of its environment or else all in scope, an empty list none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// (+) Secrets that log git in, each to one host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git_credentials: Vec<GitCredential>,
    /// (+) Environment variables of setup commands and agent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment_variables: BTreeMap<String, String>,
    /// (+) Seconds that each setup command may take, 1 to 86400; 3600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_timeout_seconds: Option<i64>,
    /// (+) Cloud providers that the run may log in to; taken from its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<crate::environment::Providers>,
    /// (+) Models to go on with, in order, while the chosen one is not available.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_model_ids: Vec<String>,
}

/// How many models may wait for the chosen one to fail. Each is asked in turn, which takes its time.
const MAX_FALLBACK_MODELS: usize = 8;

/// Checks MCP servers: exactly one way to reach each.
///
/// # Errors
/// `invalid_request` that names the server.
pub fn check_mcp_servers(field: &str, servers: &BTreeMap<String, McpServerConfig>) -> Result<(), Error> {
    for (name, server) in servers {
        let kinds = [server.warp_id.is_some(), server.command.is_some(), server.url.is_some()];
        if kinds.iter().filter(|set| **set).count() != 1 {
            return Err(Error::invalid(format!(
                "{field}.{name} must have exactly one of warp_id, command and url"
            )));
        }
    }
    Ok(())
}

/// Checks environment variables.
///
/// # Errors
/// `invalid_request` that names the variable.
pub fn check_variables(field: &str, variables: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, value) in variables {
        crate::secret::check_name(field, name, &crate::secret::SecretKind::RawValue)?;
        if value.contains('\0') || value.len() > crate::secret::MAX_VALUE_BYTES {
            let text = format!(
                "{field}.{name}: expected at most {} bytes without NUL",
                crate::secret::MAX_VALUE_BYTES
            );
            return Err(Error::invalid(text));
        }
    }
    Ok(())
}

/// Checks what logs git in.
///
/// # Errors
/// `invalid_request` that names the entry.
pub fn check_git_credentials(field: &str, credentials: &[GitCredential]) -> Result<(), Error> {
    for (i, credential) in credentials.iter().enumerate() {
        let host = &credential.host;
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']' | b'_');
        if host.is_empty() || host.len() > 255 || !host.bytes().all(legal) {
            return Err(Error::invalid_field(
                &format!("{field}[{i}].host"),
                host,
                "a host such as github.com",
            ));
        }
        if credential.secret.is_empty() || credential.secret.len() > 128 {
            let field = format!("{field}[{i}].secret");
            return Err(Error::invalid_field(&field, &credential.secret, "the name of a secret"));
        }
        let breaks = |name: &String| name.contains(['\n', '\r', '\0']) || name.len() > 255;
        if let Some(name) = credential.username.as_ref().filter(|name| breaks(name)) {
            return Err(Error::invalid_field(&format!("{field}[{i}].username"), name, "one line"));
        }
        if credentials[..i].iter().any(|other| other.host == *host) {
            return Err(Error::invalid(format!("{field}[{i}].host: '{host}' is there twice")));
        }
    }
    Ok(())
}

/// Checks the time that setup commands may take.
///
/// # Errors
/// `invalid_request` that names the field and the value.
pub fn check_setup_timeout(field: &str, seconds: Option<i64>) -> Result<(), Error> {
    match seconds.filter(|seconds| !(1..=86_400).contains(seconds)) {
        Some(seconds) => Err(Error::invalid_field(field, &seconds.to_string(), "1 to 86400 seconds")),
        None => Ok(()),
    }
}

/// Checks addresses of repositories.
///
/// # Errors
/// `invalid_request` that names the repository.
pub fn check_repos(field: &str, repos: &[SourceRepo]) -> Result<(), Error> {
    for (i, repo) in repos.iter().enumerate() {
        if repo.url.is_empty() || repo.url.starts_with('-') || repo.url.contains("::") {
            return Err(Error::invalid_field(
                &format!("{field}[{i}].url"),
                &repo.url,
                "an HTTPS or SSH address or a path",
            ));
        }
        if let Some(reference) = &repo.checkout_ref
            && (reference.is_empty() || reference.starts_with('-'))
        {
            let field = format!("{field}[{i}].checkout_ref");
            return Err(Error::invalid_field(&field, reference, "a branch, tag or commit"));
        }
    }
    Ok(())
}

impl AgentConfig {
    /// The harness, `oz` unless another is chosen.
    #[must_use]
    pub fn harness_type(&self) -> HarnessType {
        self.harness.as_ref().map_or(HarnessType::Oz, |h| h.kind.clone())
    }

    /// The worker host in its canonical form: `None` means a worker of the control plane.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.worker_host.as_deref().map(str::trim).filter(|host| !host.is_empty() && *host != "warp")
    }

    /// Whether a skill says what to do.
    #[must_use]
    pub fn names_skill(&self) -> bool {
        self.skill_spec.as_ref().is_some_and(|s| !s.is_empty()) || !self.skills.is_empty()
    }

    /// Checks what the types can't.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `config` and its value.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_as("config")
    }

    /// Like [`validate`](Self::validate), for a configuration that the request calls `at`.
    ///
    /// # Errors
    /// `invalid_request` that names the field under `at` and its value.
    pub fn validate_as(&self, at: &str) -> Result<(), Error> {
        if let Some(harness) = &self.harness {
            harness.kind.require_known(&format!("{at}.harness.type"))?;
        }
        if let Some(minutes) = self.idle_timeout_minutes
            && !(1..=60).contains(&minutes)
        {
            let field = format!("{at}.idle_timeout_minutes");
            return Err(Error::invalid_field(&field, &minutes.to_string(), "1 to 60"));
        }
        if self.skill_spec.is_some() && !self.skills.is_empty() {
            return Err(Error::invalid(format!(
                "{at}.skill_spec and {at}.skills exclude each other; send one of them"
            )));
        }
        if let Some(strategy) = &self.credential_strategy {
            strategy.require_known(&format!("{at}.credential_strategy"))?;
        }
        if let Some(access) = self.session_sharing.as_ref().and_then(|s| s.public_access.as_ref()) {
            access.require_known(&format!("{at}.session_sharing.public_access"))?;
        }
        for store in &self.memory_stores {
            store.access.require_known(&format!("{at}.memory_stores.access"))?;
            if store.instructions.trim().is_empty() {
                return Err(Error::invalid(format!("{at}.memory_stores.instructions: it must not be empty")));
            }
        }
        check_mcp_servers(&format!("{at}.mcp_servers"), &self.mcp_servers)?;
        check_repos(&format!("{at}.source_repos"), &self.source_repos)?;
        check_variables(&format!("{at}.environment_variables"), &self.environment_variables)?;
        check_git_credentials(&format!("{at}.git_credentials"), &self.git_credentials)?;
        check_setup_timeout(&format!("{at}.setup_timeout_seconds"), self.setup_timeout_seconds)?;
        crate::secret::check_refs(&format!("{at}.secrets"), self.secrets.as_deref().unwrap_or_default())?;
        if self.fallback_model_ids.len() > MAX_FALLBACK_MODELS {
            let (field, count) = (format!("{at}.fallback_model_ids"), self.fallback_model_ids.len());
            let expected = format!("at most {MAX_FALLBACK_MODELS} models");
            return Err(Error::invalid_field(&field, &count.to_string(), &expected));
        }
        if let Some(i) = self.fallback_model_ids.iter().position(|id| id.trim().is_empty()) {
            let field = format!("{at}.fallback_model_ids[{i}]");
            return Err(Error::invalid_field(&field, "", "the name of a model"));
        }
        if let Some(limits) = &self.limits
            && let Some(cost) = limits.max_cost_usd
            && !(cost.is_finite() && cost > 0.0)
        {
            return Err(Error::invalid_field(
                &format!("{at}.limits.max_cost_usd"),
                &cost.to_string(),
                "more than 0",
            ));
        }
        Ok(())
    }
}
