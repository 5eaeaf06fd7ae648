//! Requests about secrets, and about what a run gets of them.

use super::{PageInfo, Validate};
use crate::{
    Error, RunId, Timestamp,
    inference::EndpointConfig,
    open::open_enum,
    principal::{Principal, Scope},
    secret::{self, SecretKind},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A secret, without its value: nobody can read that back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Secret {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: SecretKind,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose it is.
    pub scope: Scope,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Principal>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_editor: Option<Principal>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its value or description last changed.
    pub updated_at: Timestamp,
    /// When a run last got it.
    pub last_used_at: Option<Timestamp>,
}

/// Get the public key that values are sealed with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetSealingKey {}
impl Validate for GetSealingKey {}

/// The public key that values are sealed with, by RFC 9180 in base mode. The info of a sealing is
/// `1:<owner>:<name>:<type in lower case>`; there is no additional data; a sealed value is the base64 of the encapsulated
/// key followed by the ciphertext.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SealingKey {
    /// Its id; comes back with each sealed value.
    pub key_id: String,
    /// The key, in base64.
    pub public_key: String,
    /// The cipher suite: `DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_256_GCM`.
    pub algorithm: String,
    /// The owner of the team's secrets.
    pub team_uid: String,
    /// The owner of the caller's own secrets.
    pub user_uid: String,
}

/// List secrets: the team's and the caller's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListSecrets {}
impl Validate for ListSecrets {}

/// Secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretList {
    /// By name; the team's before the caller's own.
    pub secrets: Vec<Secret>,
}

/// Make a secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateSecret {
    /// Its name: that of the variable it becomes, for a raw value.
    pub name: String,
    /// What it holds; a raw value when absent.
    #[serde(default, rename = "type")]
    pub kind: SecretKind,
    /// What it is for; at most 240 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it belongs to the team (the default) or to its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<bool>,
    /// The key that the value is sealed with.
    pub key_id: String,
    /// The sealed value, in base64; see [`SealingKey`].
    pub sealed_value: String,
}
impl Validate for CreateSecret {
    fn validate(&self) -> Result<(), Error> {
        self.kind.require_known("type")?;
        secret::check_name("name", &self.name, &self.kind)?;
        check_description(self.description.as_deref())?;
        check_sealed(&self.key_id, &self.sealed_value)
    }
}

/// Change a secret; its name, type and owner stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateSecret {
    /// The secret.
    pub uid: String,
    /// What it is for; stays when absent, empty clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The key that the new value is sealed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The new sealed value, in base64; stays when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_value: Option<String>,
}
impl Validate for UpdateSecret {
    fn validate(&self) -> Result<(), Error> {
        check_description(self.description.as_deref())?;
        match (&self.key_id, &self.sealed_value) {
            (None, None) => Ok(()),
            (Some(key), Some(value)) => check_sealed(key, value),
            _ => Err(Error::invalid("sealed_value, key_id: a new value needs both of them")),
        }
    }
}

fn check_description(description: Option<&str>) -> Result<(), Error> {
    match description.filter(|d| d.chars().count() > 240) {
        Some(text) => Err(Error::invalid_field("description", text, "at most 240 characters")),
        None => Ok(()),
    }
}

fn check_sealed(key_id: &str, value: &str) -> Result<(), Error> {
    if key_id.is_empty() || key_id.len() > 128 {
        return Err(Error::invalid_field(
            "key_id",
            key_id,
            "the id of the key from GET /agent/secrets/sealing-key",
        ));
    }
    // Base64 of the largest value with its encapsulated key and tag.
    if value.is_empty() || value.len() > (secret::MAX_VALUE_BYTES + 64) * 4 / 3 + 4 {
        let text = format!(
            "sealed_value: it has {} characters; expected a sealed value of 1 to {} bytes",
            value.len(),
            secret::MAX_VALUE_BYTES
        );
        return Err(Error::invalid(text));
    }
    Ok(())
}

