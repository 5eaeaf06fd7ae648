//! Requests about conversations, sessions and follow-ups.

use super::Validate;
use crate::{ConversationId, Error, RunId, Timestamp, run::RunMode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

super::by_id! { conversation_id: ConversationId;
    /// Get a conversation.
    GetConversation;
    /// Where a conversation went on: the session that is live, if any.
    CheckConversationRedirect;
}

/// Where a session's conversation can be read, once the session is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckSessionRedirect {
    /// The session.
    pub session_id: Uuid,
}
impl Validate for CheckSessionRedirect {}

/// Where to look instead of at a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRedirect {
    /// The conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
}

/// Where to look instead of at a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationRedirect {
    /// The live session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
}

/// Fork a conversation: a new one that begins as a copy of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ForkConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Title of the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
impl Validate for ForkConversation {
    fn validate(&self) -> Result<(), Error> {
        self.title.as_deref().map_or(Ok(()), check_title)
    }
}

/// A conversation was forked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationForked {
    /// The new conversation; name it as `conversation_id` of a new run.
    pub forked_conversation_id: ConversationId,
}

/// Rename a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RenameConversation {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its new title.
    pub title: String,
}
impl Validate for RenameConversation {
    fn validate(&self) -> Result<(), Error> {
        check_title(&self.title)
    }
}

/// A conversation's title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationTitle {
    /// The title.
    pub title: String,
}

fn check_title(title: &str) -> Result<(), Error> {
    if title.trim().is_empty() || title.len() > 1024 {
        return Err(Error::invalid_field("title", title, "1 to 1024 bytes"));
    }
    Ok(())
}

/// Give a run more to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubmitFollowup {
    /// The run.
    pub run_id: RunId,
    /// What else to do; at most 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How to go about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// (+) Whether a working agent is to leave what it is at and read this first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<bool>,
}
impl Validate for SubmitFollowup {
    fn validate(&self) -> Result<(), Error> {
        super::runs::check_text_of("message", self.message.as_deref().unwrap_or_default())?;
        self.mode.as_ref().map_or(Ok(()), |m| m.require_known("mode").map(|_| ()))
    }
}

/// Tell of something that happened while a run was prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportClientEvent {
    /// The run.
    pub run_id: RunId,
    /// Names this report; the same one twice is one.
    pub event_uuid: Uuid,
    /// What happened, such as `agent_started`.
    pub event_name: String,
    /// When.
    pub timestamp: Timestamp,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<serde_json::Map<String, serde_json::Value>>,
}
impl Validate for ReportClientEvent {
    fn validate(&self) -> Result<(), Error> {
        if self.event_name.is_empty() || self.event_name.len() > 128 {
            return Err(Error::invalid_field("event_name", &self.event_name, "1 to 128 bytes"));
        }
        Ok(())
    }
}
