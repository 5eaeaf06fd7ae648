//! The one error type. A table maps each platform error code to its HTTP status, whether a caller may retry, the
//! state in which a run ends, and its title; the client maps back with the same table.

use crate::{open::open_enum, run::RunState};
use serde::{Deserialize, Serialize};

open_enum! {
    /// Platform error codes, as problem documents and run records carry them.
    ErrorCode {
        /// The account has no credit left.
        InsufficientCredits = "insufficient_credits",
        /// The feature is switched off.
        FeatureNotAvailable = "feature_not_available",
        /// An account elsewhere must be linked first.
        ExternalAuthenticationRequired = "external_authentication_required",
        /// The caller may not do this.
        NotAuthorized = "not_authorized",
        /// The request is malformed.
        InvalidRequest = "invalid_request",
        /// There is no such thing.
        ResourceNotFound = "resource_not_found",
        /// A spending limit was reached.
        BudgetExceeded = "budget_exceeded",
        /// The integration is switched off.
        IntegrationDisabled = "integration_disabled",
        /// The integration is only half set up.
        IntegrationNotConfigured = "integration_not_configured",
        /// The operation does not apply to this thing.
        OperationNotSupported = "operation_not_supported",
        /// Cloning, a setup command or another preparation failed.
        EnvironmentSetupFailed = "environment_setup_failed",
        /// The content is not allowed.
        ContentPolicyViolation = "content_policy_violation",
        /// The thing is in a state that does not allow this now.
        Conflict = "conflict",
        /// The key or token is missing, wrong or expired.
        AuthenticationRequired = "authentication_required",
        /// No capacity.
        ResourceUnavailable = "resource_unavailable",
        /// Something broke on our side.
        InternalError = "internal_error",
    }
}

/// What the table says of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// HTTP status of a problem document with this code.
    pub status: u16,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Whether the caller, rather than the platform, can fix it; such a run ends in FAILED, the others in ERROR.
    pub callers_fault: bool,
    /// Short text for people.
    pub title: &'static str,
}

impl ErrorCode {
    /// What the table says of this code; an unknown code counts as an internal error that should not be retried.
    #[must_use]
    pub fn info(&self) -> CodeInfo {
        let row =
            |status, retryable, callers_fault, title| CodeInfo { status, retryable, callers_fault, title };
        match self {
            Self::InsufficientCredits => row(403, false, true, "There is not enough credit."),
            Self::FeatureNotAvailable => row(403, false, true, "This feature is not available."),
            Self::ExternalAuthenticationRequired => {
                row(401, false, true, "An external account must be linked first.")
            }
            Self::NotAuthorized => row(403, false, true, "You are not allowed to do this."),
            Self::InvalidRequest => row(400, false, true, "Request has invalid or missing parameters."),
            Self::ResourceNotFound => row(404, false, true, "The resource was not found."),
            Self::BudgetExceeded => row(403, false, true, "A spending limit was reached."),
            Self::IntegrationDisabled => row(403, false, true, "The integration is disabled."),
            Self::IntegrationNotConfigured => row(400, false, true, "The integration is not configured."),
            Self::OperationNotSupported => row(422, false, true, "The operation is not supported."),
            Self::EnvironmentSetupFailed => row(500, false, true, "The environment could not be set up."),
            Self::ContentPolicyViolation => row(403, false, true, "The request could not be processed."),
            Self::Conflict => row(409, true, true, "The resource is in a state that does not allow this."),
            Self::AuthenticationRequired => row(401, false, false, "Authentication is required."),
            Self::ResourceUnavailable => row(429, true, false, "The resource is temporarily unavailable."),
            Self::InternalError => row(500, true, false, "An internal error occurred."),
            Self::Unknown(_) => row(500, false, false, "An unknown error occurred."),
        }
    }

    /// The state in which a run ends that fails with this code.
    #[must_use]
    pub fn terminal_state(&self) -> RunState {
        if self.info().callers_fault { RunState::Failed } else { RunState::Error }
    }

    /// The code that best fits an HTTP status, for answers that carry no problem document.
    #[must_use]
    pub fn from_status(status: u16) -> Self {
        match status {
            401 => Self::AuthenticationRequired,
            403 => Self::NotAuthorized,
            404 => Self::ResourceNotFound,
            409 => Self::Conflict,
            422 => Self::OperationNotSupported,
            429 => Self::ResourceUnavailable,
            400..=499 => Self::InvalidRequest,
            _ => Self::InternalError,
        }
    }
}

/// An error of the platform.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// What kind of error.
    pub code: ErrorCode,
    /// What happened in this case, fit for the caller's eyes; names the field, the value and what would be right.
    pub detail: String,
    /// HTTP status, where it differs from the code's usual one.
    pub status: Option<u16>,
    /// Whether the same request may succeed later, where that differs from the code's usual answer.
    pub retryable: Option<bool>,
    /// Where to authorize, for `external_authentication_required`.
    pub auth_url: Option<String>,
    /// With which service, for `external_authentication_required`.
    pub provider: Option<String>,
}

