//! When to call a model again: a pure decision over an error and a count.

use crate::model::Patience;
use oz_core::model::ModelError;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);

/// How often a call is tried, counted with the first time, and for how long a provider may ask to wait. Where another
/// model waits behind this one, there is less to hope for than from going on.
const fn limits(patience: Patience) -> (u32, Duration) {
    match patience {
        Patience::Last => (6, Duration::from_secs(300)),
        Patience::Others => (3, Duration::from_secs(20)),
        Patience::Probe => (1, Duration::ZERO),
    }
}

/// How long to wait after try number `attempt` (from 1) failed with `error`, or `None` when it is to be given up.
/// `jitter` is a random number from 0 to 1 that shortens the wait by up to half.
pub(super) fn delay(error: &ModelError, patience: Patience, attempt: u32, jitter: f64) -> Option<Duration> {
    let (attempts, longest) = limits(patience);
    if attempt >= attempts || !error.is_retryable() {
        return None;
    }
    match error.retry_after {
        Some(wait) => (wait <= longest).then_some(wait),
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
        let waits = |patience, attempts| -> Vec<_> {
            (1..=attempts).map(|n| delay(&error, patience, n, 0.0).map(|d| d.as_secs())).collect()
        };
        assert_eq!(waits(Patience::Last, 6), [Some(1), Some(2), Some(4), Some(8), Some(16), None]);
        assert_eq!(waits(Patience::Others, 3), [Some(1), Some(2), None]);
        assert_eq!(waits(Patience::Probe, 1), [None]);
        assert_eq!(delay(&error, Patience::Last, 1, 1.0), Some(Duration::from_millis(500)));
    }

    #[test]
    fn the_provider_says_how_long_and_some_errors_stay() {
        let wait = |patience, seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            delay(&ModelError { retry_after, ..ModelError::new(Kind::RateLimited, "x") }, patience, 1, 0.5)
        };
        assert_eq!(wait(Patience::Last, 7), Some(Duration::from_secs(7)));
        assert_eq!(wait(Patience::Last, 3600), None);
        assert_eq!(wait(Patience::Last, 30), Some(Duration::from_secs(30)));
        assert_eq!(wait(Patience::Others, 30), None);
        for kind in
            [Kind::Authentication, Kind::InsufficientCredits, Kind::ContextTooLong, Kind::InvalidRequest]
        {
            assert_eq!(delay(&ModelError::new(kind, "x"), Patience::Last, 1, 0.0), None);
        }
    }
}
