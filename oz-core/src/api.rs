//! The endpoint table: one row per endpoint with its doc, authentication, method, path, request and response. The
//! server's routes, the client's `send`, the OpenAPI document and the tests that walk every route come from it.
//!
//! A request type holds path, query and body fields in one struct; path fields are those that the path names, the
//! others go to the query of GET and DELETE and to the JSON body otherwise. Streams, sockets and redirects are not in
//! the table: [`BY_HAND`] lists them.

/// Requests that name nothing but one thing, in the path.
macro_rules! by_id {
    ($field:ident: $ty:ty; $($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            /// Which one.
            pub $field: $ty,
        }
        impl $crate::api::Validate for $name {}
    )*};
}
use by_id;

mod account;
mod artifacts;
mod catalog;
mod conversations;
mod decode;
mod environments;
mod events;
mod files;
mod harness_support;
mod identities;
mod memory;
mod messages;
mod objects;
mod requests;
mod run_memory;
mod runs;
mod schedules;
mod secrets;
mod spending;
mod table;
mod team;

pub use account::*;
pub use artifacts::*;
pub use catalog::*;
pub use conversations::*;
pub use decode::{decode, parse};
pub use environments::*;
pub use events::*;
pub use files::*;
pub use harness_support::*;
pub use identities::*;
pub use memory::*;
pub use messages::*;
pub use objects::*;
pub use requests::*;
pub use run_memory::*;
pub use runs::*;
use runs::{check_limit, check_prompt};
pub use schedules::*;
pub use secrets::*;
pub use spending::*;
pub use table::*;
pub use team::*;

use crate::Error;
use http::Method;
#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

/// Prefix of every path in the table.
pub const BASE: &str = "/api/v1";

/// Header that tells what made a call, such as `CLI`.
pub const SOURCE_HEADER: &str = "x-oz-api-source";
/// Header with the token that proves that a call comes from inside one run.
pub const WORKLOAD_TOKEN_HEADER: &str = "x-warp-ambient-workload-token";
/// Header that names a call that creates something, so that repeating it creates nothing more.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Header with the id of the run that a call comes from.
pub const CLOUD_AGENT_ID_HEADER: &str = "x-warp-cloud-agent-id";

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Open,
    /// Who has a key: a person or an agent. A run may call it too, but sees nothing but itself and its children.
    Any,
    /// A person or an agent, with a key.
    Key,
    /// A person, with a personal key.
    User,
    /// An admin of the team, with a personal key.
    Admin,
    /// The agent process of a run, with the run's own token.
    Workload,
}

/// Checks what a request's types can't.
pub trait Validate {
    /// Checks the request before it reaches its handler.
    ///
    /// # Errors
    /// `invalid_request` that names the field, the value and what would be right.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// An endpoint, named by its request type.
pub trait Endpoint: Validate + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its row of the table.
    const INFO: Info;
    /// What it answers.
    type Response: Serialize + DeserializeOwned + Send + 'static;
}

/// A row of the table. Only the table makes rows, so that features can add to them.
#[derive(Clone)]
#[non_exhaustive]
pub struct Info {
    /// The request type's name; the OpenAPI operation id.
    pub id: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// HTTP method.
    pub method: Method,
    /// HTTP status of success.
    pub status: u16,
    /// Path after [`BASE`], with `{field}` for path fields.
    pub path: &'static str,
    /// Schema of the request. Needs the feature `schema`.
    #[cfg(feature = "schema")]
    pub request: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the response. Needs the feature `schema`.
    #[cfg(feature = "schema")]
    pub response: fn(&mut SchemaGenerator) -> Schema,
    /// Checks that a JSON object is a request of this endpoint; see [`decode()`].
    pub check: fn(&serde_json::Value) -> Result<(), Error>,
}

impl Info {
    /// The fields that the path names.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
    }
    /// Whether fields that the path does not name go to the query rather than to the body.
    #[must_use]
    pub fn in_query(&self) -> bool {
        self.method == Method::GET || self.method == Method::DELETE
    }
}

/// An empty answer: `{}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Empty {}
