//! The endpoint table by noun: `client.schedules().list()`. Each method is one line over [`Client::send`](crate::Client::send);
//! whatever needs more than a line says so itself.

/// Declares a noun: the struct with its calls and the method of the client that leads to it.
macro_rules! noun {
    ($(#[$doc:meta])* $Noun:ident $name:ident) => {
        $(#[$doc])*
        ///
        #[doc = concat!("Got from [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
        #[derive(Debug, Clone, Copy)]
        pub struct $Noun<'a>(&'a $crate::Client);

        impl $crate::Client {
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $Noun<'_> {
                $Noun(self)
            }
        }
    };
}

/// Declares calls of a noun, and the list of their rows for the test that misses none. A call names a request type of
/// the table and what it answers. It takes the request as a whole, `create(CreateSchedule) -> Schedule`, or field by
/// field, `get(GetSchedule { schedule_id: String }) -> Schedule`. Rows after `and` have methods that are written out.
macro_rules! calls {
    (@one $(#[$doc:meta])* $name:ident($Request:ident) -> $Answer:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// See [`Client::send`](crate::Client::send).
        pub async fn $name(&self, request: &oz_core::api::$Request) -> Result<$Answer, $crate::Error> {
            self.0.send(request).await
        }
    };
    (@one $(#[$doc:meta])* $name:ident($Request:ident { $($field:ident: $Field:ty),* }) -> $Answer:ty) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// See [`Client::send`](crate::Client::send).
        pub async fn $name(&self, $($field: impl Into<$Field>),*) -> Result<$Answer, $crate::Error> {
            self.0.send(&oz_core::api::$Request { $($field: $field.into()),* }).await
        }
    };
    ($Noun:ident $(and $($by_hand:ident)+)?; $(
        $(#[$doc:meta])* $name:ident($Request:ident $({ $($field:ident: $Field:ty),* })?) -> $Answer:ty;
    )+) => {
        impl $Noun<'_> { $(
            calls!(@one $(#[$doc])* $name($Request $({ $($field: $Field),* })?) -> $Answer);
        )+ }
        #[cfg(test)]
        pub(super) const ROWS: &[&str] = &[$(stringify!($Request),)+ $($(stringify!($by_hand)),+)?];
    };
}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The rows of every noun.
    const COVERED: &[&[&str]] = &[
        super::account::ROWS,
        super::api_keys::ROWS,
        super::artifacts::ROWS,
        super::budgets::ROWS,
        super::conversations::ROWS,
        super::environments::ROWS,
        super::event_log::ROWS,
        super::identities::ROWS,
        super::mcp_servers::ROWS,
        super::memory::ROWS,
        super::messages::ROWS,
        super::model_endpoints::ROWS,
        super::models::ROWS,
        super::profiles::ROWS,
        super::runners::ROWS,
        super::runs::ROWS,
        super::saved_prompts::ROWS,
        super::schedules::ROWS,
        super::secrets::ROWS,
        super::skills::ROWS,
        super::team::ROWS,
    ];

    #[test]
    fn every_row_that_a_user_calls_has_a_method() {
        let rows = oz_core::api::ALL.iter().filter(|row| !row.path.starts_with("/harness-support/"));
        let rows: BTreeSet<&str> = rows.map(|row| row.id).collect();
        let covered: BTreeSet<&str> = COVERED.iter().flat_map(|rows| rows.iter().copied()).collect();
        assert_eq!(covered, rows, "left: what has a method; right: what a user would call");
    }
}
