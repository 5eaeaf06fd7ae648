//! What to do about a failed call to the control plane: a pure decision over the error and a count.

use oz_client::Error;
use std::time::Duration;

/// What follows from a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The control plane is away or busy: the same again, later.
    Again,
    /// This agent has no say in the run any more.
    Stop,
    /// The same will never work.
    Drop,
}

/// What follows from `error`.
pub(super) fn judge(error: &Error) -> Verdict {
    match error {
        Error::Connect { .. } | Error::Interrupted { .. } => Verdict::Again,
        Error::Api { error, .. } => match error.http_status() {
            401 | 403 | 404 | 409 | 410 => Verdict::Stop,
            408 | 425 | 429 | 500.. => Verdict::Again,
            _ => Verdict::Drop,
        },
        // It answered, but not as a control plane does.
        _ => Verdict::Drop,
    }
}

/// How long to wait before the try after number `attempt`, counted from 1. It stays short: a control plane that comes
/// back must hear of its runs before it gives them to others.
pub(super) fn wait(attempt: u32, jitter: f64) -> Duration {
    let whole = Duration::from_millis(50) * 2_u32.pow(attempt.min(6));
    whole.min(Duration::from_millis(1500)).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let api = |status| {
            let mut error = oz_core::Error::internal("x");
            error.status = Some(status);
            Error::Api { error, retry_after: None, should_retry: None }
        };
        for (status, verdict) in [
            (400, Verdict::Drop),
            (401, Verdict::Stop),
            (404, Verdict::Stop),
            (409, Verdict::Stop),
            (413, Verdict::Drop),
            (429, Verdict::Again),
            (500, Verdict::Again),
            (503, Verdict::Again),
        ] {
            assert_eq!(judge(&api(status)), verdict, "{status}");
        }
        assert_eq!(judge(&Error::Connect { url: "u".into(), reason: "r".into() }), Verdict::Again);
        assert_eq!(judge(&Error::Decode { what: "w".into(), reason: "r".into() }), Verdict::Drop);
    }

    #[test]
    fn waits_grow_to_a_short_limit() {
        let waits: Vec<_> = [1, 2, 3, 9, 99].map(|n| wait(n, 0.0).as_millis()).into();
        assert_eq!(waits, [100, 200, 400, 1500, 1500]);
        assert_eq!(wait(9, 1.0), Duration::from_millis(750));
    }
}
