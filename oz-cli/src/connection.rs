//! Which control plane a command talks to and with which key: flags, then the environment, then the token of the run
//! around us, then the stored login.

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
    /// The token of the run that this is called in.
    workload_token: Option<String>,
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
    let named = global.api_key.clone().or_else(|| first(&[env::API_KEY, env::WARP_API_KEY]));
    let workload_token = env(env::WORKLOAD_TOKEN).filter(|token| !token.is_empty());
    // A stored key is of one control plane and goes to no other, and inside a run the key of its machine must not
    // stand in for the run's own token.
    let of_this = |login: &Login| login.server_url.trim_end_matches('/') == server_url;
    let stored = stored.filter(|login| workload_token.is_none() && of_this(login));
    let api_key = named.or_else(|| stored.map(|login| login.api_key));
    let in_action = env("GITHUB_ACTIONS").is_some_and(|v| v == "true");
    let source = if in_action { "GITHUB_ACTION" } else { "CLI" };
    Connection { server_url, api_key, workload_token, source }
}

impl Connection {
    /// A client that has a key; without one it acts for the run that this is called in.
    pub(crate) fn client(self) -> Result<Client, CliError> {
        if self.api_key.is_none() {
            return self.agent();
        }
        Ok(Client::new(&self.server_url, self.api_key)?.with_source(self.source))
    }

    /// A client that acts for the run that this is called in; outside of one, it has a key.
    pub(crate) fn agent(self) -> Result<Client, CliError> {
        let Some(token) = self.workload_token else {
            let api_key = self.api_key.ok_or_else(CliError::not_logged_in)?;
            return Ok(Client::new(&self.server_url, Some(api_key))?.with_source(self.source));
        };
        Ok(Client::new(&self.server_url, None)?.with_source(self.source).with_workload_token(&token))
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
    fn inside_a_run_its_token_stands_before_the_login_of_the_machine() {
        let global = |args: &[&str]| crate::cli::Cli::parse_from([&["oz"], args].concat()).global;
        let lookup = |name: &str| (name == env::WORKLOAD_TOKEN).then(|| "token".to_owned());
        let login = || Some(Login { server_url: DEFAULT_SERVER.to_owned(), api_key: "stored".to_owned() });
        let inside = choose(&global(&[]), &lookup, login());
        assert_eq!((inside.api_key, inside.workload_token.as_deref()), (None, Some("token")));
        let named = choose(&global(&["--api-key", "flag"]), &lookup, login());
        assert_eq!(
            (named.api_key.as_deref(), named.workload_token.as_deref()),
            (Some("flag"), Some("token"))
        );
    }

    #[test]
    fn a_stored_key_goes_to_no_other_server() {
        let (url, key) = chosen(&["--server-root-url", "http://other"], &[], Some(("http://s", "stored")));
        assert_eq!((url.as_str(), key), ("http://other", None));
    }
}
