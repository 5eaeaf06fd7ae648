//! Which control plane a command talks to and with which key: flags, then the environment, then the stored login.

use crate::{
    cli::Global,
    error::CliError,
    settings::{self, Login},
};
use oz_client::Client;
use oz_core::env;

const DEFAULT_SERVER: &str = "http://127.0.0.1:7700";

/// A control plane and the key for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connection {
    pub(crate) server_url: String,
    pub(crate) api_key: Option<String>,
    source: &'static str,
}

/// The control plane that a command means.
pub(crate) fn of(global: &Global) -> Connection {
    choose(global, &|name| std::env::var(name).ok(), settings::load())
}

fn choose(global: &Global, env: &dyn Fn(&str) -> Option<String>, stored: Option<Login>) -> Connection {
    let first = |names: &[&str]| names.iter().find_map(|name| env(name));
    let server_url = global
        .server_root_url
        .clone()
        .or_else(|| first(&[env::SERVER_URL, env::WARP_SERVER_ROOT_URL]).filter(|url| !url.is_empty()))
        .or_else(|| stored.as_ref().map(|login| login.server_url.clone()))
        .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let server_url = server_url.trim_end_matches('/').to_owned();
    // A stored key is of one control plane and goes to no other.
    let stored = stored.filter(|login| login.server_url.trim_end_matches('/') == server_url);
    let api_key = global
        .api_key
        .clone()
        .or_else(|| first(&[env::API_KEY, env::WARP_API_KEY]))
        .or_else(|| stored.map(|login| login.api_key));
    let in_action = env("GITHUB_ACTIONS").is_some_and(|v| v == "true");
    Connection { server_url, api_key, source: if in_action { "GITHUB_ACTION" } else { "CLI" } }
}

impl Connection {
    /// A client that has a key.
    pub(crate) fn client(self) -> Result<Client, CliError> {
        let api_key = self.api_key.ok_or_else(CliError::not_logged_in)?;
        Ok(Client::new(&self.server_url, Some(api_key))?.with_source(self.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn chosen(args: &[&str], env: &[(&str, &str)], stored: Option<(&str, &str)>) -> (String, Option<String>) {
        let cli = crate::cli::Cli::parse_from([&["oz"], args].concat());
        let lookup = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let stored = stored.map(|(url, key)| Login { server_url: url.to_owned(), api_key: key.to_owned() });
        let connection = choose(&cli.global, &lookup, stored);
        (connection.server_url, connection.api_key)
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_login() {
        let both = [("WARP_API_KEY", "warp"), ("OZ_API_KEY", "oz"), ("WARP_SERVER_ROOT_URL", "http://warp/")];
        let url = |url: &str, key: Option<&str>| (url.to_owned(), key.map(str::to_owned));
        for (args, env, stored, expected) in [
            (&[][..], &[][..], None, url(DEFAULT_SERVER, None)),
            (&[], &[], Some(("http://s/", "stored")), url("http://s", Some("stored"))),
            (&[], &both, Some(("http://s", "stored")), url("http://warp", Some("oz"))),
            (
                &["--api-key", "flag", "--server-root-url", "http://f"],
                &both,
                None,
                url("http://f", Some("flag")),
            ),
            (&[], &[("OZ_SERVER_URL", "")], None, url(DEFAULT_SERVER, None)),
            (&[], &[("OZ_API_KEY", "")], Some((DEFAULT_SERVER, "stored")), url(DEFAULT_SERVER, Some(""))),
        ] {
            assert_eq!(chosen(args, env, stored), expected, "{args:?} {env:?} {stored:?}");
        }
    }

    #[test]
    fn a_stored_key_goes_to_no_other_server() {
        let (url, key) = chosen(&["--server-root-url", "http://other"], &[], Some(("http://s", "stored")));
        assert_eq!((url.as_str(), key), ("http://other", None));
    }
}
