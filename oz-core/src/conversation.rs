//! A transcript as the public API shows it: steps of messages with typed content blocks.

use crate::{
    ConversationId, Timestamp,
    harness::{ActionCategory, ActionState, HarnessEvent},
    open::open_enum,
    transcript::TranscriptEntry,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A conversation with everything in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conversation {
    /// Its id.
    pub conversation_id: ConversationId,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A part of a conversation; here one execution of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// Its id.
    pub id: String,
    /// What was said and done, in order.
    pub messages: Vec<Message>,
    /// Nested delegated work.
    pub steps: Vec<Step>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Time of the earliest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Time of the latest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
}

open_enum! {
    /// Who speaks.
    MessageRole {
        /// The person or system that asked.
        User = "user",
        /// The agent.
        Assistant = "assistant",
        /// A tool that answered.
        Tool = "tool",
        /// The platform.
        System = "system",
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// Who speaks.
    pub role: MessageRole,
    /// What is said or done.
    pub content: Vec<ContentBlock>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// One block of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentBlock {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// The agent does something.
    Action {
        /// Links it to its result.
        id: String,
        /// The kind of action.
        category: ActionCategory,
        /// The tool's name.
        name: String,
        /// Its arguments.
        input: Map<String, Value>,
    },
    /// What came of an action.
    ActionResult {
        /// The action.
        action_id: String,
        /// The kind of action.
        category: ActionCategory,
        /// The tool's name.
        name: String,
        /// How it ended.
        state: ActionState,
        /// What it returned.
        output: Map<String, Value>,
    },
    /// Anything else worth showing.
    Event {
        /// Its name.
        name: String,
        /// More about it.
        data: Map<String, Value>,
    },
}

impl Conversation {
    /// Builds the public form from transcript entries: one step per execution, one message per entry.
    #[must_use]
    pub fn from_transcript(conversation_id: ConversationId, entries: &[TranscriptEntry]) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for entry in entries {
            let Some(message) = message(entry) else { continue };
            let id = entry.execution_id.map_or_else(|| "0".to_owned(), |id| id.to_string());
            if steps.last().is_none_or(|step| step.id != id) {
                steps.push(Step {
                    id,
                    messages: Vec::new(),
                    steps: Vec::new(),
                    description: None,
                    started_at: message.timestamp,
                    completed_at: None,
                });
            }
            if let Some(step) = steps.last_mut() {
                step.completed_at = message.timestamp;
                step.messages.push(message);
            }
        }
        Self { conversation_id, steps }
    }
}

fn message(entry: &TranscriptEntry) -> Option<Message> {
    let (role, block) = match entry.event.known()?.clone() {
        HarnessEvent::Prompt { text } => (MessageRole::User, ContentBlock::Text { text }),
        HarnessEvent::Text { text } => (MessageRole::Assistant, ContentBlock::Text { text }),
        HarnessEvent::Action { id, category, name, input } => {
            (MessageRole::Assistant, ContentBlock::Action { id, category, name, input })
        }
        HarnessEvent::ActionResult { action_id, category, name, state, output } => {
            (MessageRole::Tool, ContentBlock::ActionResult { action_id, category, name, state, output })
        }
        HarnessEvent::Reasoning { text } => {
            (MessageRole::Assistant, event_block("reasoning", [("text", text.into())]))
        }
        HarnessEvent::Artifact { artifact } => {
            let data = serde_json::to_value(artifact).ok().and_then(|v| v.as_object().cloned());
            (
                MessageRole::System,
                ContentBlock::Event { name: "artifact_created".into(), data: data.unwrap_or_default() },
            )
        }
        HarnessEvent::Stage { name, ok, duration_ms, detail } => (
            MessageRole::System,
            event_block(
                &name,
                [("ok", ok.into()), ("duration_ms", duration_ms.into()), ("detail", detail.into())],
            ),
        ),
        HarnessEvent::State { state, message, code } => {
            let code = code.map(|code| code.as_str().to_owned());
            (
                MessageRole::System,
                event_block(state.as_str(), [("message", message.into()), ("code", code.into())]),
            )
        }
        HarnessEvent::Tasks { tasks } => {
            (MessageRole::Assistant, event_block("tasks", [("tasks", json(&tasks))]))
        }
        HarnessEvent::Request { request } => {
            (MessageRole::Assistant, event_block("request", [("request", json(&request))]))
        }
        HarnessEvent::Answered { request_id, answer } => {
            let id = request_id.to_string();
            (
                MessageRole::User,
                event_block("answered", [("request_id", id.into()), ("answer", json(&answer))]),
            )
        }
        HarnessEvent::Session { format, session_id } => (
            MessageRole::System,
            event_block("session", [("format", format.into()), ("session_id", session_id.into())]),
        ),
        HarnessEvent::Usage { .. } | HarnessEvent::Output { .. } | HarnessEvent::Delta { .. } => return None,
    };
    Some(Message { role, content: vec![block], timestamp: Some(entry.occurred_at) })
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn event_block<const N: usize>(name: &str, data: [(&str, Value); N]) -> ContentBlock {
    let data = data.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.to_owned(), v)).collect();
    ContentBlock::Event { name: name.to_owned(), data }
}
