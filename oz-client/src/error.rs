//! Why a call failed.

use oz_core::ErrorCode;
use std::time::Duration;

/// Why a call to the server failed. Its text is one line for people and holds no key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server answered with a problem.
    #[error("{error}")]
    Api {
        /// What it said.
        error: oz_core::Error,
        /// How long it asks to wait before the next try.
        retry_after: Option<Duration>,
        /// Whether it says itself that another try makes sense.
        should_retry: Option<bool>,
    },
    /// The server could not be reached.
    #[error("can't reach {url}: {reason}")]
    Connect {
        /// Its address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server did not answer in time, or its answer stopped.
    #[error("{url} did not answer in time or broke off: {reason}")]
    Interrupted {
        /// Its address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The answer is not what this version understands.
    #[error("the server's answer to {what} was not understood: {reason}")]
    Decode {
        /// The endpoint.
        what: String,
        /// Where and why.
        reason: String,
    },
    /// The server points to another address, which is not followed: a call carries keys.
    #[error("{url} redirects to {location}; use that server's address if you trust it")]
    Redirect {
        /// Its address.
        url: String,
        /// The address it points to.
        location: String,
    },
    /// The address or key of the server is not usable.
    #[error("{0}")]
    Config(String),
}

impl From<oz_core::Error> for Error {
    /// What was found wrong before anything was sent.
    fn from(error: oz_core::Error) -> Self {
        Self::Api { error, retry_after: None, should_retry: None }
    }
}

impl Error {
    /// The platform error code, when the server sent one.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Api { error, .. } => Some(&error.code),
            _ => None,
        }
    }

    /// The HTTP status, when there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { error, .. } => Some(error.http_status()),
            _ => None,
        }
    }

    /// Whether the server was never reached.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect { .. })
    }

    /// An error of the HTTP library, without its address, which may hold a signature.
    pub(crate) fn from_http(e: reqwest::Error, url: &str) -> Self {
        let e = e.without_url();
        let mut reason = e.to_string();
        let mut source = std::error::Error::source(&e);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        if e.is_builder() {
            Self::Config(reason)
        } else if e.is_connect() {
            Self::Connect { url: url.to_owned(), reason }
        } else {
            Self::Interrupted { url: url.to_owned(), reason }
        }
    }
}
