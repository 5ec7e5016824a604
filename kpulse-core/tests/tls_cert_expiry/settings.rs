//! What the user decides.

use kpulse_core::monitors::TlsCertExpiry;
use kpulse_core::settings::{Glob, Settings};
use kpulse_core::{Name, Observation, policy};

use crate::SHOP;
use crate::timeline::{QUIET, SECRETS, Timeline, annotated, secret};

fn tls(set: impl FnOnce(&mut TlsCertExpiry)) -> impl FnOnce(&mut Settings) {
    |settings| set(&mut settings.monitors.tls_cert_expiry)
}

#[test]
fn short_lives_are_measured_by_their_lifetime() {
    let mut of_days = Timeline::new("2026-12-01T01:00:00Z");
    of_days.listed([secret("shop/brief-tls", fixture!("brief"))]).until("2026-12-04T00:00:00Z").expect(&[
        "01 Dec 01:00:00 warning: Certificate brief.example.com ends 7 Dec 00:00 UTC",
        "04 Dec 00:00:00 critical: Certificate brief.example.com ends 7 Dec 00:00 UTC",
    ]);
    let mut by_lifetime = Timeline::with("2026-12-01T01:00:00Z", tls(|tls| tls.by_lifetime = true));
    by_lifetime.listed([secret("shop/brief-tls", fixture!("brief"))]).until("2026-12-08T00:00:00Z").expect(&[
        "06 Dec 00:00:00 warning: Certificate brief.example.com ends 7 Dec 00:00 UTC",
        "06 Dec 19:12:00 critical: Certificate brief.example.com ends 7 Dec 00:00 UTC",
    ]);
    let mut long = Timeline::with(QUIET, tls(|tls| tls.by_lifetime = true));
    long.listed([secret("shop/far-tls", fixture!("far"))]).until("2059-12-29T12:00:00Z").expect(&[
        "18 Dec 00:00:00 warning: Certificate far.example.com ends 1 Jan 00:00 UTC",
        "29 Dec 00:00:00 critical: Certificate far.example.com ends 1 Jan 00:00 UTC",
    ]);
}

#[test]
fn the_days_are_the_users_in_whatever_order() {
    Timeline::with(QUIET, tls(|tls| (tls.warn_days, tls.crit_days) = (3, 10)))
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-31T00:00:00Z")
        .expect(&["25 Nov 09:14:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
    Timeline::with(QUIET, tls(|tls| (tls.warn_days, tls.crit_days) = (0, 0)))
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-31T00:00:00Z")
        .expect(&["05 Dec 09:14:00 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC"]);
    Timeline::with(QUIET, tls(|tls| (tls.warn_days, tls.crit_days) = (u16::MAX, 3)))
        .listed([secret("shop/web-tls", SHOP)])
        .expect(&["10 Nov 08:00:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"]);
}

#[test]
fn how_bad_it_is_is_for_the_user_to_say_by_reason() {
    let severity = serde_json::from_str(r#"{"CertificateExpiring":"info"}"#).unwrap();
    Timeline::with(QUIET, tls(|tls| tls.severity = Some(severity)))
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-31T00:00:00Z")
        .expect(&[
            "21 Nov 09:14:00 info: Certificate shop.example.com ends 5 Dec 09:14 UTC",
            "05 Dec 09:14:00 critical: Certificate shop.example.com expired 5 Dec 09:14 UTC",
        ]);
}

#[test]
fn what_the_user_does_not_want_is_not_told() {
    Timeline::with(QUIET, tls(|tls| tls.enabled = false))
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-31T00:00:00Z")
        .expect(&[]);
    Timeline::new("2026-12-01T00:00:00Z")
        .listed([annotated("shop/web-tls", SHOP, r#"{"kpulse.io/ignore":"tls_cert_expiry"}"#)])
        .until("2026-12-31T00:00:00Z")
        .expect(&[]);
    Timeline::new("2026-12-01T00:00:00Z").listed([secret("kube-system/web-tls", SHOP)]).expect(&[]);
}

#[test]
fn settings_of_the_earlier_program_are_read() {
    let json = r#"{"enabled":true,"warn_days":30,"crit_days":7,"interval":"12h"}"#;
    let read: TlsCertExpiry = serde_json::from_str(json).unwrap();
    assert_eq!((read.warn_days, read.crit_days, read.by_lifetime), (30, 7, false));
    assert!(serde_json::from_str::<TlsCertExpiry>(r#"{"warn_day":30}"#).is_err());
}

#[test]
fn a_route_by_namespace_gets_what_is_in_that_namespace() {
    let mut timeline = Timeline::with("2026-12-01T00:00:00Z", |settings| {
        let mut route = policy::Route { channels: vec!["chat".into()], ..policy::Route::default() };
        route.matches.namespace.0.push(Glob::new("shop"));
        route.matches.workload.0.push(Glob::new("Secret/web-*"));
        settings.routing = vec![route];
        settings.channels.push("other".into());
        settings.default_channel = Some("other".into());
    });
    let mut told = Vec::new();
    timeline.engine.observe(timeline.now, Observation::Applied(secret("shop/web-tls", SHOP)));
    timeline.engine.observe(timeline.now, Observation::Applied(secret("blog/web-tls", fixture!("many"))));
    timeline.engine.observe(timeline.now, Observation::Listed(SECRETS));
    for notification in timeline.engine.notifications(timeline.now) {
        told.push((notification.channel, notification.content.report().unwrap().object.namespace.clone()));
    }
    assert_eq!(told, [(Name::from("chat"), Name::from("shop")), (Name::from("other"), Name::from("blog"))]);
}
