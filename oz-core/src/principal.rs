//! Who acts, and what something belongs to.

use crate::open::open_enum;
use serde::{Deserialize, Serialize};

open_enum! {
    /// What kind of actor a principal is.
    PrincipalType {
        /// A person.
        User = "user",
        /// An agent identity that acts for a team.
        ServiceAccount = "service_account",
    }
}

/// A person or an agent identity, as other records refer to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Principal {
    /// The kind of actor.
    #[serde(rename = "type")]
    pub kind: PrincipalType,
    /// Its id.
    pub uid: String,
    /// Name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
}

open_enum! {
    /// Whether something belongs to one person or to a team.
    ScopeType {
        /// Belongs to one person.
        User = "User",
        /// Belongs to a team.
        Team = "Team",
    }
}

/// The owner of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scope {
    /// The kind of owner.
    #[serde(rename = "type")]
    pub kind: ScopeType,
    /// The owner's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}
