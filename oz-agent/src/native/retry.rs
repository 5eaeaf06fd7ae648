//! When to call a model again: a pure decision over an error and a count.

use oz_core::model::ModelError;
use std::time::Duration;

/// How often a call is tried, counted with the first time.
const ATTEMPTS: u32 = 6;
const FIRST: Duration = Duration::from_secs(1);
/// A provider that asks for more patience than this gets none.
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait after try number `attempt` (from 1) failed with `error`, or `None` when it is to be given up.
/// `jitter` is a random number from 0 to 1 that shortens the wait by up to half.
pub(super) fn delay(error: &ModelError, attempt: u32, jitter: f64) -> Option<Duration> {
    if attempt >= ATTEMPTS || !error.is_retryable() {
        return None;
    }
    match error.retry_after {
        Some(wait) => (wait <= LONGEST).then_some(wait),
        None => Some((FIRST * 2_u32.pow(attempt - 1)).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::model::ModelErrorKind as Kind;

    #[test]
    fn waits_double_and_end() {
        let error = ModelError::new(Kind::Unavailable, "x");
        let waits: Vec<_> = (1..=6).map(|n| delay(&error, n, 0.0).map(|d| d.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(8), Some(16), None]);
        assert_eq!(delay(&error, 1, 1.0), Some(Duration::from_millis(500)));
    }

    #[test]
    fn the_provider_says_how_long_and_some_errors_stay() {
        let wait = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            delay(&ModelError { retry_after, ..ModelError::new(Kind::RateLimited, "x") }, 1, 0.5)
        };
        assert_eq!(wait(7), Some(Duration::from_secs(7)));
        assert_eq!(wait(3600), None);
        for kind in
            [Kind::Authentication, Kind::InsufficientCredits, Kind::ContextTooLong, Kind::InvalidRequest]
        {
            assert_eq!(delay(&ModelError::new(kind, "x"), 1, 0.0), None);
        }
    }
}
