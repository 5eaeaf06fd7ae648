//! Money as it is stored and shown, and the days and months that it is counted by.

use oz_core::Timestamp;
use std::fmt;

/// Millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Money(pub(super) i64);

impl Money {
    /// An amount in US dollars. What is no amount counts as nothing.
    pub(super) fn of(usd: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        Self((usd * 1e6).round() as i64)
    }

    /// The amount in US dollars.
    pub(super) fn usd(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^52")]
        let micros = self.0 as f64;
        micros / 1e6
    }
}

impl fmt::Display for Money {
    /// `$1.50`, or as many digits as a small amount needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("${}.{:06}", self.0 / 1_000_000, self.0.abs() % 1_000_000);
        let cents = text.len() - 4;
        let digits = text[cents..].trim_end_matches('0').len();
        f.write_str(&text[..cents + digits])
    }
}

const DAY: i64 = 86_400;

/// The day of a time (UTC), counted from 1970.
pub(super) fn day(t: Timestamp) -> i64 {
    t.as_second().div_euclid(DAY)
}

/// When a day begins.
pub(super) fn beginning(day: i64) -> Timestamp {
    Timestamp::from_second(day.saturating_mul(DAY)).unwrap_or_default()
}

/// The month of a time, which goes by its first day (UTC).
pub(super) fn month(t: Timestamp) -> i64 {
    let date = t.to_zoned(jiff::tz::TimeZone::UTC).date();
    day(t) - i64::from(date.day() - 1)
}

/// The month after this one.
pub(super) fn next_month(first: i64) -> i64 {
    // No month has more days, and the next one has at least 28.
    month(beginning(first + 31))
}

/// A day as it is written: `2026-05-01`.
pub(super) fn date(day: i64) -> String {
    beginning(day).to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_dollars() {
        for (usd, text) in [
            (0.0, "$0.00"),
            (0.5, "$0.50"),
            (20.0, "$20.00"),
            (1.234, "$1.234"),
            (0.000_012, "$0.000012"),
            (1e9, "$1000000000.00"),
            (f64::NAN, "$0.00"),
        ] {
            assert_eq!(Money::of(usd).to_string(), text);
        }
        assert_eq!(Money::of(0.1 + 0.2).usd(), 0.3);
    }

    #[test]
    fn months_begin_on_their_first_day_in_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (time, first, next) in [
            ("2026-05-01T00:00:00Z", "2026-05-01", "2026-06-01"),
            ("2026-05-31T23:59:59.999Z", "2026-05-01", "2026-06-01"),
            ("2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"),
            ("2025-12-31T23:59:59Z", "2025-12-01", "2026-01-01"),
            ("2026-01-31T00:00:00Z", "2026-01-01", "2026-02-01"),
            ("1969-12-31T23:00:00Z", "1969-12-01", "1970-01-01"),
        ] {
            let month = month(at(time));
            assert_eq!((date(month), date(next_month(month))), (first.to_owned(), next.to_owned()));
        }
    }
}
