//! A login that is about to end becomes one that is not.

use oz_core::secret::McpOauth;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::time::Duration;

/// How long a login must still be good, in seconds, so that a run can begin with it.
const ENOUGH: i64 = 600;
/// How long getting a new one may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What a token endpoint answers.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) access_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<i64>,
    pub(super) error: Option<String>,
    error_description: Option<String>,
}

impl Answer {
    /// What is wrong, in words.
    pub(super) fn problem(&self) -> String {
        match (&self.error, &self.error_description) {
            (Some(error), Some(text)) => format!("{error}: {text}"),
            (Some(error), None) => error.clone(),
            _ => "it gives no token".to_owned(),
        }
    }

    /// The login after this answer.
    pub(super) fn into_login(self, before: McpOauth, now: i64) -> Result<McpOauth, String> {
        let problem = self.problem();
        let access_token = self.access_token.filter(|token| !token.is_empty()).ok_or(problem)?;
        Ok(McpOauth {
            access_token,
            refresh_token: self.refresh_token.or(before.refresh_token),
            expires_at: self.expires_in.map(|seconds| now.saturating_add(seconds)),
            ..before
        })
    }
}

/// A form as it is posted.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Asks a token endpoint as the client of `login`.
pub(super) async fn ask(login: &McpOauth, more: &[(&str, &str)]) -> Result<Answer, String> {
    let client = oz_client::http_client(&login.token_endpoint).map_err(|e| e.to_string())?;
    let mut form: Vec<(&str, &str)> = more.to_vec();
    form.push(("client_id", &login.client_id));
    form.push(("resource", &login.resource));
    if let Some(secret) = &login.client_secret {
        form.push(("client_secret", secret));
    }
    let body = self::form(&form);
    let request = client
        .post(&login.token_endpoint)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .timeout(LIMIT)
        .body(body);
    let asked = async { request.send().await?.bytes().await };
    let bytes =
        asked.await.map_err(|e| format!("its authorization server can't be reached: {}", e.without_url()))?;
    // The parser's own message may quote a token.
    serde_json::from_slice(&bytes)
        .map_err(|_| "its authorization server does not answer with JSON".to_owned())
}

/// The login as it is while it is good for long enough, otherwise a new one.
pub(crate) async fn fresh(login: McpOauth, now: i64) -> Result<McpOauth, String> {
    let left = login.expires_at.map_or(i64::MAX, |at| at.saturating_sub(now));
    if left > ENOUGH {
        return Ok(login);
    }
    let Some(token) = &login.refresh_token else {
        return if left > 0 { Ok(login) } else { Err("its login has ended".to_owned()) };
    };
    let renewed = match ask(&login, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await {
        Ok(answer) => answer.into_login(login.clone(), now),
        Err(e) => Err(e),
    };
    match renewed {
        Ok(renewed) => Ok(renewed),
        Err(_) if left > 0 => Ok(login),
        Err(e) => Err(format!("its login has ended and can't be renewed: {e}")),
    }
}
