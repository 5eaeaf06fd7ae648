//! Requests about artifacts.

use super::{
    Validate,
    files::{UploadTarget, check_filename, check_mime},
};
use crate::{ConversationId, Error, RunId, Timestamp, artifact::ArtifactType};
use serde::{Deserialize, Serialize};

super::by_id! { artifact_uid: String;
    /// Get an artifact: its content, or where to fetch it.
    GetArtifact;
}

/// An artifact with its content, or with the address of its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactContent {
    /// Its id.
    pub artifact_uid: String,
    /// When it was reported.
    pub created_at: Timestamp,
    /// What it is.
    #[serde(flatten)]
    pub content: ArtifactBody,
}

/// The kinds of artifact that can be fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "artifact_type", content = "data", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ArtifactBody {
    /// A plan document.
    Plan {
        /// The document's id.
        document_uid: String,
        /// The same id under its older name.
        notebook_uid: String,
        /// The document, in Markdown.
        content: String,
        /// `text/markdown`.
        content_type: String,
        /// Where to read it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A picture.
    Screenshot {
        /// Where to fetch it.
        download_url: String,
        /// Until when.
        expires_at: Timestamp,
        /// Its media type.
        content_type: String,
        /// What it shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// A file.
    File {
        /// Where to fetch it.
        download_url: String,
        /// Until when.
        expires_at: Timestamp,
        /// Its media type.
        content_type: String,
        /// Last component of its path.
        filename: String,
        /// Path relative to the conversation's directory.
        filepath: String,
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
}

/// (+) Make an artifact with bytes. A plan carries its text here; pictures and files are uploaded to the address in the
/// answer and exist once that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateArtifact {
    /// `PLAN`, `SCREENSHOT` or `FILE`.
    pub artifact_type: ArtifactType,
    /// The run it belongs to; a run's own token may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The conversation it belongs to, in place of `run_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Path of a file relative to the conversation's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filepath: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The text of a plan, in Markdown; at most 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}
impl Validate for CreateArtifact {
    fn validate(&self) -> Result<(), Error> {
        match self.artifact_type {
            ArtifactType::Plan => match &self.content {
                None => return Err(Error::invalid("content: a plan needs its text")),
                Some(text) if text.len() > 1 << 20 => {
                    return Err(Error::invalid_field("content", text, "at most 1 MiB"));
                }
                Some(_) => {}
            },
            ArtifactType::File => {
                let path = self.filepath.as_deref().unwrap_or_default();
                let safe = !path.starts_with('/')
                    && path.len() <= 1024
                    && path.split('/').all(|part| check_filename("filepath", part).is_ok());
                if !safe {
                    return Err(Error::invalid_field("filepath", path, "a relative path without '..'"));
                }
            }
            ArtifactType::Screenshot => {}
            ref other => {
                return Err(Error::invalid_field(
                    "artifact_type",
                    other.as_str(),
                    "PLAN, SCREENSHOT or FILE",
                ));
            }
        }
        for (name, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text.as_ref().filter(|t| t.len() > 4096) {
                return Err(Error::invalid_field(name, text, "at most 4096 bytes"));
            }
        }
        self.mime_type.as_deref().map_or(Ok(()), |mime| check_mime("mime_type", mime))
    }
}

/// An artifact was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactCreated {
    /// Its id.
    pub artifact_uid: String,
    /// Where to upload its bytes; absent for a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_target: Option<UploadTarget>,
}
