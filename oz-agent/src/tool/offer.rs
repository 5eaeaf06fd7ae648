//! What decides which tools an agent has and what they offer.

use crate::web::Web;
use oz_core::{
    Error,
    egress::Network,
    env,
    permission::{PermissionLevel, Permissions},
};
use std::{collections::BTreeMap, sync::Arc};

/// What is offered to an agent beside the tools that are always there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    /// The names of secrets that commands may ask for.
    pub(super) secrets: Vec<String>,
    /// The way to the web, when it may use that.
    pub(super) web: Option<Arc<Web>>,
}

impl Offer {
    /// The offer of a task, where `env` looks up variables of the agent.
    ///
    /// # Errors
    /// When the search service has no right address.
    pub(crate) fn new(
        permissions: &Permissions,
        secrets: &BTreeMap<String, String>,
        network: &Network,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let web = match permissions.call_web_tools {
            Some(PermissionLevel::AlwaysAllow) => {
                let search = env(env::WEB_SEARCH_URL).filter(|url| !url.is_empty());
                let private = env(env::WEB_ALLOW_PRIVATE).as_deref() == Some("1");
                Some(Arc::new(Web::new(search.as_deref(), private)?.within_list(network.clone())))
            }
            _ => None,
        };
        Ok(Self { secrets: secrets.keys().cloned().collect(), web })
    }
}
