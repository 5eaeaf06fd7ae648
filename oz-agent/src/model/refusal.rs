//! What a provider means when it refuses, by HTTP status or in the middle of a stream: a pure table. It never sees a key.

use oz_core::model::{ModelError, ModelErrorKind as Kind};
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// How much of a provider's own words an error shows.
const SHOWN: usize = 300;

/// The error of an answer with this status and body.
pub(super) fn refused(provider: &str, status: u16, retry_after: Option<Duration>, body: &str) -> ModelError {
    let (word, text) = words(body);
    let kind = kind(status, &format!("{word} {text}").to_lowercase());
    let text = if text.is_empty() { word } else { text };
    let separator = if text.is_empty() { "" } else { ": " };
    ModelError { kind, message: format!("{provider} answered {status}{separator}{text}"), retry_after }
}

/// The error that a provider reports inside a stream that began well.
pub(super) fn interrupted(provider: &str, word: &str, message: &str) -> ModelError {
    let kind = kind(status_of(word), &format!("{word} {message}").to_lowercase());
    ModelError::new(kind, format!("{provider} broke off with {word}: {}", shorten(message)))
}

fn kind(status: u16, text: &str) -> Kind {
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match status {
        402 => Kind::InsufficientCredits,
        400..=499 if says(&["insufficient_quota", "credit balance", "billing_hard_limit"]) => {
            Kind::InsufficientCredits
        }
        401 | 403 => Kind::Authentication,
        400 | 413 | 422 if says(&CONTEXT) => Kind::ContextTooLong,
        429 => Kind::RateLimited,
        408 | 409 | 425 | 500.. => Kind::Unavailable,
        _ => Kind::InvalidRequest,
    }
}

const CONTEXT: [&str; 7] = [
    "context_length",
    "context length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
    "too many tokens",
];

/// The HTTP status that goes with a word of an error event.
fn status_of(word: &str) -> u16 {
    match word {
        "authentication_error" | "invalid_api_key" | "permission_error" => 401,
        "billing_error" | "insufficient_quota" => 402,
        "rate_limit_error" | "rate_limit_exceeded" => 429,
        "invalid_request_error" | "context_length_exceeded" | "invalid_prompt" | "request_too_large" => 400,
        "not_found_error" | "model_not_found" => 404,
        _ => 529,
    }
}

/// A word for machines and a text for people from an error document of any provider.
fn words(body: &str) -> (String, String) {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let error = json.get("error").unwrap_or(&json);
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let word = [text("code"), text("type")].into_iter().find(|w| !w.is_empty()).unwrap_or_default();
    let message = match error {
        Value::String(message) => message.clone(),
        Value::Object(_) => text("message"),
        _ => body.trim().to_owned(),
    };
    (word, shorten(&message))
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// How long the headers ask to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(ms) = text("retry-after-ms").and_then(|v| v.parse().ok()) {
        return Some(Duration::from_millis(ms));
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let context = r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#;
        let quota = r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}"#;
        let credit = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#;
        for (status, body, kind) in [
            (401, "", Kind::Authentication),
            (403, "", Kind::Authentication),
            (402, "", Kind::InsufficientCredits),
            (429, quota, Kind::InsufficientCredits),
            (400, credit, Kind::InsufficientCredits),
            (429, "slow down", Kind::RateLimited),
            (400, context, Kind::ContextTooLong),
            (400, r#"{"error":{"message":"prompt is too long: 210000 tokens"}}"#, Kind::ContextTooLong),
            (400, r#"{"error":"model 'x' not found"}"#, Kind::InvalidRequest),
            (404, "", Kind::InvalidRequest),
            (500, context, Kind::Unavailable),
            (503, "", Kind::Unavailable),
            (529, r#"{"error":{"type":"overloaded_error"}}"#, Kind::Unavailable),
        ] {
            let error = refused("p", status, None, body);
            assert_eq!(error.kind, kind, "{status} {body}");
            assert!(error.message.starts_with(&format!("p answered {status}")), "{error}");
        }
        assert_eq!(interrupted("p", "overloaded_error", "busy").kind, Kind::Unavailable);
        assert_eq!(interrupted("p", "rate_limit_error", "busy").kind, Kind::RateLimited);
        assert_eq!(interrupted("p", "server_error", "busy").kind, Kind::Unavailable);
    }

    #[test]
    fn an_error_shows_the_providers_words_but_not_all_of_them() {
        let error = refused("p", 400, None, r#"{"error":{"message":"bad field"}}"#);
        assert_eq!(error.message, "p answered 400: bad field");
        assert!(refused("p", 400, None, &"x".repeat(9000)).message.len() < 400);
        assert_eq!(refused("p", 500, None, "").message, "p answered 500");
    }

    #[test]
    fn waits_come_in_three_spellings() {
        let wait = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "-1"), None);
    }
}
