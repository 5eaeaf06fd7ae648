//! The Oz REST API from the caller's side. It holds no rule of its own: what is legal, the server says.
//!
#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod client;
#[cfg(feature = "login")]
pub mod connection;
mod error;
mod http;
mod live;
pub mod method;
mod options;
mod resources;
pub mod retry;
mod seal;
#[cfg(test)]
mod tests;
mod transfer;
mod watch;

pub use answer::RawResponse;
pub use client::Client;
pub use error::Error;
pub use http::{http_builder, http_client};
pub use options::RequestOptions;
pub use resources::{
    Accounts, ApiKeys, Artifacts, Budgets, Conversations, Environments, EventLog, Identities, McpServers,
    MemoryStores, Messages, ModelEndpoints, Models, NewSecret, Profiles, Runners, Runs, SavedPrompts,
    Schedules, Secrets, Skills, Teams,
};
pub use seal::seal;
