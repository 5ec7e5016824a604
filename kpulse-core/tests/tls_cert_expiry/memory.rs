//! What is remembered, and what is not.

use crate::timeline::{QUIET, Timeline, secret, time};
use crate::{RENEWED, SHOP};

#[test]
fn a_restart_is_silent_and_forgets_no_due_time() {
    Timeline::new(QUIET)
        .listed([secret("shop/web-tls", SHOP)])
        .restart()
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-11-25T00:00:00Z")
        .expect(&["21 Nov 09:14:00 warning: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .restart()
        .listed([secret("shop/web-tls", SHOP)])
        .until("2026-12-02T09:13:59Z")
        .expect(&[])
        .until("2026-12-25T00:00:00Z")
        .expect(&["02 Dec 09:14:00 critical: Certificate shop.example.com ends 5 Dec 09:14 UTC"])
        .restart()
        .listed([secret("shop/web-tls", SHOP)])
        .expect(&[])
        .apply(secret("shop/web-tls", RENEWED))
        .expect(&["25 Dec 00:00:00 recovered: Certificate shop.example.com recovered after 806h"]);
}

#[test]
fn a_certificate_that_is_well_costs_a_timer_and_is_not_saved() {
    let mut timeline = Timeline::new(QUIET);
    timeline.engine.take_changed();
    let before = timeline.engine.state();
    timeline.listed([secret("shop/web-tls", SHOP), secret("shop/far-tls", fixture!("far"))]);
    assert_eq!(timeline.engine.next_deadline(), Some(time("2026-11-21T09:14:00Z")));
    assert_eq!(timeline.engine.troubled_objects(), 0);
    assert!(!timeline.engine.take_changed());
    assert_eq!(timeline.engine.state(), before);
    timeline.until("2026-11-21T09:14:00Z");
    assert_eq!(timeline.engine.troubled_objects(), 1);
    assert!(timeline.engine.take_changed());
}

#[test]
fn no_key_reaches_a_message_or_the_saved_state() {
    let mut timeline = Timeline::new("2026-12-01T00:00:00Z");
    timeline.listed([secret("shop/web-tls", SHOP), secret("shop/broken-tls", "garbage")]);
    let kept = serde_json::to_string(&timeline.engine.state()).unwrap();
    let all = format!("{kept} {:?} {:?}", timeline.said, timeline.engine);
    assert!(!all.contains("c2VjcmV0") && !all.contains("Z2FyYmFnZQ"), "{all}");
}
