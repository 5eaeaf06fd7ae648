//! When to try again: pure decisions over an error and a count.

use crate::Error;
use http::Method;
use std::time::Duration;

/// How often a call is tried, counted with the first time.
pub const ATTEMPTS: u32 = 4;

/// How long to wait before the try after number `attempt` (from 1), or `None` when `error` should not be tried again.
/// `jitter` is a random number from 0 to 1 that shortens the wait by up to a quarter. A call that creates something is
/// repeated only when the server can't have done it. A conflict is never repeated here: it tells an agent that it lost
/// its run, and [`Runs::cancel`](crate::Runs::cancel) has its own patience.
#[must_use]
pub fn delay(error: &Error, method: &Method, attempt: u32, jitter: f64) -> Option<Duration> {
    if attempt >= ATTEMPTS || !retryable(error, method) {
        return None;
    }
    if let Error::Api { retry_after: Some(wait), .. } = error {
        return (*wait <= Duration::from_secs(60)).then_some(*wait);
    }
    let base = Duration::from_millis(500) * 2_u32.saturating_pow(attempt - 1);
    Some(base.min(Duration::from_secs(8)).mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

fn retryable(error: &Error, method: &Method) -> bool {
    let repeatable = *method != Method::POST;
    match error {
        Error::Connect { .. } => true,
        Error::Interrupted { .. } => repeatable,
        Error::Api { should_retry: Some(answer), .. } => *answer,
        Error::Api { error, .. } => match error.http_status() {
            // The server says that it did nothing.
            408 | 429 | 503 => true,
            status => repeatable && status >= 500,
        },
        Error::Decode { .. } | Error::Redirect { .. } | Error::Config(_) => false,
    }
}

/// A number from 0 to 1 that differs between callers; good enough to spread retries.
#[must_use]
pub fn jitter() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, retry_after: Option<u64>) -> Error {
        let mut error = oz_core::Error::internal("x");
        error.status = Some(status);
        Error::Api { error, retry_after: retry_after.map(Duration::from_secs), should_retry: None }
    }

    #[test]
    fn waits_grow_and_end() {
        let error = Error::Connect { url: "u".into(), reason: "r".into() };
        let waits: Vec<_> =
            (1..=4).map(|n| delay(&error, &Method::POST, n, 0.0).map(|d| d.as_millis())).collect();
        assert_eq!(waits, [Some(500), Some(1000), Some(2000), None]);
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        for (status, post, get) in [
            (400, false, false),
            (409, false, false),
            (429, true, true),
            (500, false, true),
            (503, true, true),
        ] {
            assert_eq!(delay(&api(status, None), &Method::POST, 1, 0.0).is_some(), post, "POST {status}");
            assert_eq!(delay(&api(status, None), &Method::GET, 1, 0.0).is_some(), get, "GET {status}");
        }
    }

    #[test]
    fn the_server_says_how_long() {
        assert_eq!(delay(&api(429, Some(7)), &Method::GET, 1, 0.5), Some(Duration::from_secs(7)));
        assert_eq!(delay(&api(429, Some(3600)), &Method::GET, 1, 0.5), None);
    }
}
