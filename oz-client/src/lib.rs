//! The Oz REST API from the caller's side: one `send` for every endpoint of the table, a method for each of them by
//! noun, retries, and live streams that come back from their cursor. It holds no rule of its own: what is legal, the
//! server says.
//!
//! ```no_run
//! # async fn example() -> Result<(), oz_client::Error> {
//! use oz_core::api::CreateRun;
//! let client = oz_client::Client::new("http://127.0.0.1:7700", std::env::var("OZ_API_KEY").ok())?;
//! let created = client.send(&CreateRun { prompt: Some("fix the failing test".into()), ..Default::default() }).await?;
//! println!("{}", client.runs().wait(created.run_id).await?.state);
//! # Ok(()) }
//! ```

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
