//! The seam to language models. A provider converts our messages to its wire format and its stream back; it never
//! decides when to retry or stop, that is the agent loop's part.

use crate::{ErrorCode, usage::Usage};
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Links the call to its result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them; not necessarily valid JSON.
    pub arguments: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its bytes in Base64.
    pub data: String,
}

impl Image {
    /// The picture as an address.
    #[must_use]
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.media_type, self.data)
    }
}

/// What a tool call returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call.
    pub call_id: String,
    /// Text for the model.
    pub content: String,
    /// Whether the call failed.
    #[serde(default)]
    pub is_error: bool,
    /// Pictures for the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
}

/// One message of the conversation with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    /// From the user.
    User {
        /// The text.
        text: String,
        /// Pictures that go with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Image>,
    },
    /// From the model.
    Assistant {
        /// What it said.
        text: String,
        /// Opaque reasoning blocks that the provider wants back unchanged, in its own format.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasoning: Vec<Value>,
        /// The tools it called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolCall>,
    },
    /// The results of the calls of the message before.
    Tool {
        /// One result per call, in the order of the calls.
        results: Vec<ToolResult>,
    },
}

impl ChatMessage {
    /// A text from the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into(), images: Vec::new() }
    }
}

/// One request to a model.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// The model's name as the provider knows it.
    pub model: String,
    /// The system prompt.
    pub system: String,
    /// The conversation so far.
    pub messages: Vec<ChatMessage>,
    /// The tools on offer.
    pub tools: Vec<ToolSpec>,
    /// The most tokens the answer may have.
    pub max_output_tokens: u32,
    /// How hard the model should think, such as `low` or `high`; absent means the service's default.
    pub reasoning_level: Option<String>,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// It is done.
    EndTurn,
    /// It wants tools to be run.
    ToolUse,
    /// The answer reached the limit on output tokens.
    MaxTokens,
    /// It declined to answer; with what the service says of that, where it says something that the model did not.
    Refusal(Option<String>),
    /// Anything else, in the provider's word.
    Other(String),
}

/// A piece of a model's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// More text.
    Text(String),
    /// More visible reasoning.
    Reasoning(String),
    /// A finished opaque reasoning block to hand back unchanged.
    ReasoningBlock(Value),
    /// A finished tool call.
    ToolCall(ToolCall),
    /// What the call used so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The end of the answer; always the last item of a whole stream.
    Stop(StopReason),
}

/// Why a model call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// Too many requests.
    RateLimited,
    /// The provider is overloaded or broken (5xx).
    Unavailable,
    /// The network failed, or the stream was cut or silent for too long.
    Network,
    /// The key is missing or wrong.
    Authentication,
    /// The account has no credit left.
    InsufficientCredits,
    /// The conversation is longer than the model can read.
    ContextTooLong,
    /// The provider refused the request as malformed.
    InvalidRequest,
    /// The answer does not follow the provider's protocol.
    Protocol,
}

/// A failed model call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// What kind of failure.
    pub kind: ModelErrorKind,
    /// What happened, naming the provider and the status; holds no key.
    pub message: String,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
}

impl ModelError {
    /// An error without a wait.
    pub fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ModelErrorKind::RateLimited
            | ModelErrorKind::Unavailable
            | ModelErrorKind::Network
            | ModelErrorKind::Protocol => true,
            ModelErrorKind::Authentication
            | ModelErrorKind::InsufficientCredits
            | ModelErrorKind::ContextTooLong
            | ModelErrorKind::InvalidRequest => false,
        }
    }
    /// The platform error code that a run ends with when this error is not overcome.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            ModelErrorKind::RateLimited | ModelErrorKind::Unavailable | ModelErrorKind::Network => {
                ErrorCode::ResourceUnavailable
            }
            ModelErrorKind::Authentication => ErrorCode::AuthenticationRequired,
            ModelErrorKind::InsufficientCredits => ErrorCode::InsufficientCredits,
            ModelErrorKind::ContextTooLong | ModelErrorKind::InvalidRequest => ErrorCode::InvalidRequest,
            ModelErrorKind::Protocol => ErrorCode::InternalError,
        }
    }
}

/// The stream of one answer. A failure in the middle is an `Err` item, after which nothing follows.
pub type ModelStream = BoxStream<'static, Result<StreamEvent, ModelError>>;

/// A provider of language models.
#[async_trait]
pub trait Model: Send + Sync {
    /// The provider's name, such as `anthropic`.
    fn provider(&self) -> &str;

    /// Sends `request` and returns the answer as it arrives.
    ///
    /// # Errors
    /// When the provider refuses the request or can't be reached.
    async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ModelError>;
}
