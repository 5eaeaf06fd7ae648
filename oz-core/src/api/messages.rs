//! Requests about messages between runs.

use super::{Validate, check_limit};
use crate::{Error, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// Send a message from one run to others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SendMessage {
    /// The recipients, 1 to 100 runs.
    pub to: Vec<RunId>,
    /// What it is about; at most 1,024 bytes.
    pub subject: String,
    /// What it says; at most 128 KiB.
    pub body: String,
    /// The run that sends it.
    pub sender_run_id: RunId,
}
impl Validate for SendMessage {
    fn validate(&self) -> Result<(), Error> {
        if self.to.is_empty() || self.to.len() > 100 {
            return Err(Error::invalid_field("to", &self.to.len().to_string(), "1 to 100 run ids"));
        }
        if self.subject.len() > 1024 {
            return Err(Error::invalid_field("subject", &self.subject, "at most 1024 bytes"));
        }
        if self.body.len() > 131_072 {
            return Err(Error::invalid_field("body", &self.body, "at most 131072 bytes"));
        }
        Ok(())
    }
}

/// A message was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageSent {
    /// One id per recipient, in the order of `to`.
    pub message_ids: Vec<String>,
}

/// List the messages that a run got, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListMessages {
    /// The run.
    pub run_id: RunId,
    /// Only unread ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// Sent at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// At most this many, 1 to 100; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
impl Validate for ListMessages {
    fn validate(&self) -> Result<(), Error> {
        check_limit(self.limit, 100)
    }
}

/// A message without its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageHeader {
    /// Its id.
    pub message_id: String,
    /// The run that sent it.
    pub sender_run_id: RunId,
    /// What it is about.
    pub subject: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it reached the agent.
    pub delivered_at: Option<Timestamp>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// All but the body.
    #[serde(flatten)]
    pub header: MessageHeader,
    /// What it says.
    pub body: String,
}

super::by_id! { message_id: String;
    /// Read a message; it counts as read from then on.
    ReadMessage;
    /// Say that a message reached the agent.
    MessageDelivered;
}
