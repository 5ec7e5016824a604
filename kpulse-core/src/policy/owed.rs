//! What a channel is owed: the difference between what is true of a group and what the channel knows of it.

use jiff::{SignedDuration, Timestamp};

use super::Reason;
use crate::Severity;
use crate::ledger::{Told, Way};
use crate::notification::Why;
use crate::settings::Channel;

/// Counts at which a growing group is told again.
const MILESTONES: [usize; 9] = [5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000];

/// How long a channel that cannot edit its messages is spared the next count.
const GROWTH_SPACING: SignedDuration = SignedDuration::from_mins(1);

/// What is true of a group, as far as one channel is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    /// How many of its alerts the channel answers for: those it knows of, and those that may be told.
    pub(crate) count: usize,
    /// The worst severity among those that may be told.
    pub(crate) severity: Severity,
    /// Whether the group, without members, waits for what replaces them.
    pub(crate) lingers: bool,
    /// How often it happened, if it is something that happens rather than lasts.
    pub(crate) occurrences: Option<i64>,
    /// Whether each further object is told at once: each is a matter of its own.
    pub(crate) eager: bool,
    /// Whether nothing of it may be told now: all of it is silenced or explained.
    pub(crate) held: bool,
    /// Stands for the words that say it.
    pub(crate) words: u32,
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
pub(crate) fn owed(
    truth: Truth,
    told: Option<&Told>,
    channel: &Channel,
    window: SignedDuration,
) -> Result<Owed, Reason> {
    let now = |why| Ok(Owed { why, from: None });
    let after = |why, at: Timestamp, span| Ok(Owed { why, from: at.checked_add(span).ok() });
    match told {
        None if truth.count > 0 => now(Why::First),
        None => Err(Reason::NotRouted),
        Some(told) if told.uncertain || told.perhaps_ended && truth.count > 0 && !truth.held => now(Why::First),
        Some(_) if truth.count == 0 && truth.lingers => Err(Reason::Told),
        Some(_) if truth.count == 0 => now(Why::Resolved),
        Some(_) if truth.held => Err(Reason::Told),
        Some(told) if truth.severity > told.severity => now(Why::Escalated),
        Some(told) if truth.occurrences.is_some() => {
            let again = truth.occurrences.is_some_and(|occurrences| occurrences > told.occurrences);
            let doubled = window.checked_mul(1 << told.repeats.min(16)).unwrap_or(LONGEST_WINDOW);
            if again {
                after(Why::Repeated, told.at, doubled.min(LONGEST_WINDOW.max(window)))
            } else {
                Err(Reason::Told)
            }
        }
        Some(told) if told.way == Way::Storm => Err(Reason::Told),
        Some(told) if truth.eager && truth.count > told.count => now(Why::Grown),
        Some(told) if milestone(truth.count) > milestone(told.count) => {
            if channel.edits {
                now(Why::Grown)
            } else {
                after(Why::Grown, told.at, GROWTH_SPACING)
            }
        }
        Some(told) => {
            match (channel.edits && told.message_id.is_some() && told.words != truth.words, channel.refresh) {
                (true, _) => after(Why::Updated, told.at, GROWTH_SPACING),
                (false, Some(refresh)) if !told.refused => after(Why::Refreshed, told.at, refresh.get()),
                _ => Err(Reason::Told),
            }
        }
    }
}

/// How many of the counts that are told again have been reached.
pub(crate) fn milestone(count: usize) -> usize {
    MILESTONES.iter().filter(|step| **step <= count).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Span;

    const T0: Timestamp = Timestamp::UNIX_EPOCH;
    const WINDOW: SignedDuration = SignedDuration::from_mins(30);

    fn truth(count: usize, severity: Severity) -> Truth {
        Truth { count, severity, lingers: false, occurrences: None, eager: false, held: false, words: 0 }
    }

    fn told(count: usize, severity: Severity) -> Told {
        Told::new([].into(), truth(count, severity), T0)
    }

    fn chat(truth: Truth, told: Option<&Told>) -> Option<Owed> {
        owed(truth, told, &Channel::from("chat"), WINDOW).ok()
    }

    #[track_caller]
    fn check(count: usize, severity: Severity, lingers: bool, told: Option<&Told>, expect: Option<Why>) {
        assert_eq!(chat(Truth { lingers, ..truth(count, severity) }, told).map(|owed| owed.why), expect);
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
        let again = |occurrences| Truth { occurrences: Some(occurrences), ..truth(1, Severity::Info) };
        let before = |repeats| Told { occurrences: 3, repeats, ..told(1, Severity::Info) };
        assert_eq!(chat(again(3), Some(&before(0))), None);
        for (repeats, minutes) in [(0, 30), (1, 60), (3, 240), (6, 1_440), (200, 1_440)] {
            let from = T0.checked_add(SignedDuration::from_mins(minutes)).ok();
            let expect = Some(Owed { why: Why::Repeated, from });
            assert_eq!(chat(again(4), Some(&before(repeats))), expect, "{repeats} repeats");
        }
    }

    #[test]
    fn growth_waits_a_minute_where_messages_cannot_be_edited_and_nothing_else_does() {
        let grown = |channel: &Channel| {
            owed(truth(5, Severity::Critical), Some(&told(1, Severity::Critical)), channel, WINDOW).unwrap().from
        };
        let chat = Channel::from("chat");
        assert_eq!(grown(&chat), T0.checked_add(SignedDuration::from_secs(60)).ok());
        assert_eq!(grown(&Channel { edits: true, ..chat }), None);
        let worse = super::owed(
            truth(5, Severity::Critical),
            Some(&told(1, Severity::Warning)),
            &Channel::from("chat"),
            WINDOW,
        );
        assert_eq!(worse.unwrap().from, None);
    }

    #[test]
    fn new_words_alone_are_only_for_channels_that_change_theirs() {
        let other = Truth { words: 7, ..truth(1, Severity::Critical) };
        let before = Told { message_id: Some("1".to_owned()), ..told(1, Severity::Critical) };
        assert_eq!(chat(other, Some(&before)), None);
        let edits = Channel { edits: true, ..Channel::from("chat") };
        assert_eq!(owed(other, Some(&before), &edits, WINDOW).unwrap().why, Why::Updated);
    }

    #[test]
    fn what_forgets_is_told_anew_while_it_lasts() {
        let forgets = Channel { refresh: Some(Span::minutes(5)), ..Channel::from("alertmanager") };
        let again = owed(truth(1, Severity::Critical), Some(&told(1, Severity::Critical)), &forgets, WINDOW).unwrap();
        assert_eq!(again, Owed { why: Why::Refreshed, from: T0.checked_add(SignedDuration::from_mins(5)).ok() });
    }

    #[test]
    fn while_all_of_it_is_silenced_only_its_end_is_told() {
        let held = |count| Truth { held: true, ..truth(count, Severity::Critical) };
        assert_eq!(chat(held(7), Some(&told(1, Severity::Warning))), None);
        assert_eq!(chat(held(0), Some(&told(1, Severity::Warning))).unwrap().why, Why::Resolved);
    }
}
