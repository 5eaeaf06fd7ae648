//! Which control plane a command talks to and with which key; [`oz_client::connection`] says how that is found.

use crate::{cli::Global, error::CliError};
use oz_client::Client;

/// A control plane and the key for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connection {
    pub(crate) server_url: String,
    pub(crate) api_key: Option<String>,
    found: oz_client::connection::Connection,
}

/// The control plane that a command means.
pub(crate) fn of(global: &Global) -> Connection {
    let found =
        oz_client::connection::Connection::find(global.server_root_url.clone(), global.api_key.clone());
    Connection { server_url: found.server_url.clone(), api_key: found.api_key.clone(), found }
}

impl Connection {
    /// A client that has a key; without one it acts for the run that this is called in.
    pub(crate) fn client(self) -> Result<Client, CliError> {
        with_source(self.found.client()?)
    }

    /// A client that acts for the run that this is called in; outside of one, it has a key.
    pub(crate) fn agent(self) -> Result<Client, CliError> {
        with_source(self.found.agent()?)
    }
}

fn with_source(client: Option<Client>) -> Result<Client, CliError> {
    let in_action = std::env::var("GITHUB_ACTIONS").is_ok_and(|v| v == "true");
    let source = if in_action { "GITHUB_ACTION" } else { "CLI" };
    Ok(client.ok_or_else(CliError::not_logged_in)?.with_source(source))
}
