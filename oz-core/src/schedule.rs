//! When a schedule fires: five fields of cron in a time zone. Where clocks are put forward, a time that does not exist is
//! taken at the first moment after the gap; where they are put back, a fixed time comes once.

mod due;

pub use due::{Due, Missed, due};

use crate::{Error, Timestamp};
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

fn parse(expression: &str) -> Result<croner::Cron, Error> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(expression)
        .map_err(|e| {
            let expected = format!("five fields of cron such as '0 9 * * 1-5' ({e})");
            Error::invalid_field("cron_schedule", expression, &expected)
        })
}

/// Checks an expression: it must be understood, and must fire at all.
///
/// # Errors
/// `invalid_request` that names the expression and what is wrong with it.
pub fn check(expression: &str, zone: &str, now: Timestamp) -> Result<(), Error> {
    next_after(expression, zone, now)?.map(|_| ()).ok_or_else(|| {
        Error::invalid_field("cron_schedule", expression, "a time that comes at all; this one never does")
    })
}

/// A time zone by its name in the IANA database.
///
/// # Errors
/// `invalid_request` that names the zone.
pub fn time_zone(name: &str) -> Result<TimeZone, Error> {
    // The library also takes fixed offsets and POSIX rules, which nobody could tell from a typing error.
    let named = name == "UTC" || name.contains('/');
    let zone = named.then(|| TimeZone::get(name).ok()).flatten();
    zone.ok_or_else(|| Error::invalid_field("time_zone", name, "UTC or a name such as Europe/Berlin"))
}

/// The times at which a schedule fires: an expression in a time zone.
#[derive(Debug)]
pub struct Times {
    cron: croner::Cron,
    zone: TimeZone,
}

impl Times {
    /// The times of an expression in the time zone `zone`.
    ///
    /// # Errors
    /// `invalid_request` when the expression or the zone is not understood.
    pub fn of(expression: &str, zone: &str) -> Result<Self, Error> {
        Ok(Self { cron: parse(expression)?, zone: time_zone(zone)? })
    }

    /// The first time after `after`; `None` when none comes.
    #[must_use]
    pub fn after(&self, after: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&after.to_zoned(self.zone.clone()), false);
        next.ok().map(|zoned| zoned.timestamp())
    }

    /// The last time before `before`; `None` when there was none.
    #[must_use]
    pub fn before(&self, before: Timestamp) -> Option<Timestamp> {
        // The search knows whole seconds only, and would pass over the one that `before` lies in.
        let within = i64::from(before.subsec_nanosecond() > 0);
        let before = Timestamp::from_second(before.as_second() + within).ok()?;
        let last = self.cron.find_previous_occurrence(&before.to_zoned(self.zone.clone()), false);
        last.ok().map(|zoned| zoned.timestamp())
    }
}

