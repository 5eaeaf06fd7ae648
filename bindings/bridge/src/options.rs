//! What a caller may say about a client and about single calls.

use crate::Failure;
use oz_client::RequestOptions;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// How a client is made. What is absent is found as the command line finds it: in the environment, then in the stored
/// login.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientOptions {
    /// The API key.
    #[serde(default)]
    pub api_key: Option<String>,
    /// Address of the control plane, such as `http://127.0.0.1:7700`.
    #[serde(default)]
    pub base_url: Option<String>,
    /// How many seconds one try of a call may take; 60 when absent.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// How often a call that failed is tried again; 3 when absent.
    #[serde(default)]
    pub max_retries: Option<u32>,
    /// Headers to send with every call.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// What makes the calls, such as `API`, for the records of runs.
    #[serde(default)]
    pub source: Option<String>,
}

/// How one call is made. What is absent is as for the client.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallOptions {
    /// How many seconds one try may take.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// How often the call is tried again when it failed.
    #[serde(default)]
    pub max_retries: Option<u32>,
    /// Headers to send, beside those of the client; they replace those of the same name.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// Names a POST: however often it is sent with this key, it is done once.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

impl ClientOptions {
    /// The options of a call of this client.
    pub(crate) fn merged(&self, call: &CallOptions) -> Result<RequestOptions, Failure> {
        let timeout = call.timeout.or(self.timeout).map(seconds).transpose()?;
        let retries = call.max_retries.or(self.max_retries);
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in [&self.headers, &call.headers].into_iter().flatten().flatten() {
            headers.insert(name.to_ascii_lowercase(), value.clone());
        }
        Ok(RequestOptions {
            timeout,
            max_attempts: retries.map(|retries| retries.saturating_add(1)),
            headers: headers.into_iter().collect(),
            idempotency_key: call.idempotency_key.clone(),
        })
    }
}

fn seconds(value: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(value).ok().filter(|time| !time.is_zero()).ok_or_else(|| Failure {
        field: Some("timeout".into()),
        ..Failure::config(format!("timeout: '{value}' is not valid; expected a number of seconds above 0"))
    })
}
