//! Requests about teams, their people, invitations and keys.

use super::{Validate, identities::check_name};
use crate::{Error, Timestamp, open::open_enum, principal::Principal};
use serde::{Deserialize, Serialize};

open_enum! {
    /// What a member of a team may do.
    Role {
        /// Everything.
        Admin = "admin",
        /// Everything but managing the team.
        Member = "member",
    }
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Team {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its people and agents, by name.
    pub members: Vec<TeamMember>,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TeamMember {
    /// The person or agent.
    #[serde(flatten)]
    pub principal: Principal,
    /// What it may do.
    pub role: Role,
}

/// Get the caller's team.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetTeam {}
impl Validate for GetTeam {}

/// Rename the caller's team.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateTeam {
    /// Its name.
    pub name: String,
}
impl Validate for UpdateTeam {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)
    }
}

/// Make another team on this server, with the caller as its admin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateTeam {
    /// Its name.
    pub name: String,
}
impl Validate for CreateTeam {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)
    }
}

/// A team was made, or joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TeamJoined {
    /// The team.
    pub team_uid: String,
    /// Its name.
    pub team_name: String,
    /// Who joined.
    pub principal: Principal,
    /// A personal key of who joined, for this team; shown only now.
    pub raw_api_key: String,
}

/// List the people of the caller's team.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListUsers {}
impl Validate for ListUsers {}

/// People.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserList {
    /// By name.
    pub users: Vec<TeamMember>,
}

/// Change the role of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateUser {
    /// The person.
    pub uid: String,
    /// The new role.
    pub role: Role,
}
impl Validate for UpdateUser {
    fn validate(&self) -> Result<(), Error> {
        self.role.require_known("role").map(|_| ())
    }
}

super::by_id! { uid: String;
    /// Remove a person from the team; its keys for the team end at once.
    RemoveUser;
    /// Withdraw an invitation.
    DeleteInvitation;
    /// Delete a key; it ends at once.
    DeleteApiKey;
}

/// Invite a person to the caller's team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateInvitation {
    /// Whom.
    pub email: String,
    /// The role to have; `member` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}
impl Validate for CreateInvitation {
    fn validate(&self) -> Result<(), Error> {
        let legal = self.email.len() <= 254
            && !self.email.chars().any(|c| c.is_whitespace() || c.is_control())
            && self.email.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
        if !legal {
            return Err(Error::invalid_field("email", &self.email, "an e-mail address"));
        }
        self.role.as_ref().map_or(Ok(()), |r| r.require_known("role").map(|_| ()))
    }
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Invitation {
    /// Its id.
    pub uid: String,
    /// Whom.
    pub email: String,
    /// The role to have.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// An invitation was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvitationCreated {
    /// The invitation.
    pub invitation: Invitation,
    /// What the invited person needs to accept it; shown only now.
    pub code: String,
}

/// List open invitations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListInvitations {}
impl Validate for ListInvitations {}

/// Open invitations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvitationList {
    /// Newest first.
    pub invitations: Vec<Invitation>,
}

/// Accept an invitation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptInvitation {
    /// The code.
    pub code: String,
    /// How to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}
impl Validate for AcceptInvitation {
    fn validate(&self) -> Result<(), Error> {
        match &self.display_name {
            Some(name) if name.trim().is_empty() || name.len() > 128 => {
                Err(Error::invalid_field("display_name", name, "1 to 128 bytes"))
            }
            _ => Ok(()),
        }
    }
}

/// A key, without its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKey {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// The last four characters of its value.
    pub key_suffix: String,
    /// `Personal` for a key of a person, `Team` for a key of an agent.
    pub scope: KeyScope,
    /// The person or agent it acts as.
    pub owner: Principal,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

open_enum! {
    /// Whether a key acts as a person or as an agent of the team.
    KeyScope {
        /// As a person.
        Personal = "Personal",
        /// As an agent.
        Team = "Team",
    }
}

/// List keys: the caller's own and those of the team's agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListApiKeys {}
impl Validate for ListApiKeys {}

/// Keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKeyList {
    /// By name.
    pub api_keys: Vec<ApiKey>,
}

/// Make a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateApiKey {
    /// Its name.
    pub name: String,
    /// The agent identity it acts as; absent for the caller itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_uid: Option<String>,
    /// When it ends; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
impl Validate for CreateApiKey {
    fn validate(&self) -> Result<(), Error> {
        check_name(&self.name)
    }
}

/// A key was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKeyCreated {
    /// Its value; shown only now.
    pub raw_api_key: String,
    /// The key.
    pub api_key: ApiKey,
}