impl Error {
    /// An error with a code and a detail.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), status: None, retryable: None, auth_url: None, provider: None }
    }
    /// `invalid_request`.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, detail)
    }
    /// `invalid_request` for a field: `state: 'x' is not valid; expected one of …`. A long value is shortened.
    #[must_use]
    pub fn invalid_field(field: &str, value: &str, expected: &str) -> Self {
        let mut shown: String = value.chars().take(80).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self::invalid(format!("{field}: '{shown}' is not valid; expected {expected}"))
    }
    /// `resource_not_found`.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::ResourceNotFound, format!("{what} '{id}' does not exist or is not yours to see"))
    }
    /// `conflict`.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, detail)
    }
    /// `conflict` that waiting does not mend: a name that is taken, a version that is not the newest.
    pub fn settled(detail: impl Into<String>) -> Self {
        Self { retryable: Some(false), ..Self::conflict(detail) }
    }
    /// `operation_not_supported`.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::OperationNotSupported, detail)
    }
    /// `internal_error`.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::InternalError, detail)
    }
    /// The field that the detail names, such as `config.model` in `config.model: 'x' is not valid; …`: details of
    /// `invalid_request` begin with it where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        let (field, _) = self.detail.split_once(": ").filter(|_| self.code == ErrorCode::InvalidRequest)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
        let named = field.starts_with(|c: char| c.is_ascii_lowercase()) && field.chars().all(legal);
        named.then_some(field)
    }
    /// The HTTP status of this error.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.code.info().status)
    }
    /// The problem document for this error; `instance` is the path of the request.
    #[must_use]
    pub fn problem(&self, instance: &str) -> Problem {
        let info = self.code.info();
        Problem {
            kind: format!("https://docs.warp.dev/reference/api-and-sdk/troubleshooting/errors/{}", self.code),
            title: info.title.to_owned(),
            status: self.http_status(),
            detail: Some(self.detail.clone()),
            instance: Some(instance.to_owned()),
            error: format!("{} ({})", info.title, self.detail),
            retryable: Some(self.retryable.unwrap_or(info.retryable)),
            auth_url: self.auth_url.clone(),
            provider: self.provider.clone(),
        }
    }
}

/// A problem document (RFC 7807 with the platform's extensions).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// A URI whose last part is the error code.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Short text for people.
    #[serde(default)]
    pub title: String,
    /// HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What happened in this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Title and detail in one, for older clients.
    pub error: String,
    /// Whether the same request may succeed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Where to authorize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// With which service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let last =
            problem.kind.trim_end_matches('/').rsplit('/').next().unwrap_or_default().replace('-', "_");
        let code = match ErrorCode::from(last.as_str()) {
            ErrorCode::Unknown(s) if s.is_empty() => ErrorCode::from_status(problem.status),
            code => code,
        };
        Self {
            code,
            detail: problem.detail.unwrap_or(problem.error),
            status: (problem.status != 0).then_some(problem.status),
            retryable: problem.retryable,
            auth_url: problem.auth_url,
            provider: problem.provider,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_maps_back_to_its_error() {
        for code in ErrorCode::KNOWN {
            let error = Error::new(ErrorCode::from(*code), "why");
            let problem = error.problem("/api/v1/x");
            assert_eq!(problem.status, error.http_status());
            let json = serde_json::to_string(&problem).unwrap();
            let back = Error::from(serde_json::from_str::<Problem>(&json).unwrap());
            assert_eq!((back.code, back.detail), (error.code, error.detail));
        }
    }

    #[test]
    fn the_field_of_a_bad_request_is_known() {
        for (error, field) in [
            (Error::invalid_field("config.model", "x: y", "z"), Some("config.model")),
            (Error::invalid("repos[0].url: it is empty"), Some("repos[0].url")),
            (Error::invalid("Nothing is: right"), None),
            (Error::invalid("it is wrong: all of it"), None),
            (Error::conflict("name: it is taken"), None),
        ] {
            assert_eq!(error.field(), field, "{error}");
        }
    }

    #[test]
    fn hyphenated_and_unknown_codes_are_understood() {
        let text = r#"{"type":"/errors/invalid-request/","title":"t","status":400,"error":"e"}"#;
        assert_eq!(
            Error::from(serde_json::from_str::<Problem>(text).unwrap()).code,
            ErrorCode::InvalidRequest
        );
        let text = r#"{"type":"x/brand_new","title":"t","status":418,"error":"e"}"#;
        let error = Error::from(serde_json::from_str::<Problem>(text).unwrap());
        assert_eq!(error.code, ErrorCode::Unknown("brand_new".into()));
        assert_eq!(error.http_status(), 418);
    }
}
