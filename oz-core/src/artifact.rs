//! What a run leaves behind.

use crate::{Open, Timestamp};
use serde::{Deserialize, Serialize};

/// The kinds of artifact with the fields that a run record shows of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "artifact_type", content = "data", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Artifact {
    /// A plan document.
    Plan {
        /// The document's id.
        document_uid: String,
        /// The artifact's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artifact_uid: Option<String>,
        /// The document's id under its older name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notebook_uid: Option<String>,
        /// Where to read it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A pull or merge request.
    PullRequest {
        /// Its address.
        url: String,
        /// The branch it comes from.
        branch: String,
    },
    /// A picture.
    Screenshot {
        /// The artifact's id.
        artifact_uid: String,
        /// Its media type.
        mime_type: String,
        /// What it shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// A file.
    File {
        /// The artifact's id.
        artifact_uid: String,
        /// Path relative to the conversation's directory.
        filepath: String,
        /// Last component of the path.
        filename: String,
        /// Its media type.
        mime_type: String,
        /// What it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Size in bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_bytes: Option<i64>,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A pointer to something elsewhere, such as an issue or a commit.
    ExternalReference {
        /// What it points to, in free words such as `linear_issue` or `git_commit`; at most 256 bytes.
        reference_type: String,
        /// Its address; at most 2,048 bytes.
        url: String,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<serde_json::Map<String, serde_json::Value>>,
    },
}

crate::open::open_enum! {
    /// The kinds of artifact, as a filter names them.
    ArtifactType {
        /// A plan document.
        Plan = "PLAN",
        /// A pull or merge request.
        PullRequest = "PULL_REQUEST",
        /// A picture.
        Screenshot = "SCREENSHOT",
        /// A file.
        File = "FILE",
        /// A pointer to something elsewhere.
        ExternalReference = "EXTERNAL_REFERENCE",
    }
}

impl Artifact {
    /// The kind of this artifact.
    #[must_use]
    pub fn kind(&self) -> ArtifactType {
        match self {
            Self::Plan { .. } => ArtifactType::Plan,
            Self::PullRequest { .. } => ArtifactType::PullRequest,
            Self::Screenshot { .. } => ArtifactType::Screenshot,
            Self::File { .. } => ArtifactType::File,
            Self::ExternalReference { .. } => ArtifactType::ExternalReference,
        }
    }
}

/// An artifact in a run record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactItem {
    /// When it was reported.
    pub created_at: Timestamp,
    /// What it is.
    #[serde(flatten)]
    pub artifact: Open<Artifact>,
}
