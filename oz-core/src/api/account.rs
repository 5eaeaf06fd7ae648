//! Requests about the caller and the workers.

use super::Validate;
use crate::{Timestamp, principal::Principal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who the caller is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WhoAmI {}
impl Validate for WhoAmI {}

/// The caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListWorkers {}
impl Validate for ListWorkers {}

/// The connected workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerList {
    /// One per worker id, sorted.
    pub workers: Vec<ConnectedWorker>,
}

/// All connections of one worker id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectedWorker {
    /// The worker's id.
    pub worker_host: String,
    /// How many connections it has.
    pub connection_count: u32,
    /// When the oldest of them began.
    pub connected_at: Timestamp,
    /// When the latest frame came.
    pub last_seen_at: Timestamp,
    /// (+) How many runs all of them take at once; absent when one of them has no limit or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// (+) How many runs they have.
    #[serde(default)]
    pub active: u32,
    /// (+) Their backends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<String>,
    /// (+) Their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// (+) The labels that all of them have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// (+) Whether all of them are about to end.
    #[serde(default)]
    pub draining: bool,
    /// (+) Each of them, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<WorkerConnection>,
}

/// (+) One connection of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerConnection {
    /// Names the worker's process; absent when it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Its backend, such as `docker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many runs it takes at once; absent when it has no limit or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// How many runs it has.
    #[serde(default)]
    pub active: u32,
    /// What it offers to runs that ask for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whether it is about to end: it takes no more runs.
    #[serde(default)]
    pub draining: bool,
    /// When it began.
    pub connected_at: Timestamp,
    /// When its latest frame came.
    pub last_seen_at: Timestamp,
}
