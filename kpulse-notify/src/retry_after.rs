//! How long a channel asks to be left alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest pause that is granted. A channel that asks for more is asked again once an hour, as one that is
/// unavailable is: that burdens nobody, and a clock gone wrong at the far end does not silence it for years.
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Reads a `Retry-After` header: seconds, or an HTTP date (RFC 9110, section 10.2.3). A date that has passed is no pause
/// at all; a value that is neither says nothing.
#[must_use]
pub(crate) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long pause.
        let seconds = header.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let pause: SignedDuration = http_date(header)?.duration_since(now);
    Some(Duration::try_from(pause).unwrap_or(Duration::ZERO).min(LONGEST))
}

/// Reads what a body says: seconds, perhaps with a fraction. What is no length of time says nothing.
pub(crate) fn seconds(said: &serde_json::Value) -> Option<Duration> {
    let seconds = Duration::try_from_secs_f64(said.as_f64()?).ok()?;
    Some(seconds.min(LONGEST))
}

/// Reads an HTTP date in any of its three forms.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text).ok().and_then(|date| Timestamp::try_from(date).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, seconds: Option<u64>) {
        let now = "2026-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(retry_after(header, now).map(|pause| pause.as_secs()), seconds, "{header}");
    }

    #[test]
    fn seconds_are_read_and_bounded() {
        check("0", Some(0));
        check("7", Some(7));
        check(" 120 ", Some(120));
        check("3600", Some(3600));
        check("3601", Some(3600));
        check("99999999999999999999999", Some(3600));
    }

    #[test]
    fn dates_are_read_in_three_forms_and_bounded() {
        check("Fri, 06 Nov 2026 08:49:37 GMT", Some(37));
        check("Friday, 06-Nov-26 08:49:37 GMT", Some(37));
        check("Fri Nov  6 08:49:37 2026", Some(37));
        check("Fri, 06 Nov 2026 08:48:59 GMT", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(0));
        check("Sat, 07 Nov 2026 08:49:37 GMT", Some(3600));
    }

    #[test]
    fn seconds_in_bodies_may_have_fractions() {
        let check = |said: serde_json::Value, millis: Option<u128>| {
            assert_eq!(seconds(&said).map(|pause| pause.as_millis()), millis, "{said}");
        };
        check(0.65.into(), Some(650));
        check(7.into(), Some(7_000));
        check(1e300.into(), None);
        check(86_400.into(), Some(3_600_000));
        check((-1).into(), None);
        check("7".into(), None);
        check(serde_json::Value::Null, None);
    }

    #[test]
    fn anything_else_says_nothing() {
        for odd in ["", "soon", "-5", "1.5", "+5", "7 seconds", "2026-11-06T08:49:37Z", "٧"] {
            check(odd, None);
        }
    }
}
