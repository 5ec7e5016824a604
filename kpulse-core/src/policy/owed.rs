//! What a channel is owed: the difference between what is true of a group and what the channel knows of it.

use jiff::{SignedDuration, Timestamp};

use crate::Severity;
use crate::ledger::Told;
use crate::notification::Why;

/// Counts at which a growing group is told again.
const MILESTONES: [usize; 9] = [5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000];

/// How long a channel that cannot edit its messages is spared the next count.
const GROWTH_SPACING: SignedDuration = SignedDuration::from_mins(1);

/// What is true of a group, as far as one channel is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    /// How many of its alerts the channel answers for.
    pub(crate) count: usize,
    /// The worst severity among those.
    pub(crate) severity: Severity,
    /// Whether the group, without members, waits for what replaces them.
    pub(crate) lingers: bool,
    /// How often it happened, if it is something that happens rather than lasts.
    pub(crate) occurrences: Option<i64>,
    /// Whether each further object is told at once: each is a matter of its own.
    pub(crate) eager: bool,
}

/// Something a channel is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) why: Why,
    /// Not to be sent before.
    pub(crate) from: Option<Timestamp>,
}

/// Something is told again at most this seldom.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Decides what a channel is owed of a group. What happens again is told again once per `window`, which doubles while
/// there is nothing new but its number.
pub(crate) fn owed(truth: Truth, told: Option<&Told>, window: SignedDuration) -> Option<Owed> {
    let now = |why| Some(Owed { why, from: None });
    match told {
        None if truth.count > 0 => now(Why::First),
        None => None,
        Some(told) if told.uncertain => now(Why::First),
        Some(_) if truth.count == 0 => (!truth.lingers).then_some(Owed { why: Why::Resolved, from: None }),
        Some(told) if truth.severity > told.severity => now(Why::Escalated),
        Some(told) if truth.occurrences.is_some() => {
            let again = truth.occurrences.is_some_and(|occurrences| occurrences > told.occurrences);
            let doubled = window.checked_mul(1 << told.repeats.min(16)).unwrap_or(LONGEST_WINDOW);
            let from = told.at.checked_add(doubled.min(LONGEST_WINDOW.max(window))).ok();
            again.then_some(Owed { why: Why::Repeated, from })
        }
        Some(told) if truth.eager && truth.count > told.count => now(Why::Grown),
        Some(told) if milestone(truth.count) > milestone(told.count) => {
            Some(Owed { why: Why::Grown, from: told.at.checked_add(GROWTH_SPACING).ok() })
        }
        Some(_) => None,
    }
}

/// How many of the counts that are told again have been reached.
pub(crate) fn milestone(count: usize) -> usize {
    MILESTONES.iter().filter(|step| **step <= count).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::UNIX_EPOCH;
    const WINDOW: SignedDuration = SignedDuration::from_mins(30);

    fn told(count: usize, severity: Severity) -> Told {
        Told {
            members: [].into(),
            severity,
            count,
            at: T0,
            occurrences: 0,
            repeats: 0,
            message_id: None,
            uncertain: false,
            refused: false,
        }
    }

    #[track_caller]
    fn check(count: usize, severity: Severity, lingers: bool, told: Option<&Told>, expect: Option<Why>) {
        assert_eq!(
            owed(Truth { count, severity, lingers, occurrences: None, eager: false }, told, WINDOW)
                .map(|owed| owed.why),
            expect
        );
    }

    #[test]
    fn a_channel_is_owed_the_difference() {
        use Severity::{Critical, Warning};
        check(1, Critical, false, None, Some(Why::First));
        check(0, Critical, false, None, None);
        check(1, Critical, false, Some(&told(1, Critical)), None);
        check(4, Critical, false, Some(&told(1, Critical)), None);
        check(5, Critical, false, Some(&told(1, Critical)), Some(Why::Grown));
        check(5, Critical, false, Some(&told(7, Critical)), None);
        check(9, Critical, false, Some(&told(5, Critical)), None);
        check(12, Critical, false, Some(&told(5, Critical)), Some(Why::Grown));
        check(1, Critical, false, Some(&told(1, Warning)), Some(Why::Escalated));
        check(1, Warning, false, Some(&told(1, Critical)), None);
        check(0, Critical, true, Some(&told(1, Critical)), None);
        check(0, Critical, false, Some(&told(1, Critical)), Some(Why::Resolved));
    }

    #[test]
    fn what_may_have_arrived_is_told_again_even_if_it_is_over() {
        let uncertain = Told { uncertain: true, ..told(1, Severity::Critical) };
        check(0, Severity::Critical, false, Some(&uncertain), Some(Why::First));
        check(1, Severity::Critical, false, Some(&uncertain), Some(Why::First));
    }

    #[test]
    fn what_happens_again_is_told_once_per_window_which_doubles_to_a_day() {
        let truth = |occurrences| Truth {
            count: 1,
            severity: Severity::Info,
            lingers: false,
            occurrences: Some(occurrences),
            eager: false,
        };
        let before = |repeats| Told { occurrences: 3, repeats, ..told(1, Severity::Info) };
        assert_eq!(owed(truth(3), Some(&before(0)), WINDOW), None);
        for (repeats, minutes) in [(0, 30), (1, 60), (3, 240), (6, 1_440), (200, 1_440)] {
            let again = owed(truth(4), Some(&before(repeats)), WINDOW);
            let from = T0.checked_add(SignedDuration::from_mins(minutes)).ok();
            assert_eq!(again, Some(Owed { why: Why::Repeated, from }), "{repeats} repeats");
        }
    }

    #[test]
    fn growth_waits_a_minute_and_nothing_else_does() {
        let grown = owed(
            Truth { count: 5, severity: Severity::Critical, lingers: false, occurrences: None, eager: false },
            Some(&told(1, Severity::Critical)),
            WINDOW,
        );
        assert_eq!(grown.and_then(|owed| owed.from), T0.checked_add(SignedDuration::from_secs(60)).ok());
        let worse = owed(
            Truth { count: 5, severity: Severity::Critical, lingers: false, occurrences: None, eager: false },
            Some(&told(1, Severity::Warning)),
            WINDOW,
        );
        assert_eq!(worse.and_then(|owed| owed.from), None);
    }
}
