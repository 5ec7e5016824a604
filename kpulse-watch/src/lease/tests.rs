mod contest;
mod world;

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::Instant;

use super::candidacy::{Act, Candidacy};
use super::*;

fn lease(version: u32, holder: &str) -> Lease {
    let metadata = ObjectMeta { resource_version: Some(version.to_string()), ..ObjectMeta::default() };
    let spec = LeaseSpec { holder_identity: Some(holder.to_owned()), ..LeaseSpec::default() };
    Lease { metadata, spec: Some(spec) }
}

fn claim(known: Lease) -> Act {
    Act::Write(Some(Box::new(known)))
}

/// A replica called `a` on a clock that begins at zero.
struct Bench {
    start: Instant,
    candidacy: Candidacy,
}

impl Bench {
    fn new() -> Self {
        let start = Instant::now();
        Self { start, candidacy: Candidacy::new("a".to_owned(), LeaseSettings::default(), start) }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.start + Duration::from_secs_f64(seconds)
    }

    fn read(&mut self, seconds: f64, found: Option<Lease>) {
        self.candidacy.read(self.at(seconds), found);
    }

    fn wrote(&mut self, sent: f64, answered: f64, lease: Lease) {
        self.candidacy.wrote(self.at(sent), self.at(answered), lease);
    }

    #[track_caller]
    fn expect(&self, seconds: f64, act: &Act) {
        let (at, next) = self.candidacy.next();
        assert_eq!((at.duration_since(self.start).as_secs_f64(), &next), (seconds, act));
    }

    /// The number of the term and the second it ends, if there is one.
    fn term(&self) -> Option<(u64, f64)> {
        let term = self.candidacy.standing().term?;
        Some((term.number, term.until.duration_since(self.start).as_secs_f64()))
    }
}

#[test]
fn a_lease_that_nobody_has_is_taken_at_once() {
    let mut bench = Bench::new();
    bench.expect(0.0, &Act::Read);
    bench.read(0.1, None);
    bench.expect(0.0, &Act::Write(None));
    bench.wrote(0.1, 0.3, lease(1, "a"));
    assert_eq!(bench.term(), Some((1, 9.1)), "it counts from before the request, and ends a second early");
    bench.expect(2.1, &claim(lease(1, "a")));

    let mut bench = Bench::new();
    bench.read(0.1, Some(lease(7, "")));
    bench.expect(0.0, &claim(lease(7, "")));
}

#[test]
fn another_ones_lease_is_taken_after_it_was_seen_unchanged_for_its_duration() {
    let mut bench = Bench::new();
    bench.read(1.0, Some(lease(1, "b")));
    bench.expect(3.0, &Act::Read);
    bench.read(3.0, Some(lease(2, "b")));
    for seconds in [5.0, 7.0, 9.0, 11.0] {
        bench.expect(seconds, &Act::Read);
        bench.read(seconds, Some(lease(2, "b")));
    }
    bench.expect(13.0, &claim(lease(2, "b")));
    bench.candidacy.conflict(bench.at(13.1));
    bench.expect(13.6, &Act::Read);
    bench.read(13.6, Some(lease(3, "b")));
    bench.expect(15.6, &Act::Read);
    assert_eq!(bench.term(), None);
}

#[test]
fn a_renewal_in_time_goes_on_with_the_term_and_a_late_one_begins_another() {
    let mut bench = Bench::new();
    bench.wrote(0.0, 0.1, lease(1, "a"));
    bench.wrote(2.0, 2.1, lease(2, "a"));
    assert_eq!(bench.term(), Some((1, 11.0)));
    bench.wrote(9.0, 11.5, lease(3, "a"));
    assert_eq!(bench.term(), Some((2, 18.0)), "from 11 to 11.5 another may have led");
    assert_eq!(bench.candidacy.mine(bench.at(17.9)), Some(&lease(3, "a")));
    assert_eq!(bench.candidacy.mine(bench.at(18.0)), None);
}

#[test]
fn the_holder_tries_again_soon_and_who_waits_in_its_time() {
    let mut bench = Bench::new();
    bench.wrote(0.0, 0.1, lease(1, "a"));
    bench.candidacy.failed(bench.at(5.0));
    bench.expect(5.5, &claim(lease(1, "a")));
    bench.candidacy.failed(bench.at(9.0));
    bench.expect(11.0, &claim(lease(1, "a")));

    let mut bench = Bench::new();
    bench.candidacy.failed(bench.at(1.0));
    bench.expect(3.0, &Act::Read);
}

#[test]
fn what_was_taken_away_is_not_ours_any_more_whatever_time_is_left() {
    for found in [None, Some(lease(5, "b")), Some(lease(5, ""))] {
        let mut bench = Bench::new();
        bench.wrote(0.0, 0.1, lease(1, "a"));
        bench.candidacy.conflict(bench.at(2.1));
        assert_eq!(bench.term(), Some((1, 9.0)), "our own answer may have been lost");
        bench.read(2.6, found);
        assert_eq!(bench.term(), None);
    }
}

#[test]
fn our_own_write_whose_answer_was_lost_is_found_and_kept() {
    let mut bench = Bench::new();
    bench.wrote(0.0, 0.1, lease(1, "a"));
    bench.candidacy.failed(bench.at(5.0));
    bench.candidacy.conflict(bench.at(5.6));
    bench.expect(6.1, &Act::Read);
    bench.read(6.2, Some(lease(2, "a")));
    assert_eq!(bench.term(), Some((1, 9.0)), "reading does not renew");
    bench.expect(6.1, &claim(lease(2, "a")));
    bench.wrote(6.2, 6.3, lease(3, "a"));
    assert_eq!(bench.term(), Some((1, 15.2)));
}

#[test]
fn no_two_processes_of_a_pod_have_the_same_name() {
    let (one, other) = (identity("kpulse-0"), identity("kpulse-0"));
    assert!(one.starts_with("kpulse-0_") && one != other, "{one} {other}");
}
