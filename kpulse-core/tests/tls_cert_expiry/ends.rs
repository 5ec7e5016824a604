//! How it ends.

use base64ct::{Base64, Encoding};
use kpulse_core::{Blindness, Observation};

use crate::timeline::{QUIET, SECRETS, Timeline, annotated, facts, secret};
use crate::{RENEWED, SHOP};

#[test]
fn a_renewed_certificate_is_well_at_once() {
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-01T10:00:00Z")
        .apply(secret("shop/web-tls", RENEWED))
        .until("2027-01-20T09:13:59Z")
        .expect(&[
            "01 Dec 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "01 Dec 10:00:00 recovered: Certificate shop.example.com recovered after 240h",
        ])
        .until("2027-01-20T09:14:00Z")
        .expect(&["20 Jan 09:14:00 warning: Certificate shop.example.com ends 3 Feb 09:14 UTC"]);
}

#[test]
fn one_renewed_before_it_is_due_says_nothing() {
    Timeline::new(QUIET)
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-11-20T00:00:00Z")
        .apply(secret("shop/web-tls", RENEWED))
        .until("2027-01-20T00:00:00Z")
        .expect(&[]);
}

#[test]
fn one_renewed_to_another_that_ends_soon_is_over_and_the_other_is_told_of() {
    Timeline::new("2026-12-04T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-04T10:00:00Z")
        .apply(secret("shop/web-tls", fixture!("shop-short")))
        .expect(&[
            "04 Dec 00:00:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "04 Dec 10:00:00 recovered: Certificate shop.example.com recovered after 312h",
            "04 Dec 10:00:00 warning: Certificate shop.example.com ends 13 Dec 12:00 UTC",
        ])
        .delete("shop/web-tls")
        .expect(&["04 Dec 10:00:00 gone: Certificate shop.example.com is gone after 22h: Secret deleted"]);
}

#[test]
fn a_deleted_secret_is_gone_whoever_owned_it() {
    let owner = r#""ownerReferences":[{"kind":"Certificate","name":"web","controller":true}]"#;
    let crt = Base64::encode_string(SHOP.as_bytes());
    let owned = facts("shop/web-tls", owner, &format!(r#""type":"kubernetes.io/tls","data":{{"tls.crt":"{crt}"}}"#));
    Timeline::new("2026-12-05T09:14:00Z")
        .listed([owned])
        .until("2026-12-06T09:14:00Z")
        .delete("shop/web-tls")
        .until("2026-12-31T00:00:00Z")
        .expect(&[
            "05 Dec 09:14:00 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC",
            "06 Dec 09:14:00 gone: Certificate shop.example.com is gone after 360h: Secret deleted",
        ]);
}

#[test]
fn a_deletion_missed_in_a_gap_is_found_by_the_next_listing() {
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP), secret("shop/other-tls", RENEWED)])
        .until("2026-12-01T10:00:00Z")
        .observe(Observation::SightLost(SECRETS, Blindness::Away("connection reset".to_owned())))
        .until("2026-12-02T00:00:00Z")
        .observe(Observation::ListingBegun(SECRETS))
        .apply(secret("shop/other-tls", RENEWED))
        .expect(&["01 Dec 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .observe(Observation::Listed(SECRETS))
        .expect(&["02 Dec 00:00:00 gone: Certificate shop.example.com is gone after 254h: Secret deleted"])
        .until("2026-12-31T00:00:00Z")
        .expect(&[]);
}

#[test]
fn an_opt_out_ends_it_as_unwatched() {
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([secret("shop/web-tls", SHOP)])
        .apply(annotated("shop/web-tls", SHOP, r#"{"kpulse.io/ignore":"true"}"#))
        .until("2026-12-31T00:00:00Z")
        .expect(&[
            "01 Dec 00:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "01 Dec 00:00:00 unwatched: Certificate shop.example.com is no longer watched",
        ]);
}