/// The first time after `after` at which a schedule in the time zone `zone` fires; `None` when it never does.
///
/// # Errors
/// `invalid_request` when the expression or the zone is not understood.
pub fn next_after(expression: &str, zone: &str, after: Timestamp) -> Result<Option<Timestamp>, Error> {
    Ok(Times::of(expression, zone)?.after(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn next(expression: &str, after: &str) -> Option<String> {
        next_after(expression, "UTC", after.parse().unwrap()).unwrap().map(|t| t.to_string())
    }

    #[test]
    fn the_usual_expressions() {
        for (expression, after, expected) in [
            ("0 9 * * *", "2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"),
            ("0 9 * * *", "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z"),
            ("*/15 * * * *", "2026-03-02T08:07:00Z", "2026-03-02T08:15:00Z"),
            ("0 9 * * 1-5", "2026-03-06T10:00:00Z", "2026-03-09T09:00:00Z"),
            ("0 0 * * 0", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"),
            ("0 0 29 2 *", "2026-03-02T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("30 6 1 */3 *", "2026-03-02T00:00:00Z", "2026-04-01T06:30:00Z"),
            ("0 10 */4 * *", "2026-03-02T00:00:00Z", "2026-03-05T10:00:00Z"),
            ("0 0 13 * 5", "2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z"),
            ("0 0 13 * 5", "2026-05-09T00:00:00Z", "2026-05-13T00:00:00Z"),
            ("0 9 * JAN,APR MON", "2026-03-02T00:00:00Z", "2026-04-06T09:00:00Z"),
            ("0 9 * * 7", "2026-03-02T00:00:00Z", "2026-03-08T09:00:00Z"),
            ("0 9 L * *", "2026-02-02T00:00:00Z", "2026-02-28T09:00:00Z"),
            ("0 9 15W * *", "2026-03-02T00:00:00Z", "2026-03-16T09:00:00Z"),
            ("0 9 * * 1#2", "2026-03-02T00:00:00Z", "2026-03-09T09:00:00Z"),
            ("@hourly", "2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"),
            ("@daily", "2026-03-02T08:59:59Z", "2026-03-03T00:00:00Z"),
            ("@weekly", "2026-03-02T08:59:59Z", "2026-03-08T00:00:00Z"),
            ("@monthly", "2026-03-02T08:59:59Z", "2026-04-01T00:00:00Z"),
            ("@yearly", "2026-03-02T08:59:59Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(next(expression, after).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn time_zones_and_changes_of_the_clock() {
        for (expression, zone, after, expected) in [
            ("0 9 * * *", "Europe/Berlin", "2026-01-10T00:00:00Z", "2026-01-10T08:00:00Z"),
            ("0 9 * * *", "Europe/Berlin", "2026-07-10T00:00:00Z", "2026-07-10T07:00:00Z"),
            ("0 9 * * *", "Asia/Kolkata", "2026-07-10T00:00:00Z", "2026-07-10T03:30:00Z"),
            // 02:30 does not exist on 29 March 2026 in Berlin, and comes twice on 25 October.
            ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            // Several times of the day: what does not exist is passed over, and what comes twice fires twice.
            ("0 1-3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"),
            ("30 1-3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
            ("*/15 * * * *", "Europe/Berlin", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z"),
            ("0 1-3 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
            ("*/15 * * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z"),
        ] {
            let next = next_after(expression, zone, after.parse().unwrap()).unwrap().unwrap();
            assert_eq!(next.to_string(), expected, "{expression} {zone} {after}");
        }
        for bad in ["", "Berlin", "europe", "+02:00", "CET-1CEST", "Europe/Nowhere", "../etc/passwd"] {
            let error = time_zone(bad).unwrap_err();
            assert!(
                error.detail.starts_with(&format!("time_zone: '{bad}' is not valid")),
                "{}",
                error.detail
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let now: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        for bad in
            ["", "nine", "* * * *", "0 25 * * *", "61 * * * *", "0 0 9 * * *", "0 9 * * 8", "0 0 30 2 *"]
        {
            let error = check(bad, "UTC", now).unwrap_err();
            assert!(
                error.detail.starts_with(&format!("cron_schedule: '{bad}' is not valid")),
                "{}",
                error.detail
            );
        }
    }

    proptest! {
        #[test]
        fn the_next_time_is_later_and_a_whole_minute(minute in 0..60, step in 1..30, after in 0_i64..4_000_000_000) {
            let after = Timestamp::from_second(after).unwrap();
            let next = next_after(&format!("{minute}-59/{step} * * * *"), "Europe/Berlin", after).unwrap().unwrap();
            prop_assert!(next > after);
            prop_assert_eq!(next.as_second() % 60, 0);
        }

        /// Around the changes of the clock too: walking back from anywhere ends on the walk forth.
        #[test]
        fn the_last_time_is_one_of_those_that_come(
            expression in proptest::sample::select(vec![
                "* * * * *", "*/7 * * * *", "30 2 * * *", "0,30 2,3 * * *", "15 1-3 * * 0", "0 3 25 10 *", "* 2 * * 0",
            ]),
            zone in proptest::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
            // Within two days of a change in one of the zones.
            change in proptest::sample::select(vec![1_774_746_000_i64, 1_792_890_000, 1_772_953_200, 1_793_512_800, 1_775_314_800]),
            from in -172_800_i64..0, millis in 0_i64..172_800_000,
        ) {
            let times = Times::of(expression, zone).unwrap();
            let mut last = times.after(Timestamp::from_second(change + from).unwrap()).unwrap();
            let before = Timestamp::from_millisecond(change * 1000 + millis).unwrap();
            prop_assume!(last < before);
            while let Some(next) = times.after(last).filter(|next| *next < before) {
                last = next;
            }
            prop_assert_eq!(times.before(before), Some(last));
        }

        #[test]
        fn nothing_makes_it_panic(text in "[-0-9*/,?LW# a-zA-Z]{0,40}") {
            if let Ok(times) = Times::of(&text, "UTC") {
                for t in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                    let _ = (times.after(t), times.before(t));
                }
            }
            let _ = time_zone(&text);
        }
    }
}
