//! When it is told, and what it says.

use kpulse_core::policy;

use crate::SHOP;
use crate::timeline::{QUIET, Timeline, secret, time};

#[test]
fn a_certificate_is_told_of_when_its_time_comes_and_grows_worse_with_no_further_event() {
    Timeline::new(QUIET)
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-11-21T09:13:59Z")
        .expect(&[])
        .until("2026-12-02T09:13:59Z")
        .expect(&["21 Nov 09:14:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .until("2026-12-31T00:00:00Z")
        .expect(&["02 Dec 09:14:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
}

#[test]
fn a_message_says_where_the_certificate_is_who_issued_it_and_how_to_see_it() {
    let mut timeline = Timeline::new(QUIET);
    timeline.listed([secret("shop/web-tls", SHOP)]).until("2026-11-21T09:14:00Z");
    let report = timeline.last();
    assert_eq!(report.reason, "CertificateExpiring");
    assert_eq!(
        report.cause,
        "Secret shop/web-tls · issuer Example Trust R11 · for shop.example.com, www.shop.example.com \
         · valid 6 Sep 2026 to 5 Dec 2026"
    );
    assert_eq!(
        report.command.as_deref(),
        Some(
            "kubectl -n shop get secret web-tls -o jsonpath='{.data.tls\\.crt}' | base64 -d | openssl x509 -noout -text"
        )
    );
    assert_eq!((report.object.to_string().as_str(), &report.workload), ("Secret/web-tls", &None));
    assert_eq!(report.started_at, time("2026-11-21T09:14:00Z"));
}

#[test]
fn what_is_said_after_the_end_is_that_it_expired() {
    let mut timeline = Timeline::new(QUIET);
    timeline.listed([secret("shop/web-tls", SHOP)]).until("2026-12-06T00:00:00Z").said.clear();
    // A channel that is new hears what is true now.
    timeline.settings.channels.push("mail".into());
    timeline.settings.routing =
        vec![policy::Route { channels: vec!["chat".into(), "mail".into()], ..policy::Route::default() }];
    timeline.engine.configure(timeline.now, timeline.settings.clone());
    timeline.tell();
    assert_eq!(timeline.last().reason, "CertificateExpired");
    timeline.expect(&["06 Dec 00:00:00 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC"]);
}

#[test]
fn one_that_is_late_already_is_told_of_once_and_as_bad_as_it_is() {
    Timeline::new("2026-12-03T08:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .apply(secret("shop/web-tls", SHOP))
        .expect(&["03 Dec 08:00:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
    Timeline::new("2026-12-10T08:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .until("2027-01-31T00:00:00Z")
        .expect(&["10 Dec 08:00:00 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC"]);
}

#[test]
fn one_that_expired_long_ago_is_no_news() {
    Timeline::new("2026-12-19T09:13:59Z")
        .listed([secret("shop/web-tls", SHOP)])
        .expect(&["19 Dec 09:13:59 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC"]);
    let mut timeline = Timeline::new("2026-12-19T09:14:00Z");
    timeline.listed([secret("shop/web-tls", SHOP)]).until("2027-03-01T00:00:00Z").expect(&[]);
    assert_eq!(timeline.engine.next_deadline(), None);
}

#[test]
fn of_a_chain_the_earliest_end_decides() {
    let mut timeline = Timeline::new(QUIET);
    timeline.listed([secret("shop/api-tls", fixture!("chain"))]).until("2026-11-30T00:00:00Z");
    assert_eq!(
        timeline.last().cause,
        "Secret shop/api-tls · issuer Example Trust Example Root · in the chain of api.example.com \
         · valid 5 Dec 2023 to 5 Dec 2026"
    );
    timeline.expect(&["21 Nov 09:14:00 warning: Certificate R10 ends 5 Dec 09:14 UTC"]);
}

#[test]
fn one_without_an_end_is_never_told_of() {
    let mut timeline = Timeline::new(QUIET);
    timeline.listed([secret("shop/web-tls", fixture!("never"))]).until("9000-01-01T00:00:00Z").expect(&[]);
    assert_eq!(timeline.engine.next_deadline(), None);
}
