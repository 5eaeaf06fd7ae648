//! What an error of a command line agent means for its run. Such programs say it in words, so it is read from words.

use oz_core::ErrorCode;

/// What is looked for, the first that is found first.
const SIGNS: &[(&[&str], ErrorCode)] = &[
    (
        &["credit balance", "insufficient_quota", "exceeded your current quota", "billing", "usage limit"],
        ErrorCode::InsufficientCredits,
    ),
    (
        &[
            "401",
            "invalid api key",
            "api key not valid",
            "api_key_invalid",
            "incorrect api key",
            "/login",
            "not logged in",
            "unauthorized",
            "authentication_error",
            "authentication_failed",
            "missing environment variable",
            "oauth token",
            "not authenticated",
        ],
        ErrorCode::AuthenticationRequired,
    ),
    (
        &[
            "429",
            "529",
            "503",
            "502",
            "overloaded",
            "rate limit",
            "rate_limit",
            "too many requests",
            "connection failed",
            "connection error",
            "stream disconnected",
            "unable to connect",
        ],
        ErrorCode::ResourceUnavailable,
    ),
    (
        &[
            "prompt is too long",
            "context window",
            "context_length",
            "model_not_found",
            "not_found_error",
            "invalid_request",
        ],
        ErrorCode::InvalidRequest,
    ),
];

/// The code of an error with this text.
pub(super) fn code(text: &str) -> ErrorCode {
    let text = text.to_ascii_lowercase();
    let found = SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| has(&text, sign)));
    found.map_or(ErrorCode::InternalError, |(_, code)| code.clone())
}

/// Whether a text has a sign in it; a number only as a number of its own.
fn has(text: &str, sign: &str) -> bool {
    let number = sign.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(sign).any(|(at, _)| {
        let around = [text[..at].chars().next_back(), text[at + sign.len()..].chars().next()];
        !number || around.iter().flatten().all(|c| !c.is_ascii_alphanumeric() && *c != ':' && *c != '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        for (text, expected) in [
            ("Not logged in · Please run /login", ErrorCode::AuthenticationRequired),
            ("Invalid API key · Fix external API key", ErrorCode::AuthenticationRequired),
            ("unexpected status 401 Unauthorized: Incorrect API key", ErrorCode::AuthenticationRequired),
            ("Missing environment variable: `OPENAI_API_KEY`.", ErrorCode::AuthenticationRequired),
            ("Credit balance is too low", ErrorCode::InsufficientCredits),
            ("You exceeded your current quota, please check your plan (429)", ErrorCode::InsufficientCredits),
            ("API Error: 529 Overloaded", ErrorCode::ResourceUnavailable),
            ("Reconnecting... waiting for network (Connection failed: x)", ErrorCode::ResourceUnavailable),
            ("connect to 127.0.0.1:4010 of run 14291", ErrorCode::InternalError),
            ("exit code 1", ErrorCode::InternalError),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
