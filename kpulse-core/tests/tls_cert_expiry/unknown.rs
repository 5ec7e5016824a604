//! What cannot be seen, is odd, or cannot be read.

use base64ct::{Base64, Encoding};
use kpulse_core::{Blindness, Observation};

use crate::timeline::{QUIET, SECRETS, Timeline, facts, secret};
use crate::{RENEWED, SHOP};

#[test]
fn what_cannot_be_seen_neither_starts_nor_grows_worse() {
    let lost = || Observation::SightLost(SECRETS, Blindness::Away("connection refused".to_owned()));
    Timeline::new(QUIET)
        .listed([secret("shop/web-tls", SHOP)])
        .observe(lost())
        .until("2026-11-25T00:00:00Z")
        .expect(&[])
        .observe(Observation::ListingBegun(SECRETS))
        .listed([secret("shop/web-tls", SHOP)])
        .observe(lost())
        .until("2026-12-03T00:00:00Z")
        .expect(&["25 Nov 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .observe(Observation::ListingBegun(SECRETS))
        .listed([secret("shop/web-tls", SHOP)])
        .expect(&["03 Dec 00:00:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
}

#[test]
fn a_secret_that_was_emptied_or_is_being_deleted_is_as_it_was() {
    let deleting =
        facts("shop/web-tls", r#""deletionTimestamp":"2026-12-01T10:00:00Z""#, r#""type":"kubernetes.io/tls""#);
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .apply(secret("shop/web-tls", ""))
        .until("2026-12-03T00:00:00Z")
        .expect(&["01 Dec 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .apply(deleting)
        .until("2026-12-04T00:00:00Z")
        .expect(&[])
        .apply(secret("shop/web-tls", RENEWED))
        .expect(&["04 Dec 00:00:00 recovered: Certificate shop.example.com recovered after 302h"]);
}

#[test]
fn odd_and_empty_secrets_say_nothing() {
    let crt = Base64::encode_string(SHOP.as_bytes());
    let mut timeline = Timeline::new("2026-12-01T00:00:00Z");
    timeline
        .listed([
            secret("shop/empty-tls", ""),
            facts("shop/opaque", r#""labels":7"#, &format!(r#""type":"Opaque","data":{{"tls.crt":"{crt}"}}"#)),
            facts("shop/no-type", r#""labels":[]"#, &format!(r#""data":{{"tls.crt":"{crt}"}}"#)),
            facts("shop/no-data", r#""labels":{}"#, r#""type":"kubernetes.io/tls""#),
            facts("shop/odd-data", r#""labels":null"#, r#""type":"kubernetes.io/tls","data":{"tls.crt":{"a":[1]}}"#),
        ])
        .until("2027-12-31T00:00:00Z")
        .expect(&[]);
    assert_eq!(timeline.engine.troubled_objects(), 0);
}

#[test]
fn one_that_cannot_be_read_is_told_of_until_it_can() {
    let garbage = "-----BEGIN CERTIFICATE-----\nthis is not a certificate\n-----END CERTIFICATE-----\n";
    let mut timeline = Timeline::new(QUIET);
    timeline.listed([secret("shop/broken-tls", garbage)]);
    assert_eq!(timeline.last().reason, "CertificateUnreadable");
    assert_eq!(timeline.last().cause, "certificate 1 in tls.crt is not base64");
    timeline
        .apply(secret("shop/broken-tls", RENEWED))
        .expect(&[
            "10 Nov 08:00:00 warning: shop/broken-tls: certificate cannot be read",
            "10 Nov 08:00:00 recovered: shop/broken-tls recovered after 0s",
        ])
        .until("2026-12-31T00:00:00Z")
        .expect(&[]);
}

#[test]
fn a_certificate_overwritten_by_garbage_has_not_recovered() {
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .apply(secret("shop/web-tls", "garbage"))
        .until("2026-12-31T00:00:00Z")
        .expect(&[
            "01 Dec 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "01 Dec 00:00:00 warning: shop/web-tls: certificate cannot be read",
        ]);
}
