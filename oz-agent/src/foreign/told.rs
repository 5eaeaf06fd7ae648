//! What readers of programs that tell JSON have in common.

use oz_core::{
    ErrorCode,
    harness::{HarnessEvent, TaskItem, TaskState},
};
use serde_json::{Map, Value};

/// A field that should be text.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Arguments or output of a tool; what is no object becomes the one field of one.
pub(super) fn object(value: &Value, field: &str) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.clone(),
        Value::Null => Map::new(),
        other => Map::from_iter([(field.to_owned(), other.clone())]),
    }
}

/// A list of tasks, each with its title in `title` and its `status`.
pub(super) fn tasks(list: &Value, title: &str) -> HarnessEvent {
    let item = |task: &Value| TaskItem {
        title: text(task, title).to_owned(),
        state: TaskState::from(text(task, "status")),
    };
    HarnessEvent::Tasks { tasks: list.as_array().into_iter().flatten().map(item).collect() }
}

/// What a failure means for the run, by the words of who reports it.
pub(super) fn code(message: &str) -> ErrorCode {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["insufficient_quota", "credit balance", "billing_hard_limit", "insufficient credits"]) {
        ErrorCode::InsufficientCredits
    } else if says(&AUTHENTICATION) {
        ErrorCode::AuthenticationRequired
    } else if says(&UNAVAILABLE) {
        ErrorCode::ResourceUnavailable
    } else {
        ErrorCode::InternalError
    }
}

const AUTHENTICATION: [&str; 14] = [
    "401 ",
    "401:",
    "unauthorized",
    "unauthenticated",
    "authentication_error",
    "authentication failed",
    "api key not valid",
    "api_key_invalid",
    "invalid api key",
    "invalid x-api-key",
    "incorrect api key",
    "api key is missing",
    "set an auth method",
    "not logged in",
];

const UNAVAILABLE: [&str; 10] = [
    "rate limit",
    "rate_limit",
    "resource_exhausted",
    "overloaded",
    "service unavailable",
    "unable to connect",
    "connection error",
    "econnrefused",
    "econnreset",
    "fetch failed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        for (message, code_of) in [
            ("unexpected status 401 Unauthorized", ErrorCode::AuthenticationRequired),
            ("API key not valid. Please pass a valid API key.", ErrorCode::AuthenticationRequired),
            ("Your credit balance is too low", ErrorCode::InsufficientCredits),
            ("The model is overloaded", ErrorCode::ResourceUnavailable),
            ("TypeError: x is not a function", ErrorCode::InternalError),
        ] {
            assert_eq!(code(message), code_of, "{message}");
        }
    }
}
