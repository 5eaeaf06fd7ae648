//! Which control plane a program talks to and with which key, as the command line finds them: what it is told, then the
//! environment, then the token of the run around it, then the stored login.

use crate::{Client, Error};
use etcetera::BaseStrategy as _;
use oz_core::env;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The control plane that is meant when nothing names one.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7700";

/// The stored login.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// The control plane.
    pub server_url: String,
    /// The key for it.
    pub api_key: String,
}

impl std::fmt::Debug for Login {
    /// Shows no key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("server_url", &self.server_url).finish_non_exhaustive()
    }
}

impl Login {
    /// The file of the stored login, whether or not it is there; none without a home directory.
    #[must_use]
    pub fn path() -> Option<PathBuf> {
        Some(etcetera::choose_base_strategy().ok()?.config_dir().join("oz").join("login.json"))
    }

    /// The stored login, if there is one.
    #[must_use]
    pub fn load() -> Option<Self> {
        let text = std::fs::read_to_string(Self::path()?).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// A control plane and what proves who calls it.
#[derive(Clone, PartialEq)]
pub struct Connection {
    /// Its address, without a slash at its end.
    pub server_url: String,
    /// The key for it.
    pub api_key: Option<String>,
    /// The token of the run that this is called in.
    pub workload_token: Option<String>,
}

impl std::fmt::Debug for Connection {
    /// Shows no key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server_url", &self.server_url).finish_non_exhaustive()
    }
}

impl Connection {
    /// The control plane that is meant by a program that was told this address and key, or less.
    #[must_use]
    pub fn find(server_url: Option<String>, api_key: Option<String>) -> Self {
        Self::choose(server_url, api_key, &|name| std::env::var(name).ok(), Login::load())
    }

    fn choose(
        server_url: Option<String>,
        api_key: Option<String>,
        env: &dyn Fn(&str) -> Option<String>,
        stored: Option<Login>,
    ) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| env(name));
        let server_url = server_url
            .or_else(|| first(&[env::SERVER_URL, env::WARP_SERVER_ROOT_URL]).filter(|url| !url.is_empty()))
            .or_else(|| stored.as_ref().map(|login| login.server_url.clone()))
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let server_url = server_url.trim_end_matches('/').to_owned();
        let named = api_key.or_else(|| first(&[env::API_KEY, env::WARP_API_KEY]));
        let workload_token = env(env::WORKLOAD_TOKEN).filter(|token| !token.is_empty());
        // A stored key is of one control plane and goes to no other, and inside a run the key of its machine must not
        // stand in for the run's own token.
        let of_this = |login: &Login| login.server_url.trim_end_matches('/') == server_url;
        let stored = stored.filter(|login| workload_token.is_none() && of_this(login));
        let api_key = named.or_else(|| stored.map(|login| login.api_key));
        Self { server_url, api_key, workload_token }
    }

    /// A client that has the key; without one it acts for the run that this is called in. None when there is neither.
    ///
    /// # Errors
    /// Those of [`Client::new`].
    pub fn client(self) -> Result<Option<Client>, Error> {
        if self.api_key.is_none() {
            return self.agent();
        }
        Client::new(&self.server_url, self.api_key).map(Some)
    }

    /// A client that acts for the run that this is called in; outside of one, it has the key. None when there is
    /// neither.
    ///
    /// # Errors
    /// Those of [`Client::new`].
    pub fn agent(self) -> Result<Option<Client>, Error> {
        match (self.workload_token, self.api_key) {
            (Some(token), _) => Ok(Some(Client::new(&self.server_url, None)?.with_workload_token(&token))),
            (None, Some(key)) => Client::new(&self.server_url, Some(key)).map(Some),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        told: (Option<&str>, Option<&str>),
        env: &[(&str, &str)],
        stored: Option<(&str, &str)>,
    ) -> Connection {
        let lookup = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let stored = stored.map(|(url, key)| Login { server_url: url.to_owned(), api_key: key.to_owned() });
        Connection::choose(told.0.map(str::to_owned), told.1.map(str::to_owned), &lookup, stored)
    }

    #[test]
    fn what_is_told_wins_over_the_environment_and_that_over_the_login() {
        let both = [("WARP_API_KEY", "warp"), ("OZ_API_KEY", "oz"), ("WARP_SERVER_ROOT_URL", "http://warp/")];
        let nothing = (None, None);
        for (told, env, stored, expected) in [
            (nothing, &[][..], None, (DEFAULT_SERVER, None)),
            (nothing, &[], Some(("http://s/", "stored")), ("http://s", Some("stored"))),
            (nothing, &both, Some(("http://s", "stored")), ("http://warp", Some("oz"))),
            ((Some("http://f"), Some("flag")), &both, None, ("http://f", Some("flag"))),
            (nothing, &[("OZ_SERVER_URL", "")], None, (DEFAULT_SERVER, None)),
            (nothing, &[("OZ_API_KEY", "")], Some((DEFAULT_SERVER, "stored")), (DEFAULT_SERVER, Some(""))),
        ] {
            let got = chosen(told, env, stored);
            assert_eq!(
                (got.server_url.as_str(), got.api_key.as_deref()),
                expected,
                "{told:?} {env:?} {stored:?}"
            );
        }
    }

    #[test]
    fn inside_a_run_its_token_stands_before_the_login_of_the_machine() {
        let inside = [(env::WORKLOAD_TOKEN, "token")];
        let got = chosen((None, None), &inside, Some((DEFAULT_SERVER, "stored")));
        assert_eq!((got.api_key, got.workload_token.as_deref()), (None, Some("token")));
        let got = chosen((None, Some("flag")), &inside, Some((DEFAULT_SERVER, "stored")));
        assert_eq!((got.api_key.as_deref(), got.workload_token.as_deref()), (Some("flag"), Some("token")));
    }

    #[test]
    fn a_stored_key_goes_to_no_other_server_and_is_shown_nowhere() {
        let got = chosen((Some("http://other"), None), &[], Some(("http://s", "stored")));
        assert_eq!((got.server_url.as_str(), &got.api_key), ("http://other", &None));
        let got = chosen((None, Some("secret")), &[], None);
        assert!(!format!("{got:?}").contains("secret"));
        assert!(got.client().unwrap().is_some());
        assert!(chosen((None, None), &[], None).client().unwrap().is_none());
    }
}
