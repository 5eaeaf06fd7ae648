//! How errors leave the server: as problem documents.

use crate::full;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use oz_core::{Error, ErrorCode};

/// An error on its way out, with the path that it happened on.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct ApiError {
    error: Box<Error>,
    instance: String,
}

impl ApiError {
    pub(crate) fn new(error: Error, instance: &str) -> Self {
        Self { error: Box::new(error), instance: instance.to_owned() }
    }
}

/// Tells the log that a duty of the server failed. What comes from a full disk is there already.
pub(crate) fn log(duty: &'static str, error: &Error) {
    if !full::is_said(error) {
        tracing::error!(%error, "{duty}");
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.error.problem(&self.instance);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.error.retryable == Some(false) {
            // The published clients retry every 409 and 5xx unless they are told not to.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        match self.error.code {
            ErrorCode::AuthenticationRequired => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // The published clients retry every 5xx unless they are told not to.
            ErrorCode::EnvironmentSetupFailed => {
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
            ErrorCode::ResourceUnavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
