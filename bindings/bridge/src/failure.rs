//! Why something failed, in a form that every language can make an exception of.

use oz_client::Error;
use oz_core::{ErrorCode, error::Problem};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// What kind of failure it is; bindings have a class of exceptions for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The server refused, or the request was found wrong before it was sent.
    Api,
    /// The server could not be reached.
    Connect,
    /// The server did not answer in time, or its answer stopped.
    Timeout,
    /// The answer is not what this version understands.
    Decode,
    /// The server points to another address, which is not followed.
    Redirect,
    /// An option, such as the address or the key, can't be used.
    Config,
    /// A mistake in this library.
    Panic,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Api, Self::Connect, Self::Timeout, Self::Decode, Self::Redirect, Self::Config, Self::Panic];
}

/// Why something failed. Holds no key.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// One line for people.
    pub message: String,
    /// HTTP status, of kind [`Kind::Api`].
    pub status: Option<u16>,
    /// Platform error code, of kind [`Kind::Api`].
    pub code: Option<Box<str>>,
    /// Short text of the code, of kind [`Kind::Api`].
    pub title: Option<&'static str>,
    /// What happened in this case, of kind [`Kind::Api`].
    pub detail: Option<Box<str>>,
    /// The field of the request that is wrong, where there is one.
    pub field: Option<Box<str>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How many seconds the server asks to wait before the next try.
    pub retry_after: Option<f64>,
    /// The problem document, of kind [`Kind::Api`].
    pub problem: Option<Box<Problem>>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// A failure that is no answer of a server.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            code: None,
            title: None,
            detail: None,
            field: None,
            retryable: matches!(kind, Kind::Connect | Kind::Timeout),
            retry_after: None,
            problem: None,
        }
    }

    /// An option that can't be used.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// A hook that lacks a method, with the code `operation_not_supported`.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { code: Some(ErrorCode::OperationNotSupported.as_str().into()), ..Self::config(message) }
    }

    pub(crate) fn no_key() -> Self {
        Self::config("there is no API key: give api_key, set OZ_API_KEY, or run `oz login`")
    }

    /// The failure as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }
}

impl From<oz_core::Error> for Failure {
    fn from(error: oz_core::Error) -> Self {
        let problem = error.problem("");
        Self {
            status: Some(problem.status),
            code: Some(error.code.as_str().into()),
            title: Some(error.code.info().title),
            detail: Some(error.detail.as_str().into()),
            field: error.field().map(Into::into),
            retryable: problem.retryable.unwrap_or_default(),
            problem: Some(Box::new(problem)),
            ..Self::new(Kind::Api, error.detail)
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Api { error, retry_after, should_retry } => {
                let failure = Self::from(error);
                let retryable = should_retry.unwrap_or(failure.retryable);
                Self { retry_after: retry_after.as_ref().map(Duration::as_secs_f64), retryable, ..failure }
            }
            Error::Connect { .. } => Self::new(Kind::Connect, message),
            Error::Interrupted { .. } => Self::new(Kind::Timeout, message),
            Error::Decode { .. } => Self::new(Kind::Decode, message),
            Error::Redirect { .. } => Self::new(Kind::Redirect, message),
            Error::Config(_) => Self::config(message),
        }
    }
}
