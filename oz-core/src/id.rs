//! Identifiers. Ids of runs, executions and conversations are UUIDs (version 7 when minted here, so that they sort by
//! creation); the others are opaque strings.

use crate::{Error, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$meta:meta] $name:ident $field:literal;)*) => {$(
        #[$meta]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl $name {
            /// A new time-ordered id. `now` supplies the time part; the rest is random.
            #[must_use]
            pub fn mint(now: Timestamp) -> Self {
                let seconds = u64::try_from(now.as_second()).unwrap_or(0);
                let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
        }
        impl FromStr for $name {
            type Err = Error;
            /// Accepts a hyphenated or plain UUID other than the nil one.
            fn from_str(s: &str) -> Result<Self, Error> {
                match Uuid::parse_str(s) {
                    Ok(id) if !id.is_nil() => Ok(Self(id)),
                    _ => Err(Error::invalid_field($field, s, "a UUID such as 0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")),
                }
            }
        }
    )*};
}

uuid_id! {
    /// Names one run; the wire also calls it `task_id`.
    RunId "run_id";
    /// Names one execution of a run.
    ExecutionId "execution_id";
    /// Names one conversation.
    ConversationId "conversation_id";
    /// Names one artifact.
    ArtifactId "artifact_uid";
}

macro_rules! string_id {
    ($(#[$meta:meta] $name:ident;)*) => {$(
        #[$meta]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
        impl From<&str> for $name { fn from(s: &str) -> Self { Self(s.to_owned()) } }
    )*};
}

string_id! {
    /// Names a team.
    TeamId;
    /// Names a user or a service account.
    UserId;
}
