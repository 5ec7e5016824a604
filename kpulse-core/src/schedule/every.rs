//! `@every 1h30m`: a duration as Go's `time.ParseDuration` reads it.

use super::ScheduleError;

/// Whole seconds, and one at least (`Every` in robfig's `constantdelay.go`).
pub(super) fn every(text: &str) -> Result<i64, ScheduleError> {
    nanoseconds(text)
        .map(|nanos| (nanos / 1_000_000_000).max(1))
        .ok_or_else(|| ScheduleError::Every { text: text.to_owned() })
}

/// A sign, then numbers (with a fraction) and units, in any order; `0` needs no unit.
fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        total = total.checked_add(part(number, unit)?)?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn part(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.into() };
    // Beyond the twelfth digit nothing is left of an hour.
    let digits = fraction.bytes().take(12).map(|digit| i128::from(digit - b'0'));
    let (fraction, scale) = digits.fold((0, 1), |(sum, scale), digit| (sum * 10 + digit, scale * 10));
    Some(whole * unit + fraction * unit / scale)
}
