//! Requests about bytes: attachments, workspaces and transcripts. The bytes themselves go to signed addresses.

use super::Validate;
use crate::{ConversationId, Error, RunId, Timestamp, open::open_enum};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 25 << 20;
/// The largest attachment in the body of a request, in bytes.
pub const MAX_ATTACHMENT_BYTES: usize = 10 << 20;

open_enum! {
    /// How bytes are sent to an address.
    UploadMethod {
        /// PUT.
        Put = "PUT",
        /// POST.
        Post = "POST",
    }
}

/// Where and how to upload a file: the raw bytes with exactly these headers, or a form when there are fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadTarget {
    /// The address; signed, and open for a while.
    pub url: String,
    /// How.
    pub method: UploadMethod,
    /// Headers to send.
    pub headers: BTreeMap<String, String>,
    /// Form fields to send, in order; always empty here.
    #[serde(default)]
    pub fields: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// A file to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileToUpload {
    /// Its name, without directories.
    pub filename: String,
    /// Its media type.
    #[serde(default = "octets")]
    pub mime_type: String,
}

fn octets() -> String {
    "application/octet-stream".to_owned()
}

/// Checks that a name is one safe path component.
pub(super) fn check_filename(field: &str, name: &str) -> Result<(), Error> {
    let safe = !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control);
    if safe { Ok(()) } else { Err(Error::invalid_field(field, name, "a file name without directories")) }
}

/// Checks that a media type is one.
pub(super) fn check_mime(field: &str, mime: &str) -> Result<(), Error> {
    let part =
        |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let legal = essence.split_once('/').is_some_and(|(a, b)| part(a) && part(b));
    if legal && mime.len() <= 255 && !mime.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Error::invalid_field(field, mime, "a media type such as image/png"))
    }
}

fn check_files(files: &[FileToUpload], most: usize) -> Result<(), Error> {
    if files.is_empty() || files.len() > most {
        return Err(Error::invalid_field("files", &files.len().to_string(), &format!("1 to {most} files")));
    }
    for (i, file) in files.iter().enumerate() {
        check_filename(&format!("files[{i}].filename"), &file.filename)?;
        check_mime(&format!("files[{i}].mime_type"), &file.mime_type)?;
    }
    Ok(())
}

/// A file in the body of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentInput {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub mime_type: String,
    /// Its bytes in Base64; at most 10 MiB before encoding.
    pub data: String,
}

impl AttachmentInput {
    /// The bytes.
    ///
    /// # Errors
    /// `invalid_request` when they are not Base64 or too many.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let bytes = STANDARD.decode(self.data.as_bytes()).map_err(|e| {
            Error::invalid(format!("attachments.data: '{}' is not valid Base64: {e}", self.file_name))
        })?;
        if bytes.len() > MAX_ATTACHMENT_BYTES {
            let text = format!("{} bytes", bytes.len());
            return Err(Error::invalid_field("attachments.data", &text, "at most 10 MiB"));
        }
        Ok(bytes)
    }

    pub(super) fn check(&self, i: usize) -> Result<(), Error> {
        check_filename(&format!("attachments[{i}].file_name"), &self.file_name)?;
        check_mime(&format!("attachments[{i}].mime_type"), &self.mime_type)?;
        self.bytes().map(|_| ())
    }
}

/// A stored file that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Its id.
    pub attachment_id: String,
    /// Its name.
    #[serde(default)]
    pub filename: String,
    /// Where to fetch it; signed, and open for a while.
    pub download_url: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// Stored files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentList {
    /// The files.
    pub attachments: Vec<Attachment>,
}

super::by_id! { run_id: RunId;
    /// List the files that the workspace of a run left behind.
    ListHandoffAttachments;
}

/// (+) List the files that came with this run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListOwnAttachments {}
impl Validate for ListOwnAttachments {}

/// Prepare the upload of attachments to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrepareAttachments {
    /// The run.
    pub run_id: RunId,
    /// The files, 1 to 25.
    pub files: Vec<FileToUpload>,
}
impl Validate for PrepareAttachments {
    fn validate(&self) -> Result<(), Error> {
        check_files(&self.files, 25)
    }
}

