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
}

/// Something a channel is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) why: Why,
    /// Not to be sent before.
    pub(crate) from: Option<Timestamp>,
}

/// Decides what a channel is owed of a group.
pub(crate) fn owed(truth: Truth, told: Option<&Told>) -> Option<Owed> {
    let now = |why| Some(Owed { why, from: None });
    match told {
        None if truth.count > 0 => now(Why::First),
        None => None,
        Some(told) if told.uncertain => now(Why::First),
        Some(_) if truth.count == 0 => (!truth.lingers).then_some(Owed { why: Why::Resolved, from: None }),
        Some(told) if truth.severity > told.severity => now(Why::Escalated),
        Some(told) if milestone(truth.count) > milestone(told.count) => {
            Some(Owed { why: Why::Grown, from: told.at.checked_add(GROWTH_SPACING).ok() })
        }
        Some(_) => None,
    }
}

fn milestone(count: usize) -> usize {
    MILESTONES.iter().filter(|step| **step <= count).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::UNIX_EPOCH;

    fn told(count: usize, severity: Severity) -> Told {
        Told { members: [].into(), severity, count, at: T0, message_id: None, uncertain: false, refused: false }
    }

    #[track_caller]
    fn check(count: usize, severity: Severity, lingers: bool, told: Option<Told>, expect: Option<Why>) {
        assert_eq!(owed(Truth { count, severity, lingers }, told.as_ref()).map(|owed| owed.why), expect);
    }

    #[test]
    fn a_channel_is_owed_the_difference() {
        use Severity::{Critical, Warning};
        check(1, Critical, false, None, Some(Why::First));
        check(0, Critical, false, None, None);
        check(1, Critical, false, Some(told(1, Critical)), None);
        check(4, Critical, false, Some(told(1, Critical)), None);
        check(5, Critical, false, Some(told(1, Critical)), Some(Why::Grown));
        check(5, Critical, false, Some(told(7, Critical)), None);
        check(9, Critical, false, Some(told(5, Critical)), None);
        check(12, Critical, false, Some(told(5, Critical)), Some(Why::Grown));
        check(1, Critical, false, Some(told(1, Warning)), Some(Why::Escalated));
        check(1, Warning, false, Some(told(1, Critical)), None);
        check(0, Critical, true, Some(told(1, Critical)), None);
        check(0, Critical, false, Some(told(1, Critical)), Some(Why::Resolved));
    }

    #[test]
    fn what_may_have_arrived_is_told_again_even_if_it_is_over() {
        let uncertain = Told { uncertain: true, ..told(1, Severity::Critical) };
        check(0, Severity::Critical, false, Some(uncertain.clone()), Some(Why::First));
        check(1, Severity::Critical, false, Some(uncertain), Some(Why::First));
    }

    #[test]
    fn growth_waits_a_minute_and_nothing_else_does() {
        let grown =
            owed(Truth { count: 5, severity: Severity::Critical, lingers: false }, Some(&told(1, Severity::Critical)));
        assert_eq!(grown.and_then(|owed| owed.from), T0.checked_add(SignedDuration::from_secs(60)).ok());
        let worse =
            owed(Truth { count: 5, severity: Severity::Critical, lingers: false }, Some(&told(1, Severity::Warning)));
        assert_eq!(worse.and_then(|owed| owed.from), None);
    }
}
