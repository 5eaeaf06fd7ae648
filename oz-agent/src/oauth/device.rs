//! A login on another device (RFC 8628), for machines without a browser.

use super::{
    KnownClient,
    fresh::ask,
    login::{CLIENT, discover},
};
use oz_core::secret::McpOauth;
use serde::Deserialize;
use serde_json::json;
use std::{fmt, time::Duration};
use tokio::time::{Instant, sleep};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(15);

/// A login that waits for its user.
pub struct Device {
    /// Where to log in.
    pub address: String,
    /// What to type there.
    pub code: String,
    device_code: String,
    wait: Duration,
    until: Instant,
    draft: McpOauth,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("address", &self.address).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Option<u64>,
    interval: Option<u64>,
}

/// Begins a login at the server at `url`.
///
/// # Errors
/// In words, when its authorization server offers no such login.
pub async fn begin_device(url: &str, client: Option<KnownClient>) -> Result<Device, String> {
    let (manager, metadata) = discover(url).await?;
    let offered = metadata.additional_fields.get("device_authorization_endpoint").and_then(|v| v.as_str());
    let Some(endpoint) = offered else {
        return Err(
            "its authorization server offers no login on another device; use --no-browser instead".to_owned()
        );
    };
    let scope = manager.select_initial_scopes(&[]).await.join(" ");
    let client = match (client, &metadata.registration_endpoint) {
        (Some(client), _) => client,
        (None, Some(registration)) => {
            let about = json!({ "client_name": CLIENT, "redirect_uris": [], "grant_types": [GRANT, "refresh_token"],
                "token_endpoint_auth_method": "none", "application_type": "native" });
            let Registered { client_id, client_secret } = post(registration, |r| r.json(&about)).await?;
            KnownClient { id: client_id, secret: client_secret.filter(|secret| !secret.is_empty()) }
        }
        (None, None) => {
            return Err(
                "its authorization server registers clients by hand; name yours with --client-id".to_owned()
            );
        }
    };
    let draft = McpOauth {
        resource: url.to_owned(),
        token_endpoint: metadata.token_endpoint.clone(),
        client_id: client.id,
        client_secret: client.secret,
        ..McpOauth::default()
    };
    let form = super::fresh::form(&[("client_id", &draft.client_id), ("scope", &scope), ("resource", url)]);
    let kind = "application/x-www-form-urlencoded";
    let begun: Begun = post(endpoint, |r| r.header("Content-Type", kind).body(form)).await?;
    Ok(Device {
        address: begun.verification_uri_complete.unwrap_or(begun.verification_uri),
        code: begun.user_code,
        device_code: begun.device_code,
        wait: Duration::from_secs(begun.interval.unwrap_or(5).clamp(1, 60)),
        until: Instant::now() + Duration::from_secs(begun.expires_in.unwrap_or(600).min(3600)),
        draft,
    })
}

async fn post<T: serde::de::DeserializeOwned>(
    url: &str,
    with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
) -> Result<T, String> {
    let client = oz_client::http_client(url).map_err(|e| e.to_string())?;
    let request = with(client.post(url).timeout(LIMIT));
    let answer =
        request.send().await.map_err(|e| format!("the authorization server can't be reached: {e}"))?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(|e| e.to_string())?;
    if !status.is_success() {
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(300).collect();
        return Err(format!("the authorization server answers {status}: {shown}"));
    }
    serde_json::from_slice(&bytes)
        .map_err(|_| "the authorization server's answer was not understood".to_owned())
}

impl Device {
    /// Waits until the user has logged in. `clock` tells the seconds since 1970.
    ///
    /// # Errors
    /// In words, when the user refuses or takes too long.
    pub async fn finish(mut self, clock: impl Fn() -> i64) -> Result<McpOauth, String> {
        loop {
            sleep(self.wait).await;
            let answer =
                ask(&self.draft, &[("grant_type", GRANT), ("device_code", &self.device_code)]).await?;
            match answer.error.as_deref() {
                Some("authorization_pending") => {}
                Some("slow_down") => self.wait += Duration::from_secs(5),
                Some(_) => return Err(format!("the authorization server refuses: {}", answer.problem())),
                None => return answer.into_login(self.draft, clock()),
            }
            if Instant::now() > self.until {
                return Err("nobody has logged in in time".to_owned());
            }
        }
    }
}
