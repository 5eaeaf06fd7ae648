//! What an agent needs of a human to go on: leave to do something, or an answer.

use crate::open::open_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

open_enum! {
    /// What kind of thing an agent needs.
    RequestKind {
        /// Leave to do something that its permissions leave to a human.
        Approval = "approval",
        /// An answer to a question.
        Question = "question",
    }
}

/// What an agent needs of a human.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Request {
    /// Its id, which the agent makes.
    pub request_id: Uuid,
    /// The kind.
    pub kind: RequestKind,
    /// In a line: the command, the file or the question.
    pub title: String,
    /// Why a human is asked, such as the rule that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is to be done, as the arguments of a tool.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
    /// Answers to choose from; any other text is an answer, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

open_enum! {
    /// What a human decided.
    Decision {
        /// It may be done, this once.
        Approve = "approve",
        /// It may be done, and the like of it for the rest of the run.
        ApproveAlways = "approve_always",
        /// It may not be done.
        Deny = "deny",
        /// The question is answered.
        Answer = "answer",
    }
}

/// The answer of a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// The answer, or what the agent should know about the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
