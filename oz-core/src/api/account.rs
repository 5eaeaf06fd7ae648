//! Requests about the caller and the workers.

use super::Validate;
use crate::{Timestamp, principal::Principal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the caller is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {}
impl Validate for WhoAmI {}

/// The caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The person or service account.
    pub principal: Principal,
    /// Its team's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Its team's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_name: Option<String>,
    /// Its role in the team: `admin` or `member`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// List the workers that are connected.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListWorkers {}
impl Validate for ListWorkers {}

/// The connected workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerList {
    /// One per worker id, sorted.
    pub workers: Vec<ConnectedWorker>,
}

/// All connections of one worker id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectedWorker {
    /// The worker's id.
    pub worker_host: String,
    /// How many connections it has.
    pub connection_count: u32,
    /// When the oldest of them began.
    pub connected_at: Timestamp,
    /// When the latest frame came.
    pub last_seen_at: Timestamp,
}
