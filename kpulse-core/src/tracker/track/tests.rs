//! From when a trouble counts, by what its object says.

use super::*;
use crate::{Severity, TroubleKey};

const WAIT: SignedDuration = SignedDuration::from_mins(10);

fn minute(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000_000 + minutes)
}

fn finding(since: Since) -> Finding {
    Finding { since, wait: WAIT, ..Finding::new(TroubleKey::object("slow"), "Slow", Severity::Warning) }
}

/// What is seen at which minute, and at which minute the trouble is due after it.
#[track_caller]
fn check(seen: &[(i64, Since, i64)]) {
    let mut track: Option<Track> = None;
    for (at, since, due) in seen {
        match &mut track {
            Some(track) => assert_eq!(track.present(minute(*at), finding(*since)), None),
            None => track = Track::begin(minute(*at), finding(*since)),
        }
        let is_due = track.as_ref().and_then(|track| track.due(&[], SignedDuration::ZERO));
        assert_eq!(is_due, Some(minute(*due)), "at minute {at}");
    }
}

#[test]
fn what_the_object_says_counts_from_the_earliest() {
    check(&[(3, Since::At(minute(1)), 11), (4, Since::At(minute(4)), 11), (5, Since::At(minute(0)), 10)]);
}

#[test]
fn a_clock_that_runs_ahead_does_not_put_it_off() {
    check(&[(3, Since::At(minute(60)), 13), (4, Since::FirstSeen, 13)]);
}

#[test]
fn what_is_to_come_may_be_put_off_or_brought_forward() {
    check(&[(3, Since::NotBefore(minute(20)), 30), (4, Since::NotBefore(minute(40)), 50)]);
    check(&[(3, Since::NotBefore(minute(20)), 30), (4, Since::NotBefore(minute(0)), 10)]);
}

#[test]
fn first_seen_or_later_moves_on_only() {
    check(&[
        (3, Since::FirstSeenOrLater(minute(1)), 13),
        (6, Since::FirstSeenOrLater(minute(5)), 15),
        (7, Since::FirstSeenOrLater(minute(4)), 15),
        (8, Since::FirstSeenOrLater(minute(60)), 18),
    ]);
}
