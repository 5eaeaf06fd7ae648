//! A login in a browser: authorization code with PKCE. Who redirects the browser, and whereto, is the caller's part.

use super::{KnownClient, fresh::Answer};
use oz_core::secret::McpOauth;
use reqwest::Url;
use rmcp::transport::auth::{
    AuthorizationCallback, AuthorizationManager, AuthorizationMetadata, OAuthClientConfig,
};
use std::fmt;

/// The name by which authorization servers know us.
pub(super) const CLIENT: &str = "Oz";

/// A login that has begun.
pub struct Login {
    manager: AuthorizationManager,
    address: String,
    draft: McpOauth,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("resource", &self.draft.resource).finish_non_exhaustive()
    }
}

/// Finds out who logs people in at a server.
pub(super) async fn discover(url: &str) -> Result<(AuthorizationManager, AuthorizationMetadata), String> {
    // Sets up TLS as everywhere in this program.
    oz_client::http_client(url).map_err(|e| e.to_string())?;
    let mut manager =
        AuthorizationManager::new_allowing_private_addresses(url).await.map_err(|e| e.to_string())?;
    let found = manager.resolve_metadata().await.map_err(|e| e.to_string())?;
    if !found.source.is_discovered() {
        return Err(
            "it does not say who logs in to it; it may need no login, or a key in a header".to_owned()
        );
    }
    manager.set_metadata(found.metadata.clone());
    Ok((manager, found.metadata))
}

impl Login {
    /// Begins a login at the server at `url`. The browser comes back to `redirect`.
    ///
    /// # Errors
    /// In words, when the server or its authorization server can't do it.
    pub async fn begin(url: &str, redirect: &str, client: Option<KnownClient>) -> Result<Self, String> {
        let (mut manager, metadata) = discover(url).await?;
        let scopes = manager.select_initial_scopes(&[]).await;
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let config = match client {
            Some(KnownClient { id, secret }) => {
                let config = OAuthClientConfig::new(id, redirect);
                let config = match secret {
                    Some(secret) => config.with_client_secret(secret),
                    None => config,
                };
                manager.configure_client(config.clone()).map_err(|e| e.to_string())?;
                config
            }
            None => manager
                .register_client(CLIENT, redirect, &scopes)
                .await
                .map_err(|e| format!("{e}; if it registers clients by hand, name yours with --client-id"))?,
        };
        let address = manager.get_authorization_url(&scopes).await.map_err(|e| e.to_string())?;
        let draft = McpOauth {
            resource: resource(&address).unwrap_or_else(|| url.to_owned()),
            token_endpoint: metadata.token_endpoint,
            client_id: config.client_id,
            client_secret: config.client_secret,
            ..McpOauth::default()
        };
        Ok(Self { manager, address, draft })
    }

    /// Where the user logs in.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends the login with the address that the browser came back to, at `now` in seconds since 1970.
    ///
    /// # Errors
    /// In words.
    pub async fn finish(&self, returned: &str, now: i64) -> Result<McpOauth, String> {
        if let Some(refusal) = refusal(returned) {
            return Err(format!("the authorization server refuses: {refusal}"));
        }
        let callback = AuthorizationCallback::from_redirect_url(returned).map_err(|e| e.to_string())?;
        let AuthorizationCallback { code, csrf_token, issuer, .. } = callback;
        let token = self.manager.exchange_code_for_token_with_issuer(&code, &csrf_token, issuer.as_deref());
        let token = token.await.map_err(|e| e.to_string())?;
        let answer: Answer = serde_json::to_value(token)
            .and_then(serde_json::from_value)
            .map_err(|_| "the authorization server's answer was not understood".to_owned())?;
        answer.into_login(self.draft.clone(), now)
    }
}

/// What the address of a login says that it is for.
fn resource(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.query_pairs().find(|(name, _)| name == "resource").map(|(_, value)| value.into_owned())
}

/// Why a login was refused.
fn refusal(returned: &str) -> Option<String> {
    let url = Url::parse(returned).ok()?;
    let get = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    get("error")
        .map(|error| get("error_description").map_or(error.clone(), |text| format!("{error}: {text}")))
}
