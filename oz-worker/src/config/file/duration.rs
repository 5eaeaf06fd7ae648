//! Durations as Go writes them: `2m`, `1h30m`, `1.5h`, `500ms`, `0`.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::time::Duration;

const EXPECTED: &str = "expected a duration such as 90s, 2m or 1h30m";

/// Reads a duration.
///
/// # Errors
/// When the text is none; says what would be right.
pub fn parse(text: &str) -> Result<Duration, String> {
    sum(text.trim()).ok_or_else(|| format!("'{}' is not valid; {EXPECTED}", text.escape_debug()))
}

fn sum(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let each = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += count.parse::<f64>().ok()? * each;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// A duration, or none.
pub(in crate::config) fn option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| parse(&text).map_err(D::Error::custom)).transpose()
}

/// A duration that somebody else reads: checked, and kept as it is.
pub(in crate::config) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| parse(&text).map_err(D::Error::custom).map(|_| text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("1m0.5s", 60_500),
            ("300ms", 300),
            (" 45m ", 2_700_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "10", "-1s", "1 h", "2d", "m", "1h30", "1..5s", "99999999999999999999h"] {
            let problem = parse(text).unwrap_err();
            assert!(problem.ends_with(EXPECTED), "{text}: {problem}");
        }
    }
}
