//! Which times of a schedule have come, and which of them were missed.

use super::Times;
use crate::Timestamp;
use std::time::Duration;

/// A time that is found later than this was missed. It is more than a scheduler sleeps, a server takes to start and a
/// busy database makes it wait, so that only where nobody was there counts; and it is no more than the shortest distance
/// of two times, so that at most two are made up for one by one.
const MISSED_AFTER: Duration = Duration::from_secs(60);

/// How many missed times are counted, so that a year of minutes costs no more than a day.
const MOST_COUNTED: usize = 1000;

/// The times of a schedule that have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Those that were missed.
    pub missed: Option<Missed>,
    /// Those that have just come, the oldest first.
    pub on_time: Vec<Timestamp>,
    /// The first that is still to come.
    pub next: Option<Timestamp>,
}

/// Times that were missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// How many there are before the last.
    pub earlier: usize,
    /// Whether there are more than were counted.
    pub or_more: bool,
}

/// The times from `from`, which is one itself, up to `now`.
#[must_use]
pub fn due(times: &Times, from: Timestamp, now: Timestamp) -> Due {
    let since = now.checked_sub(MISSED_AFTER).unwrap_or(Timestamp::MIN);
    let missed = (from < since).then(|| missed(times, from, since));
    let mut next = missed.as_ref().map_or(Some(from), |missed| times.after(missed.last));
    let mut on_time = Vec::new();
    while let Some(time) = next.filter(|time| *time <= now) {
        on_time.push(time);
        next = times.after(time);
    }
    Due { missed, on_time, next }
}

fn missed(times: &Times, first: Timestamp, since: Timestamp) -> Missed {
    let last = times.before(since).filter(|last| *last > first).unwrap_or(first);
    let (mut earlier, mut time) = (0, Some(first));
    while let Some(at) = time.filter(|at| *at < last && earlier < MOST_COUNTED) {
        earlier += 1;
        time = times.after(at);
    }
    Missed { first, last, earlier, or_more: time.is_some_and(|at| at < last) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-02T{text}Z").parse().unwrap()
    }

    fn minutes(from: &str, now: &str) -> Due {
        due(&Times::of("* * * * *", "UTC").unwrap(), at(from), at(now))
    }

    #[test]
    fn a_minute_late_is_on_time_and_more_is_missed() {
        let none = Due { missed: None, on_time: vec![], next: Some(at("12:00:00")) };
        assert_eq!(minutes("12:00:00", "11:59:59"), none, "it has not come");
        let both =
            Due { missed: None, on_time: vec![at("12:00:00"), at("12:01:00")], next: Some(at("12:02:00")) };
        assert_eq!(minutes("12:00:00", "12:01:00"), both);
        let late = minutes("12:00:00", "12:01:00.000001");
        let missed = Missed { first: at("12:00:00"), last: at("12:00:00"), earlier: 0, or_more: false };
        assert_eq!((late.missed, late.on_time), (Some(missed), vec![at("12:01:00")]));
    }

    #[test]
    fn a_night_and_a_year_are_made_up_for_at_once() {
        let night = minutes("00:00:00", "06:00:30");
        let missed = Missed { first: at("00:00:00"), last: at("05:59:00"), earlier: 359, or_more: false };
        assert_eq!((night.missed, night.on_time), (Some(missed), vec![at("06:00:00")]));
        let year = due(
            &Times::of("* * * * *", "Europe/Berlin").unwrap(),
            at("00:00:00"),
            "2027-03-02T00:00:30Z".parse().unwrap(),
        );
        let missed = year.missed.unwrap();
        assert_eq!((missed.earlier, missed.or_more), (MOST_COUNTED, true));
        assert_eq!(missed.last, "2027-03-01T23:59:00Z".parse().unwrap());
        let seldom = due(&Times::of("0 9 * * *", "UTC").unwrap(), at("09:00:00"), at("10:00:00"));
        assert_eq!((seldom.missed.unwrap().earlier, seldom.on_time.len()), (0, 0));
    }

    proptest! {
        /// However a span is cut into looks, every time is seen once, and all that are missed lie over a minute back.
        #[test]
        fn every_time_is_seen_once(
            expression in proptest::sample::select(vec!["* * * * *", "*/7 * * * *", "30 2 * * *", "0 */5 * * *"]),
            steps in proptest::collection::vec(1_i64..4000, 1..60),
        ) {
            let times = Times::of(expression, "Europe/Berlin").unwrap();
            // The night in which clocks are put back.
            let mut now: Timestamp = "2026-10-24T22:00:00Z".parse().unwrap();
            let mut next = times.after(now).unwrap();
            let mut expected = next;
            for step in steps {
                now += Duration::from_secs(u64::try_from(step).unwrap());
                if next > now { continue }
                let due = due(&times, next, now);
                let mut seen = due.missed.as_ref().map_or(0, |missed| missed.earlier + 1) + due.on_time.len();
                if let Some(missed) = &due.missed {
                    prop_assert!(missed.last + MISSED_AFTER < now && missed.first == next);
                }
                prop_assert!(due.on_time.iter().all(|time| *time + MISSED_AFTER >= now && *time <= now));
                while seen > 0 {
                    seen -= 1;
                    expected = times.after(expected).unwrap();
                }
                next = due.next.unwrap();
                prop_assert_eq!(next, expected);
                prop_assert!(next > now);
            }
        }
    }
}
