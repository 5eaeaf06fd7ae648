//! Where models may come from: the environment's providers and the model services that a team or a person configured.

use super::file;
use oz_core::{Error, ErrorCode, api::RunModelEndpoint, inference::EndpointConfig};
use std::fmt;

/// A lookup of environment variables.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is configured.
pub struct Sources<'a> {
    pub(super) env: Env<'a>,
    /// The services of the team, then those of the file.
    pub(super) services: Vec<Service>,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("services", &self.services).finish_non_exhaustive()
    }
}

impl<'a> Sources<'a> {
    /// What `env` configures, with the file that it names, and the services of the `team`. Of two services with the same
    /// name the team's stands.
    ///
    /// # Errors
    /// `invalid_request` that says what is wrong in the file.
    pub fn new(env: Env<'a>, team: &[RunModelEndpoint]) -> Result<Self, Error> {
        let mut services: Vec<Service> = team.iter().map(Service::of_team).collect();
        for service in file::read(env)? {
            if !services.iter().any(|other| other.config.name == service.config.name) {
                services.push(service);
            }
        }
        Ok(Self { env, services })
    }

    /// The value of a variable, unless it is blank.
    pub(super) fn set(&self, name: &str) -> Option<String> {
        set(self.env, name)
    }
}

/// The value of a variable, unless it is blank.
pub(super) fn set(env: Env<'_>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// What opens a service.
#[derive(Clone, PartialEq)]
pub(super) enum Key {
    /// It wants none.
    None,
    /// This.
    Value(String),
    /// Something that is not there; the text says what.
    Missing(String),
}

/// A configured model service.
#[derive(Clone, PartialEq)]
pub(super) struct Service {
    pub(super) config: EndpointConfig,
    pub(super) key: Key,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Service {
    fn of_team(endpoint: &RunModelEndpoint) -> Self {
        let config = endpoint.config.clone();
        let given = endpoint.api_key.clone().filter(|key| !key.trim().is_empty());
        let key = match (given, &config.secret) {
            (Some(key), _) => Key::Value(key),
            (None, None) => Key::None,
            (None, Some(secret)) => {
                Key::Missing(format!("the secret '{}', which this run does not get", secret.name))
            }
        };
        Self { config, key }
    }

    /// Its key.
    ///
    /// # Errors
    /// `authentication_required` that says what is missing.
    pub(super) fn key(&self) -> Result<Option<String>, Error> {
        match &self.key {
            Key::None => Ok(None),
            Key::Value(key) => Ok(Some(key.clone())),
            Key::Missing(what) => {
                let text = format!("the model service '{}' needs {what}", self.config.name);
                Err(Error::new(ErrorCode::AuthenticationRequired, text))
            }
        }
    }

    /// Whether it may be chosen without being asked for: its key is there, and this version speaks its format.
    pub(super) fn is_usable(&self) -> bool {
        !matches!(self.key, Key::Missing(_)) && self.config.api.is_known()
    }
}
