//! Requests about environments, MCP servers and profiles: named objects of a team or a person.

use super::Validate;
use crate::{
    Error, RunId, RunState, Timestamp,
    config::McpServerConfig,
    environment::{EnvironmentConfig, EnvironmentSort},
    principal::{Principal, Scope},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// Its id: 22 letters and digits.
    pub uid: String,
    /// What it is made of.
    pub config: EnvironmentConfig,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Whether its latest run ended before its agent started.
    pub setup_failed: bool,
    /// When its latest run started.
    pub last_task_run_timestamp: Option<Timestamp>,
    /// Its latest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_task_created: Option<LastTask>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Principal>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_editor: Option<Principal>,
    /// (+) Counts its changes; send it back to change only what you have seen.
    pub revision: i64,
}

/// The latest run of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastTask {
    /// The run.
    pub id: RunId,
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its agent began to work.
    pub started_at: Option<Timestamp>,
}

/// List environments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListEnvironments {
    /// By what to sort; `last_updated` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<EnvironmentSort>,
}
impl Validate for ListEnvironments {
    fn validate(&self) -> Result<(), Error> {
        self.sort_by.as_ref().map_or(Ok(()), |s| s.require_known("sort_by").map(|_| ()))
    }
}

/// Environments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentList {
    /// All that the caller may see.
    pub environments: Vec<Environment>,
}

/// Make an environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateEnvironment {
    /// What it is made of.
    pub config: EnvironmentConfig,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
}
impl Validate for CreateEnvironment {
    fn validate(&self) -> Result<(), Error> {
        self.config.validate()
    }
}

/// Replace what an environment is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateEnvironment {
    /// The environment.
    pub uid: String,
    /// What it is made of.
    pub config: EnvironmentConfig,
    /// The revision that the caller has seen; another one is refused with 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}
impl Validate for UpdateEnvironment {
    fn validate(&self) -> Result<(), Error> {
        self.config.validate()
    }
}

super::by_id! { uid: String;
    /// Get an environment.
    GetEnvironment;
    /// Delete an environment.
    DeleteEnvironment;
    /// Get an MCP server.
    GetMcpServer;
    /// Delete an MCP server.
    DeleteMcpServer;
    /// Get a profile.
    GetProfile;
    /// Delete a profile.
    DeleteProfile;
}

/// A shared MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct McpServer {
    /// Its id; runs name it as `warp_id`.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to reach it.
    pub server: McpServerConfig,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Counts its changes.
    pub revision: i64,
}

/// List shared MCP servers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListMcpServers {}
impl Validate for ListMcpServers {}

/// Shared MCP servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct McpServerList {
    /// All that the caller may see, by name.
    pub mcp_servers: Vec<McpServer>,
}

/// Make a shared MCP server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateMcpServer {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to reach it: `command` or `url`.
    pub server: McpServerConfig,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
}
impl Validate for CreateMcpServer {
    fn validate(&self) -> Result<(), Error> {
        super::identities::check_name(&self.name)?;
        check_server(&self.server)
    }
}

fn check_server(server: &McpServerConfig) -> Result<(), Error> {
    if server.warp_id.is_some() || server.command.is_some() == server.url.is_some() {
        return Err(Error::invalid("server: it must have exactly one of command and url"));
    }
    Ok(())
}

/// Replace a shared MCP server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateMcpServer {
    /// The server.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to reach it.
    pub server: McpServerConfig,
    /// The revision that the caller has seen; another one is refused with 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}
impl Validate for UpdateMcpServer {
    fn validate(&self) -> Result<(), Error> {
        super::identities::check_name(&self.name)?;
        check_server(&self.server)
    }
}

/// A profile: what agents may do without asking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profile {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its settings, such as `execute_commands` or `command_denylist`.
    pub settings: Map<String, Value>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Counts its changes.
    pub revision: i64,
}

impl Profile {
    /// The model that `settings` give to runs that name none.
    #[must_use]
    pub fn base_model(settings: &Map<String, Value>) -> Option<&str> {
        settings.get("base_model").and_then(Value::as_str).filter(|id| !id.trim().is_empty())
    }

    /// The permissions that `settings` give to runs, where these say nothing themselves.
    ///
    /// # Errors
    /// `invalid_request` that names the setting and its value.
    pub fn permissions(settings: &Map<String, Value>) -> Result<crate::permission::Permissions, Error> {
        crate::permission::Permissions::from_settings(settings)
    }
}

/// List profiles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListProfiles {}
impl Validate for ListProfiles {}

/// Profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileList {
    /// All that the caller may see, by name.
    pub profiles: Vec<Profile>,
}

/// Make a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateProfile {
    /// Its name.
    pub name: String,
    /// Its settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
}
impl Validate for CreateProfile {
    fn validate(&self) -> Result<(), Error> {
        super::identities::check_name(&self.name)?;
        Profile::permissions(&self.settings).map(|_| ())
    }
}

/// Replace a profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateProfile {
    /// The profile.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The revision that the caller has seen; another one is refused with 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}
impl Validate for UpdateProfile {
    fn validate(&self) -> Result<(), Error> {
        super::identities::check_name(&self.name)?;
        Profile::permissions(&self.settings).map(|_| ())
    }
}
