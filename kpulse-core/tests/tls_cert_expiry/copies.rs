//! Copies, and certificates whose time has not come.

use crate::timeline::{QUIET, Timeline, secret};
use crate::{RENEWED, SHOP};

#[test]
fn copies_are_one_alert_and_it_ends_with_the_last() {
    let mut timeline = Timeline::new(QUIET);
    let places = ["api/web-tls", "blog/web-tls", "docs/web-tls", "shop/web-tls"];
    timeline.listed(places.map(|place| secret(place, SHOP))).until("2026-11-22T00:00:00Z");
    assert!(
        timeline
            .last()
            .cause
            .starts_with("Secret api/web-tls (+3 copies: blog/web-tls, docs/web-tls, shop/web-tls) · issuer "),
        "{}",
        timeline.last().cause
    );
    timeline.expect(&["21 Nov 09:14:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
    for place in places {
        timeline.until("2026-11-23T00:00:00Z").expect(&[]).apply(secret(place, RENEWED));
    }
    timeline.expect(&["23 Nov 00:00:00 recovered: Certificate shop.example.com recovered after 38h"]);
}

#[test]
fn certificates_of_one_name_that_are_no_copies_are_alerts_of_their_own() {
    Timeline::new("2026-12-04T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP), secret("blog/web-tls", fixture!("shop-short"))])
        .expect(&[
            "04 Dec 00:00:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "04 Dec 00:00:00 warning: Certificate shop.example.com ends 13 Dec 12:00 UTC",
        ]);
}

#[test]
fn one_that_is_not_valid_yet_is_told_of_and_is_well_when_its_time_comes() {
    Timeline::new("2026-12-04T00:00:00Z")
        .listed([secret("shop/later-tls", fixture!("later"))])
        .until("2026-12-10T00:00:00Z")
        .expect(&["04 Dec 00:05:00 warning: Certificate later.example.com is not valid before 20 Dec 12:00 UTC"])
        .apply(secret("shop/later-tls", fixture!("later")))
        .until("2027-01-01T00:00:00Z")
        .expect(&["20 Dec 12:00:00 recovered: Certificate later.example.com recovered after 396h"])
        .apply(secret("shop/later-tls", fixture!("later")))
        .until("2027-02-01T00:00:00Z")
        .expect(&[]);
}

#[test]
fn one_issued_by_a_clock_that_runs_ahead_says_nothing() {
    Timeline::new("2026-12-20T11:55:30Z")
        .listed([secret("shop/later-tls", fixture!("later"))])
        .until("2027-02-01T00:00:00Z")
        .expect(&[]);
}