/// Where to upload an attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreparedAttachment {
    /// Its id.
    pub attachment_id: String,
    /// The address for a plain PUT.
    pub upload_url: String,
    /// The same, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_target: Option<UploadTarget>,
}

/// Where to upload attachments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentsPrepared {
    /// One per file, in their order.
    pub attachments: Vec<PreparedAttachment>,
}

/// Get the addresses of some attachments of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DownloadAttachments {
    /// The run.
    pub run_id: RunId,
    /// The attachments, at most 100.
    pub attachment_ids: Vec<String>,
}
impl Validate for DownloadAttachments {
    fn validate(&self) -> Result<(), Error> {
        if self.attachment_ids.len() > 100 {
            let count = self.attachment_ids.len().to_string();
            return Err(Error::invalid_field("attachment_ids", &count, "at most 100"));
        }
        Ok(())
    }
}

/// Prepare the upload of a workspace for a run that does not exist yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadHandoff {
    /// The files, 1 to 25.
    pub files: Vec<FileToUpload>,
}
impl Validate for UploadHandoff {
    fn validate(&self) -> Result<(), Error> {
        check_files(&self.files, 25)
    }
}

/// Where to upload a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandoffPrepared {
    /// Names the upload when the run is made.
    pub initial_snapshot_token: String,
    /// Until when the token can be used.
    pub expires_at: Timestamp,
    /// One per file, in their order.
    pub uploads: Vec<UploadTarget>,
}

/// Prepare the upload of this run's workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadSnapshot {
    /// `checkpoint`, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Names the checkpoint; needed with `checkpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// The files, 1 to 25.
    pub files: Vec<FileToUpload>,
}
impl Validate for UploadSnapshot {
    fn validate(&self) -> Result<(), Error> {
        match (self.mode.as_deref(), &self.generation) {
            (None, None) => {}
            (Some("checkpoint"), Some(generation)) => check_generation(generation)?,
            (Some("checkpoint"), None) => {
                return Err(Error::invalid("generation: it is required with mode 'checkpoint'"));
            }
            (None, Some(_)) => return Err(Error::invalid("generation: it needs mode 'checkpoint'")),
            (Some(mode), _) => return Err(Error::invalid_field("mode", mode, "'checkpoint' or nothing")),
        }
        check_files(&self.files, 25)
    }
}

fn check_generation(generation: &str) -> Result<(), Error> {
    let legal = (1..=128).contains(&generation.len())
        && !generation.contains("__")
        && generation.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if legal {
        return Ok(());
    }
    Err(Error::invalid_field("generation", generation, "1 to 128 bytes from [A-Za-z0-9._-] without '__'"))
}

/// Where to upload files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadsPrepared {
    /// One per file, in their order.
    pub uploads: Vec<UploadTarget>,
}

/// Declare a checkpoint complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitSnapshot {
    /// The checkpoint.
    pub generation: String,
    /// The names of all its files.
    pub files: Vec<String>,
}
impl Validate for CommitSnapshot {
    fn validate(&self) -> Result<(), Error> {
        check_generation(&self.generation)?;
        if self.files.is_empty() || self.files.len() > 100 {
            return Err(Error::invalid_field("files", &self.files.len().to_string(), "1 to 100 names"));
        }
        self.files.iter().enumerate().try_for_each(|(i, name)| check_filename(&format!("files[{i}]"), name))
    }
}

/// A checkpoint is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SnapshotCommitted {
    /// The checkpoint.
    pub generation: String,
}

/// Name the conversation whose bytes are to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadTranscript {
    /// The conversation of this run.
    pub conversation_id: ConversationId,
    /// (+) The harness's format, such as `claude_code`. A later harness of the same format can take the conversation up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// (+) The harness's name for the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}
impl Validate for UploadTranscript {
    fn validate(&self) -> Result<(), Error> {
        let plain = |text: &str| !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control);
        for (field, text) in [("format", &self.format), ("session_id", &self.session_id)] {
            if let Some(text) = text.as_deref().filter(|text| !plain(text)) {
                return Err(Error::invalid_field(field, text, "1 to 256 printable bytes"));
            }
        }
        Ok(())
    }
}

/// Name the conversation whose blocks are to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadBlocks {
    /// The conversation of this run.
    pub conversation_id: ConversationId,
}
impl Validate for UploadBlocks {}
