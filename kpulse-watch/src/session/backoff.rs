//! How long to wait before asking again: longer each time, and never in step with others.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::Duration;

/// The least wait: full jitter may draw nearly nothing.
const LEAST: Duration = Duration::from_millis(100);

/// A growing wait with full jitter: anywhere between nothing and a ceiling that doubles.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Ceilings of `first`, twice that, and so on up to `cap`.
    pub(crate) fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, failures: 0 }
    }

    /// The wait after one more failure.
    pub(crate) fn next(&mut self, jitter: &mut Jitter) -> Duration {
        let ceiling = self.first.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(jitter.fraction()).max(LEAST)
    }

    /// All is well: the next wait is a short one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A source of chance that is good enough to keep sessions apart (splitmix64), and can be repeated in tests.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// Differs between sessions with the same seed; without a seed also between processes.
    pub(crate) fn new(seed: Option<u64>, session: &impl Hash) -> Self {
        match seed {
            Some(seed) => {
                let mut hasher = std::hash::DefaultHasher::new();
                (seed, session).hash(&mut hasher);
                Self(hasher.finish())
            }
            None => Self(RandomState::new().hash_one(session)),
        }
    }

    /// A number from 0 to 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(top) / f64::from(u32::MAX)
    }

    /// The duration, up to a tenth longer or shorter.
    pub(crate) fn about(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(0.9 + 0.2 * self.fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND);
        for ceiling in [1, 2, 4, 8, 16, 32, 60, 60] {
            let mut longest = Duration::ZERO;
            for seed in 0..200 {
                let wait = backoff.clone().next(&mut Jitter::new(Some(seed), &()));
                assert!(wait <= ceiling * SECOND);
                longest = longest.max(wait);
            }
            assert!(longest > ceiling * SECOND * 9 / 10, "{longest:?} of {ceiling} s");
            backoff.next(&mut Jitter::new(Some(1), &()));
        }
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff { failures: u32::MAX, ..Backoff::new(SECOND, 60 * SECOND) };
        assert!(backoff.next(&mut Jitter::new(Some(1), &())) <= 60 * SECOND);
        backoff.reset();
        assert!(backoff.next(&mut Jitter::new(Some(1), &())) <= SECOND);
    }

    #[test]
    fn a_seed_repeats_itself_and_sessions_differ() {
        let draw = |seed, session: &str| Jitter::new(seed, &session).fraction().to_bits();
        assert_eq!(draw(Some(1), "pods"), draw(Some(1), "pods"));
        assert_ne!(draw(Some(1), "pods"), draw(Some(1), "nodes"));
        assert_ne!(draw(None, "pods"), draw(None, "pods"));
    }
}
