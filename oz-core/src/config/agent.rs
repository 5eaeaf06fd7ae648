//! The configuration as a whole.

use super::*;
use crate::{Error, worker::InstanceShape};

/// How an agent is configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Seconds that uploading the end-of-run snapshot may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_upload_timeout_secs: Option<i64>,
    /// Seconds that the script which declares the end-of-run snapshot may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_script_timeout_secs: Option<i64>,
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
    /// (+) What the agent may do without asking; that of its profile when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<crate::permission::Permissions>,
    /// (+) What the processes of the run may use and reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// (+) Labels that the worker must have, out of those of `worker_host`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub worker_labels: BTreeMap<String, String>,
    /// (+) The size of the container, for workers that use containers; that of its runner when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_shape: Option<InstanceShape>,
}

/// How many models may wait for the chosen one to fail. Each is asked in turn, which takes its time.
const MAX_FALLBACK_MODELS: usize = 8;

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
            let runs = harness.command.as_ref().is_some_and(|command| !command.start.is_empty());
            if harness.kind == HarnessType::Command && !runs {
                let text = "the program and its arguments are required with type 'command'";
                return Err(Error::invalid(format!("{at}.harness.command.start: {text}")));
            }
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
        if let Some(permissions) = &self.permissions {
            permissions.validate(&format!("{at}.permissions"))?;
        }
        if let Some(sandbox) = &self.sandbox {
            check_sandbox(&format!("{at}.sandbox"), sandbox)?;
        }
        check_worker_labels(&format!("{at}.worker_labels"), &self.worker_labels)?;
        if let Some(shape) = &self.instance_shape {
            check_shape(&format!("{at}.instance_shape"), shape)?;
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
