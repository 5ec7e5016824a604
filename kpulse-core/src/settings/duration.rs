//! Durations as people write them in YAML: `90s`, `15m`, `6h`, `1h30m`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration of zero or more, written as `90s`, `15m`, `6h` or `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(SignedDuration);

impl Span {
    /// Nothing.
    pub const ZERO: Self = Self(SignedDuration::ZERO);

    /// That many seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(SignedDuration::from_secs(seconds))
    }

    /// That many minutes.
    #[must_use]
    pub const fn minutes(minutes: i64) -> Self {
        Self(SignedDuration::from_secs(minutes * 60))
    }

    /// That many hours.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self(SignedDuration::from_secs(hours * 3600))
    }

    /// The duration itself.
    #[must_use]
    pub const fn get(self) -> SignedDuration {
        self.0
    }
}

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: write it like 90s, 15m, 6h or 1h30m")]
pub struct SpanError {
    text: String,
}

impl FromStr for Span {
    type Err = SpanError;

    /// Reads what Go's `time.ParseDuration` reads, without signs: numbers (with a fraction) and the units
    /// `h`, `m`, `s`, `ms`, in any order; `0` needs no unit.
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let bad = || SpanError { text: text.to_owned() };
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let (mut rest, mut millis) = (text, 0.0_f64);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(bad)?;
            let (number, after) = rest.split_at(digits);
            let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, after) = after.split_at(unit);
            let factor = match unit {
                "h" => 3_600_000.0,
                "m" => 60_000.0,
                "s" => 1_000.0,
                "ms" => 1.0,
                _ => return Err(bad()),
            };
            millis += number.parse::<f64>().map_err(|_| bad())? * factor;
            rest = after;
        }
        // A century is far beyond every use and far within what can be counted.
        if text.is_empty() || millis > 3.2e12 {
            return Err(bad());
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        Ok(Self(SignedDuration::from_millis(millis.round() as i64)))
    }
}

/// The largest units that fit: `1h30m`, `90s` as `1m30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis == 0 {
            return f.write_str("0s");
        }
        for (unit, size, wrap) in [("h", 3_600_000, i128::MAX), ("m", 60_000, 60), ("s", 1_000, 60), ("ms", 1, 1_000)] {
            let count = (millis / size) % wrap;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<f64>, shown: &str) {
        let span = text.parse::<Span>().ok();
        assert_eq!(span.map(|span| span.get().as_secs_f64()), seconds, "{text}");
        if let Some(span) = span {
            assert_eq!(span.to_string(), shown);
        }
    }

    #[test]
    fn durations_read_and_show_as_people_write_them() {
        check("90s", Some(90.0), "1m30s");
        check("15m", Some(900.0), "15m");
        check("6h", Some(21_600.0), "6h");
        check("1h30m", Some(5_400.0), "1h30m");
        check("36h", Some(129_600.0), "36h");
        check("1.5h", Some(5_400.0), "1h30m");
        check("250ms", Some(0.25), "250ms");
        check("0", Some(0.0), "0s");
        check("0s", Some(0.0), "0s");
        for bad in ["", "5", "m", "-5m", "5 m", "5d", "m5", "1..5s", "99999999999h"] {
            check(bad, None, "");
        }
    }
}
