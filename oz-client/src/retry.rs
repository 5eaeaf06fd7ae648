//! When to try again: pure decisions over an error, a call and a count.

use crate::Error;
use http::Method;
use std::time::Duration;

/// How often a call is tried, counted with the first time, unless its options say otherwise.
pub const ATTEMPTS: u32 = 4;

/// The longest wait that a server may ask for; who asks for more is not heard.
const LONGEST: Duration = Duration::from_secs(60);

/// What names a POST, so that the server does it once however often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Nothing.
    None,
    /// A key that the client made for this call.
    Made,
    /// A key of the caller.
    Own,
}

/// What an answer 409 means to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The end. So it is for an agent, which learns by it that it lost its run.
    Final,
    /// Another try only when the server asks for one: a name that is taken stays taken.
    AsTold,
    /// Another try, unless the server says that there is no point.
    WaitOut,
}

/// What may be done with a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// How often it is tried, counted with the first time.
    pub attempts: u32,
    /// Whether doing it twice is the same as doing it once.
    pub repeatable: bool,
    /// What a conflict means to it.
    pub conflict: Conflict,
}

impl Call {
    /// A call by its method, its path in the endpoint table, and what names it.
    #[must_use]
    pub fn of(method: &Method, path: &str, key: Key) -> Self {
        let plain = matches!(*method, Method::GET | Method::PUT | Method::DELETE);
        let conflict = match key {
            _ if path.starts_with("/harness-support/") => Conflict::Final,
            _ if plain => Conflict::WaitOut,
            Key::None => Conflict::Final,
            Key::Made => Conflict::AsTold,
            Key::Own => Conflict::WaitOut,
        };
        let repeatable = *method != Method::POST || key != Key::None;
        Self { attempts: ATTEMPTS, repeatable, conflict }
    }
}

/// How long to wait before the try after number `attempt` (from 1), or `None` when `error` should not be tried again.
/// `jitter` is a random number from 0 to 1 that shortens the wait by up to a quarter. A call that is not repeatable is
/// repeated only when the server can't have done it.
#[must_use]
pub fn delay(error: &Error, call: &Call, attempt: u32, jitter: f64) -> Option<Duration> {
    if attempt >= call.attempts || !retryable(error, call) {
        return None;
    }
    if let Error::Api { retry_after: Some(wait), .. } = error
        && *wait <= LONGEST
    {
        return Some(*wait);
    }
    let base = Duration::from_millis(500) * 2_u32.saturating_pow(attempt.saturating_sub(1));
    Some(base.min(Duration::from_secs(8)).mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

fn retryable(error: &Error, call: &Call) -> bool {
    match error {
        Error::Connect { .. } => true,
        Error::Interrupted { .. } => call.repeatable,
        Error::Api { error, should_retry, .. } if error.http_status() == 409 => {
            match (call.conflict, should_retry) {
                (Conflict::Final, _) => false,
                (Conflict::AsTold | Conflict::WaitOut, Some(told)) => *told,
                (Conflict::AsTold, None) => false,
                (Conflict::WaitOut, None) => error.code.info().retryable,
            }
        }
        Error::Api { should_retry: Some(told), .. } => *told,
        Error::Api { error, .. } => match error.http_status() {
            // The server says that it did nothing.
            408 | 429 | 503 => true,
            status => call.repeatable && status >= 500,
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

    fn api(status: u16, retry_after: Option<u64>, should_retry: Option<bool>) -> Error {
        let mut error = oz_core::Error::new(oz_core::ErrorCode::from_status(status), "x");
        error.status = Some(status);
        Error::Api { error, retry_after: retry_after.map(Duration::from_secs), should_retry }
    }

    fn call(method: &Method, key: Key) -> Call {
        Call::of(method, "/agent/things", key)
    }

    #[test]
    fn waits_grow_and_end() {
        let error = Error::Connect { url: "u".into(), reason: "r".into() };
        let post = call(&Method::POST, Key::None);
        let waits = |call: Call| -> Vec<_> {
            (1..=4).map(|n| delay(&error, &call, n, 0.0).map(|d| d.as_millis())).collect()
        };
        assert_eq!(waits(post), [Some(500), Some(1000), Some(2000), None]);
        assert_eq!(waits(Call { attempts: 2, ..post }), [Some(500), None, None, None]);
        assert_eq!(waits(Call { attempts: 0, ..post }), [None; 4]);
        let far = delay(&error, &Call { attempts: 99, ..post }, 90, 1.0);
        assert_eq!(far, Some(Duration::from_secs(6)));
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        for (status, post, keyed, get) in [
            (400, false, false, false),
            (404, false, false, false),
            (408, true, true, true),
            (409, false, false, true),
            (429, true, true, true),
            (500, false, true, true),
            (502, false, true, true),
            (503, true, true, true),
        ] {
            let error = api(status, None, None);
            let again = |method, key| delay(&error, &call(method, key), 1, 0.0).is_some();
            assert_eq!(again(&Method::POST, Key::None), post, "POST {status}");
            assert_eq!(again(&Method::POST, Key::Made), keyed, "POST with a key {status}");
            assert_eq!(again(&Method::GET, Key::None), get, "GET {status}");
        }
        let lost = Error::Interrupted { url: "u".into(), reason: "r".into() };
        for (key, again) in [(Key::None, false), (Key::Made, true), (Key::Own, true)] {
            assert_eq!(delay(&lost, &call(&Method::POST, key), 1, 0.0).is_some(), again, "{key:?}");
        }
    }

    #[test]
    fn a_conflict_is_waited_out_only_where_that_is_safe() {
        use Key::{Made, None as Nothing, Own};
        // With a problem that says nothing more, that asks for another try, and that says that there is no point.
        for (method, key, plain, asked) in [
            (Method::GET, Nothing, true, true),
            (Method::PUT, Nothing, true, true),
            (Method::DELETE, Nothing, true, true),
            (Method::PATCH, Nothing, false, false),
            (Method::POST, Nothing, false, false),
            (Method::POST, Made, false, true),
            (Method::POST, Own, true, true),
        ] {
            let again = |told| delay(&api(409, None, told), &call(&method, key), 1, 0.0).is_some();
            assert_eq!([None, Some(true), Some(false)].map(again), [plain, asked, false], "{method} {key:?}");
            let agents = Call::of(&method, "/harness-support/run", key);
            assert_eq!(delay(&api(409, None, Some(true)), &agents, 1, 0.0), None, "{method} {key:?}");
        }
    }

    #[test]
    fn the_server_says_whether_and_how_long() {
        let get = call(&Method::GET, Key::None);
        assert_eq!(delay(&api(429, Some(7), None), &get, 1, 0.5), Some(Duration::from_secs(7)));
        assert_eq!(delay(&api(429, Some(60), None), &get, 1, 0.5), Some(Duration::from_secs(60)));
        assert_eq!(delay(&api(429, Some(61), None), &get, 1, 0.0), Some(Duration::from_millis(500)));
        assert_eq!(delay(&api(500, None, Some(false)), &get, 1, 0.0), None);
        assert!(delay(&api(400, None, Some(true)), &get, 1, 0.0).is_some());
    }
}
