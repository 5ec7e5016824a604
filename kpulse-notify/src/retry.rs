//! When to try again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::notifier::DeliveryError;

/// Between the first and the longest pause: after a passing failure.
const TRANSIENT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));

/// Between the first and the longest pause: while somebody must mend the channel.
const UNAVAILABLE: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));

/// When the next attempt is made; never, for a message that was refused.
///
/// `failures` counts the attempts in a row that failed alike, this one too. Pauses double, between 1s and 5m after a
/// passing failure, 5m and 1h where somebody must mend the channel, and are spread by `seed` over their upper half, so
/// that agents that failed together do not come back together. What the channel asked for is a minimum.
#[must_use]
pub fn next_attempt(now: Timestamp, failures: u32, error: &DeliveryError, seed: u64) -> Option<Timestamp> {
    let pause = match error {
        DeliveryError::Refused { .. } => return None,
        DeliveryError::Transient { retry_after, .. } => {
            back_off(TRANSIENT, failures, seed).max(retry_after.unwrap_or_default())
        }
        DeliveryError::Unavailable { .. } => back_off(UNAVAILABLE, failures, seed),
    };
    Some(after(now, pause))
}

/// `now` and a pause; the end of time rather than an overflow.
pub(crate) fn after(now: Timestamp, pause: Duration) -> Timestamp {
    SignedDuration::try_from(pause).ok().and_then(|pause| now.checked_add(pause).ok()).unwrap_or(Timestamp::MAX)
}

/// A pause between half of what has doubled `failures` times and all of it.
fn back_off((first, longest): (Duration, Duration), failures: u32, seed: u64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.max(1)));
    let half = doubled.min(longest) / 2;
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(seed % millis.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn transient(retry_after: Option<u64>) -> DeliveryError {
        DeliveryError::Transient {
            cause: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
            perhaps: false,
        }
    }

    fn unavailable() -> DeliveryError {
        DeliveryError::Unavailable { cause: String::new() }
    }

    /// The earliest and the latest second over many seeds.
    #[track_caller]
    fn check(error: &DeliveryError, failures: u32, expect: (i64, i64)) {
        let seeds = (0..2_000_u64).map(|seed| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).chain([0, u64::MAX]);
        let pauses: Vec<f64> = seeds
            .map(|seed| next_attempt(NOW, failures, error, seed).unwrap().duration_since(NOW).as_secs_f64())
            .collect();
        let earliest = pauses.iter().copied().fold(f64::MAX, f64::min);
        let latest = pauses.iter().copied().fold(0.0, f64::max);
        assert!(earliest >= expect.0 as f64 && latest <= expect.1 as f64, "{earliest}..{latest}, not in {expect:?}");
        let spread = (expect.1 - expect.0) as f64;
        assert!(latest - earliest >= spread * 0.9, "{earliest}..{latest} does not spread over {expect:?}");
    }

    #[test]
    fn pauses_after_a_passing_failure_double_from_a_second_to_five_minutes() {
        check(&transient(None), 1, (1, 2));
        check(&transient(None), 2, (2, 4));
        check(&transient(None), 5, (16, 32));
        check(&transient(None), 8, (128, 256));
        check(&transient(None), 9, (150, 300));
        check(&transient(None), u32::MAX, (150, 300));
        check(&transient(None), 0, (1, 2));
    }

    #[test]
    fn pauses_of_an_unavailable_channel_are_five_minutes_to_an_hour() {
        check(&unavailable(), 1, (300, 600));
        check(&unavailable(), 2, (600, 1_200));
        check(&unavailable(), 3, (1_200, 2_400));
        check(&unavailable(), 4, (1_800, 3_600));
        check(&unavailable(), 400, (1_800, 3_600));
    }

    #[test]
    fn what_the_channel_asked_for_is_a_minimum() {
        check(&transient(Some(0)), 2, (2, 4));
        check(&transient(Some(60)), 1, (60, 60));
        check(&transient(Some(60)), 9, (150, 300));
    }

    #[test]
    fn a_refused_message_is_not_tried_again() {
        assert_eq!(next_attempt(NOW, 1, &DeliveryError::Refused { cause: String::new() }, 7), None);
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        assert_eq!(next_attempt(Timestamp::MAX, 9, &transient(None), 7), Some(Timestamp::MAX));
    }
}
