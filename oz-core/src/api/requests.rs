//! Requests about what agents need of humans: leave to do something, or answers.

use super::Validate;
use crate::{
    Error, RunId, Timestamp,
    principal::Principal,
    request::{Answer, Decision, Request, RequestKind},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// (+) What the agent of a run needs or needed of a human.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunRequest {
    /// The run.
    pub run_id: RunId,
    /// What it needs.
    #[serde(flatten)]
    pub request: Request,
    /// Since when.
    pub created_at: Timestamp,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Principal>,
}

/// List what the agent of a run needs of a human, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListRunRequests {
    /// The run.
    pub run_id: RunId,
    /// Only what has no answer yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
}
impl Validate for ListRunRequests {}

/// What the agent of a run needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunRequestList {
    /// Oldest first.
    pub requests: Vec<RunRequest>,
}

/// Answer what the agent of a run needs. The run goes on once nothing is open any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AnswerRunRequest {
    /// The run.
    pub run_id: RunId,
    /// What is answered.
    pub request_id: Uuid,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}
impl Validate for AnswerRunRequest {
    fn validate(&self) -> Result<(), Error> {
        self.answer.decision.require_known("decision")?;
        let text = self.answer.text.as_deref().unwrap_or_default();
        if self.answer.decision == Decision::Answer {
            return super::runs::check_text_of("text", text);
        }
        check_length("text", text, 65_536)
    }
}

fn check_length(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.len() > most {
        let size = text.len();
        return Err(Error::invalid(format!(
            "{field}: {size} bytes are too many; at most {most} are allowed"
        )));
    }
    Ok(())
}

/// (+) Ask a human, as the agent of this run. The run is blocked until nothing is open any more. The same id twice is one
/// request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RaiseRequest {
    /// What is needed.
    #[serde(flatten)]
    pub request: Request,
}
impl Validate for RaiseRequest {
    fn validate(&self) -> Result<(), Error> {
        let Request { kind, title, reason, detail, options, .. } = &self.request;
        match kind.require_known("kind")? {
            RequestKind::Approval | RequestKind::Question | RequestKind::Unknown(_) => {}
        }
        if title.trim().is_empty() {
            return Err(Error::invalid("title: it is required and must not be empty"));
        }
        check_length("title", title, 65_536)?;
        check_length("reason", reason.as_deref().unwrap_or_default(), 4096)?;
        check_length("detail", &serde_json::to_string(detail).unwrap_or_default(), 262_144)?;
        if options.len() > 20 || options.iter().any(|option| option.len() > 1024) {
            return Err(Error::invalid("options: at most 20 of at most 1024 bytes each are allowed"));
        }
        Ok(())
    }
}

/// (+) Read what came of a request of this run. It is a sign of life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GetOwnRequest {
    /// The request.
    pub request_id: Uuid,
}
impl Validate for GetOwnRequest {}
