//! Requests of methods that have no row in the endpoint table.

use oz_core::{
    ConversationId, RunId,
    api::{Secret, UploadTarget},
};
use serde::Deserialize;

/// Watch one run, or a run and all that it started.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WatchRun {
    /// The run.
    pub run_id: RunId,
    /// The cursor to go on after: the sequence of the last item that was seen; 0 for all.
    #[serde(default)]
    pub since: i64,
}

/// Watch the events of some runs.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WatchEvents {
    /// The runs.
    pub run_ids: Vec<RunId>,
    /// The cursor to go on after: the sequence of the last event that was seen; 0 for all.
    #[serde(default)]
    pub since: i64,
}

/// Something of one run.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfRun {
    /// The run.
    pub run_id: RunId,
}

/// Something of one conversation.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
}

/// Something of one artifact.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfArtifact {
    /// The artifact.
    pub artifact_uid: String,
}

/// Send bytes to an address that the server named.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadTo {
    /// The address, as it came.
    pub target: UploadTarget,
}

/// Fetch bytes from an address that the server named.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DownloadFrom {
    /// The address, as it came.
    pub url: String,
}

/// Change a secret; what is absent stays.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeSecret {
    /// The secret, as it came.
    pub secret: Secret,
    /// Its new value: as it is for a raw value, the JSON of its type otherwise.
    #[serde(default)]
    pub value: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

/// Ask whether the server is there.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Healthy {
    /// How many seconds to wait for it.
    #[serde(default = "moment")]
    pub within: f64,
}

fn moment() -> f64 {
    5.0
}