super::by_id! { uid: String;
    /// Delete a secret; no later run gets it.
    DeleteSecret;
}

open_enum! {
    /// What was done with a secret.
    SecretAction {
        /// It was made.
        Created = "created",
        /// Its value or description was changed.
        Updated = "updated",
        /// It was deleted.
        Deleted = "deleted",
        /// A run got it.
        Used = "used",
        /// A run asked for it and did not get it.
        Refused = "refused",
    }
}

/// List what was done with secrets: who used what when.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListSecretLog {
    /// Only of the secrets with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// How many, 1 to 500; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Where to go on, from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
impl Validate for ListSecretLog {
    fn validate(&self) -> Result<(), Error> {
        super::check_limit(self.limit, 500)
    }
}

/// What was done with secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretLog {
    /// Newest first.
    pub entries: Vec<SecretLogEntry>,
    /// Whether there is more.
    pub page_info: PageInfo,
}

/// Something that was done with a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretLogEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: SecretAction,
    /// The secret's name at the time.
    pub name: String,
    /// Whose it was; absent where a run asked for something that was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Who did it; for a run, as whom it executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Principal>,
    /// The run that got it, or did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// Get the credentials of this run: its secrets, and what logs it in to git and model services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetRunCredentials {}
impl Validate for GetRunCredentials {}

/// The credentials of a run.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunCredentials {
    /// The secrets that become variables.
    pub secrets: Vec<RunSecret>,
    /// Secrets that the MCP servers name and that become no variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<RunSecret>,
    /// What logs git in, by host.
    #[serde(default)]
    pub git: Vec<GitLogin>,
    /// The model services of the team.
    #[serde(default)]
    pub model_endpoints: Vec<RunModelEndpoint>,
    /// Secrets that were asked for by name and that this run does not get.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// A secret in a run.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunSecret {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: SecretKind,
    /// The variables that it becomes.
    pub variables: BTreeMap<String, String>,
}

/// What logs git in to a host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GitLogin {
    /// The host, with its port where that is not the usual one.
    pub host: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: String,
}

/// A model service with its key.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunModelEndpoint {
    /// What it is made of.
    pub config: EndpointConfig,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

// Values must not get into logs by way of a debug print.
macro_rules! silent {
    ($($ty:ident: $($field:ident)+;)*) => {$(
        impl std::fmt::Debug for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($ty))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        }
    )*};
}
silent! {
    RunCredentials: secrets reserved git model_endpoints missing;
    RunSecret: name kind;
    GitLogin: host username;
    RunModelEndpoint: config;
}

/// Issue an OpenID Connect token that proves which run this is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IssueIdentityToken {
    /// Whom the token is for.
    pub audience: String,
    /// How long it is good, in seconds, 60 to 43200; 3600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_duration_seconds: Option<i64>,
    /// What its `sub` is made of: `principal` (the default), `scoped_principal`, `email`, `teams`, `environment`,
    /// `agent_name`, `skill_spec`, `run_id`, `host`; several are joined by `:` as `name:value` pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject_template: Vec<String>,
}
impl Validate for IssueIdentityToken {
    fn validate(&self) -> Result<(), Error> {
        if self.audience.is_empty() || self.audience.len() > 1024 {
            return Err(Error::invalid_field("audience", &self.audience, "1 to 1024 bytes"));
        }
        if let Some(seconds) = self.requested_duration_seconds
            && !(60..=43_200).contains(&seconds)
        {
            let field = "requested_duration_seconds";
            return Err(Error::invalid_field(field, &seconds.to_string(), "60 to 43200"));
        }
        Ok(())
    }
}

/// A token that proves which run it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IdentityToken {
    /// The token: a JWT, signed with ES256.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who vouches for it: the address whose `/.well-known/openid-configuration` leads to the keys.
    pub issuer: String,
}
silent! { IdentityToken: expires_at issuer; }
