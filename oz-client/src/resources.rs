//! The endpoint table by noun: `client.schedules().list()`. Each method is one line over [`Client::send`](crate::Client::send);
//! whatever needs more than a line says so itself.

/// Declares a noun: the struct with its calls and the method of the client that leads to it.
macro_rules! noun {
    ($(#[doc = $doc:literal])* $Noun:ident $name:ident) => {
        $(#[doc = $doc])*
        ///
        #[doc = concat!("Got from [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
        #[derive(Debug, Clone, Copy)]
        pub struct $Noun<'a>(&'a $crate::Client);

        /// What leads to the noun, and what it is about.
        const NAME: &str = stringify!($name);
        const ABOUT: &str = concat!($($doc, "\n"),*);

        impl $crate::Client {
            $(#[doc = $doc])*
            #[must_use]
            pub fn $name(&self) -> $Noun<'_> {
                $Noun(self)
            }
        }
    };
}

/// Declares calls of a noun, and the list of them in [`method`](crate::method). A call names a request type of the table
/// and what it answers. It takes the request as a whole, `create(CreateSchedule) -> Schedule`, or field by field,
/// `get(GetSchedule { schedule_id: String }) -> Schedule`. `calls! { Runs + BY_HAND; … }` lists methods that are written
/// out as well.
macro_rules! calls {
    (@one $(#[doc = $doc:literal])* $name:ident($Request:ident) -> $Answer:ty) => {
        $(#[doc = $doc])*
        ///
        /// # Errors
        /// See [`Client::send`](crate::Client::send).
        pub async fn $name(&self, request: &oz_core::api::$Request) -> Result<$Answer, $crate::Error> {
            self.0.send(request).await
        }
    };
    (@one $(#[doc = $doc:literal])* $name:ident($Request:ident { $($field:ident: $Field:ty),* }) -> $Answer:ty) => {
        $(#[doc = $doc])*
        ///
        /// # Errors
        /// See [`Client::send`](crate::Client::send).
        pub async fn $name(&self, $($field: impl Into<$Field>),*) -> Result<$Answer, $crate::Error> {
            self.0.send(&oz_core::api::$Request { $($field: $field.into()),* }).await
        }
    };
    (@by_hand) => { &[] };
    (@by_hand $list:ident) => { $list };
    ($Noun:ident $(+ $by_hand:ident)?; $(
        $(#[doc = $doc:literal])*
        $name:ident($Request:ident $({ $($field:ident: $Field:ty),* })?) -> $Answer:ty;
    )+) => {
        impl $Noun<'_> { $(
            calls!(@one $(#[doc = $doc])* $name($Request $({ $($field: $Field),* })?) -> $Answer);
        )+ }
        /// The noun with its methods.
        pub(super) const NOUN: $crate::method::Noun = $crate::method::Noun {
            name: NAME,
            type_name: stringify!($Noun),
            doc: ABOUT,
            calls: &[$(
                $crate::method::Method::row_of::<oz_core::api::$Request, $Answer>(
                    (NAME, stringify!($name)),
                    concat!($($doc, "\n"),*),
                )
                .taking(&[$($(stringify!($field)),*)?]),
            )+],
            by_hand: calls!(@by_hand $($by_hand)?),
        };
    };
}

use crate::method::Noun;

mod account;
mod api_keys;
mod artifacts;
mod budgets;
mod conversations;
mod environments;
mod event_log;
mod identities;
mod mcp_servers;
mod memory;
mod messages;
mod model_endpoints;
mod models;
mod profiles;
mod runners;
mod runs;
mod saved_prompts;
mod schedules;
mod secrets;
mod skills;
mod team;

pub use account::Accounts;
pub use api_keys::ApiKeys;
pub use artifacts::Artifacts;
pub use budgets::Budgets;
pub use conversations::Conversations;
pub use environments::Environments;
pub use event_log::EventLog;
pub use identities::Identities;
pub use mcp_servers::McpServers;
pub use memory::MemoryStores;
pub use messages::Messages;
pub use model_endpoints::ModelEndpoints;
pub use models::Models;
pub use profiles::Profiles;
pub use runners::Runners;
pub use runs::Runs;
pub use saved_prompts::SavedPrompts;
pub use schedules::Schedules;
pub use secrets::{NewSecret, Secrets};
pub use skills::Skills;
pub use team::Teams;

/// Every noun; the client's own methods come first.
pub(crate) static NOUNS: &[Noun] = &[
    crate::method::OWN,
    account::NOUN,
    api_keys::NOUN,
    artifacts::NOUN,
    budgets::NOUN,
    conversations::NOUN,
    environments::NOUN,
    event_log::NOUN,
    identities::NOUN,
    mcp_servers::NOUN,
    memory::NOUN,
    messages::NOUN,
    model_endpoints::NOUN,
    models::NOUN,
    profiles::NOUN,
    runners::NOUN,
    runs::NOUN,
    saved_prompts::NOUN,
    schedules::NOUN,
    secrets::NOUN,
    skills::NOUN,
    team::NOUN,
];
