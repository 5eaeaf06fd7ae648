//! What a server remembers of the keys in use: how often each may still call, and when it was last used.

use crate::store::{Store, accounts::Member};
use oz_core::{Error, ErrorCode, Timestamp};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The time of last use is kept to this many microseconds; finer would cost a write per call.
const RESOLUTION: i64 = 60 * 1_000_000;
/// A key may save up calls for this many seconds.
const BURST_SECONDS: f64 = 2.0;

/// The keys in use.
pub(crate) struct Keys {
    /// Calls per second and key; `None` means no limit.
    limit: Option<f64>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    buckets: HashMap<String, Bucket>,
    used: HashMap<String, i64>,
}

struct Bucket {
    calls: f64,
    at: Instant,
}

impl Keys {
    pub(crate) fn new(calls_per_second: u32) -> Self {
        let limit = (calls_per_second > 0).then(|| f64::from(calls_per_second));
        Self { limit, inner: Mutex::default() }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// `resource_unavailable` (429) when the key calls too often.
    pub(crate) fn used(&self, member: &Member, now: Timestamp) -> Result<(), Error> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = self.limit {
            let at = Instant::now();
            let most = limit * BURST_SECONDS;
            if !inner.buckets.contains_key(&member.key_uid) {
                inner.buckets.insert(member.key_uid.clone(), Bucket { calls: most, at });
            }
            if let Some(bucket) = inner.buckets.get_mut(&member.key_uid) {
                bucket.calls = (bucket.calls + at.duration_since(bucket.at).as_secs_f64() * limit).min(most);
                bucket.at = at;
                if bucket.calls < 1.0 {
                    let text =
                        format!("this key calls too often; at most {limit} calls a second are allowed");
                    return Err(Error::new(ErrorCode::ResourceUnavailable, text));
                }
                bucket.calls -= 1.0;
            }
        }
        let micros = now.as_microsecond();
        let known = inner.used.get(&member.key_uid).copied().max(member.key_used_at);
        if known.is_none_or(|at| micros - at >= RESOLUTION) {
            inner.used.insert(member.key_uid.clone(), micros);
        }
        Ok(())
    }

    /// Writes down when keys were used; forgets those that are idle.
    pub(crate) async fn flush(&self, store: &Store) -> Result<(), Error> {
        let used = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.buckets.retain(|_, bucket| bucket.at.elapsed().as_secs_f64() < 60.0);
            std::mem::take(&mut inner.used)
        };
        if !used.is_empty() {
            store.keys_used(used.into_iter().collect()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oz_core::principal::{Principal, PrincipalType};

    fn member(key: &str) -> Member {
        Member {
            principal: Principal {
                kind: PrincipalType::User,
                uid: "u".into(),
                display_name: None,
                email: None,
                photo_url: None,
            },
            team_id: "t".into(),
            team_name: "T".into(),
            admin: true,
            key_uid: key.into(),
            key_used_at: None,
            source: oz_core::run::RunSource::Api,
        }
    }

    #[test]
    fn one_key_that_calls_too_often_does_not_stop_another() {
        let keys = Keys::new(5);
        let now = Timestamp::from_second(1000).unwrap();
        let calls = (0..20).filter(|_| keys.used(&member("a"), now).is_ok()).count();
        assert!((10..=11).contains(&calls), "{calls}");
        let refused = keys.used(&member("a"), now).unwrap_err();
        assert_eq!(refused.http_status(), 429);
        keys.used(&member("b"), now).unwrap();
        assert!((0..50_000).all(|_| Keys::new(0).used(&member("a"), now).is_ok()));
    }
}
