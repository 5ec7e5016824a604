//! Troubles whose time the object names in advance: a missed run, the last days of a certificate.

use super::*;
use crate::{Severity, TroubleKey};

const WINDOW: SignedDuration = SignedDuration::from_mins(30);
const NEVER: i64 = i64::MAX;

fn minute(minutes: i64) -> Timestamp {
    if minutes == NEVER { Timestamp::MAX } else { Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes) }
}

/// A trouble of minute `at`, while its progress is `progress`.
fn finding(at: i64, progress: i64) -> Finding {
    Finding {
        since: Since::NotBefore(minute(at)),
        seen_for: SignedDuration::from_mins(1),
        settle_for: SignedDuration::from_mins(60),
        progress: Some(progress),
        ..Finding::new(TroubleKey::object("missed"), "MissedRuns", Severity::Warning)
    }
}

fn begin(at: i64, seen: Finding) -> Track {
    Track::begin(minute(at), seen).unwrap()
}

#[track_caller]
fn check_due(track: &Track, expect: Option<i64>) {
    assert_eq!(track.due(&[], WINDOW), expect.map(minute));
}

/// Lets time pass to a minute, and says what happened in it.
fn pass(track: &mut Track, to: i64) -> Vec<Step> {
    std::iter::from_fn(|| track.advance(minute(to), &[], WINDOW)).collect()
}

#[test]
fn it_waits_for_its_time_and_fires_without_being_seen_again() {
    let mut track = begin(10, finding(50, 1));
    check_due(&track, Some(50));
    assert_eq!(pass(&mut track, 49), []);
    assert_eq!(pass(&mut track, 50), [Step::Fired]);
}

#[test]
fn what_was_due_before_it_was_seen_must_be_seen_for_a_while() {
    check_due(&begin(10, finding(5, 1)), Some(11));
    let mut track = begin(10, finding(5, 1));
    track.unknown();
    check_due(&track, None);
    assert_eq!(track.present(minute(20), finding(5, 1)), None);
    check_due(&track, Some(21));
}

#[test]
fn a_change_after_its_time_had_come_is_given_time_to_settle() {
    let mut track = begin(10, finding(50, 1));
    track.present(minute(20), finding(15, 2));
    check_due(&track, Some(80));
    track.present(minute(21), finding(40, 3));
    check_due(&track, Some(40));
}

#[test]
fn never_is_no_time_to_wait_for() {
    let mut track = begin(10, finding(NEVER, 1));
    check_due(&track, None);
    track.present(minute(20), finding(40, 2));
    check_due(&track, Some(40));
    track.present(minute(30), finding(NEVER, 3));
    check_due(&track, None);
}

#[test]
fn it_ends_when_its_time_is_put_off_and_fires_again_when_that_comes() {
    let mut track = begin(10, finding(20, 1));
    assert_eq!(pass(&mut track, 20), [Step::Fired]);
    assert_eq!(track.present(minute(22), finding(100, 2)), None);
    assert_eq!(pass(&mut track, 22), [Step::Recovered]);
    assert!(!track.is_firing());
    assert_eq!(pass(&mut track, 99), []);
    check_due(&track, Some(100));
    assert_eq!(pass(&mut track, 100), [Step::Fired]);
    assert_eq!(track.since, minute(100));
}

#[test]
fn a_relapse_soon_after_must_stay_away_longer_and_a_late_one_is_a_new_matter() {
    for (again, hold) in [(30, 1), (100, 0)] {
        let mut track = begin(10, finding(20, 1));
        pass(&mut track, 20);
        track.present(minute(22), finding(again, 2));
        pass(&mut track, 22);
        assert_eq!(pass(&mut track, again), [Step::Fired]);
        track.present(minute(again + 5), finding(again + 60, 3));
        check_due(&track, Some(again + 5 + hold));
    }
}

#[test]
fn what_comes_next_while_it_recovers_is_the_same_episode() {
    let held = |at, progress| Finding { hold: SignedDuration::from_mins(15), ..finding(at, progress) };
    let mut track = begin(10, held(20, 1));
    pass(&mut track, 20);
    track.present(minute(22), held(30, 2));
    assert_eq!(pass(&mut track, 29), []);
    assert!(track.is_firing());
    assert_eq!(pass(&mut track, 30), [Step::Changed]);
    assert_eq!(track.phase, Phase::Firing);
    track.present(minute(32), held(90, 3));
    check_due(&track, Some(32 + 15));
}

#[test]
fn only_what_kpulse_alone_knows_is_kept() {
    let mut track = begin(10, finding(20, 1));
    assert!(!track.is_ours_to_keep());
    pass(&mut track, 20);
    assert!(track.is_ours_to_keep());
    track.present(minute(22), finding(100, 2));
    pass(&mut track, 22);
    assert!(track.is_ours_to_keep());
}

#[test]
fn what_is_over_is_not_remembered_for_ever() {
    let mut track = begin(10, finding(20, 1));
    pass(&mut track, 20);
    track.present(minute(22), finding(100, 2));
    pass(&mut track, 22);
    check_due(&track, Some(22 + 30));
    assert_eq!(pass(&mut track, 22 + 30), []);
    assert!(!track.is_ours_to_keep());
    check_due(&track, Some(100));
}

#[test]
fn what_cannot_be_made_up_for_must_be_seen_to_go_wrong() {
    let lost = |at| Finding { settle_unseen: true, ..finding(at, 1) };
    check_due(&begin(10, lost(50)), Some(50));
    check_due(&begin(10, lost(5)), Some(70));
}
