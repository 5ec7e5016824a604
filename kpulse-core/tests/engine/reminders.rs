//! What lasts is told again as still broken: after four hours, then daily.

use super::*;
use kpulse_core::settings::Span;

fn reminding() -> Timeline {
    Timeline::with(|settings| settings.dedupe.repeat_interval = Span::hours(4))
}

#[test]
fn one_message_for_all_that_lasts_after_four_hours_and_then_daily() {
    reminding()
        .apply(&crashing("api", 0, "0s"))
        .at("1h")
        .apply(&crashing("web", 0, "1h"))
        .expect(&[
            "0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "1h critical pod_crashes Pod/web-x-0 CrashLoopBackOff",
        ])
        .at("30h")
        .expect(&[
            "4h Still broken: 2 troubles, the oldest for 4h [shop/api: 1 Pod crash-looping; shop/web: 1 Pod crash-looping]",
            "28h Still broken: 2 troubles, the oldest for 28h [shop/api: 1 Pod crash-looping; shop/web: 1 Pod crash-looping]",
        ]);
}

#[test]
fn what_is_over_is_not_reminded_of() {
    reminding()
        .apply(&crashing("api", 0, "0s"))
        .at("3h")
        .apply(&well("api", 0))
        .at("30h")
        .expect(&["0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff", "3h2m recovered pod_crashes Pod/api-x-0"]);
}

#[test]
fn a_failed_job_is_told_once() {
    reminding()
        .apply(&failed_job("import", "0s"))
        .at("90h")
        .expect(&["0s warning job_failed Job/import BackoffLimitExceeded"]);
}

#[test]
fn a_restart_does_not_begin_them_anew() {
    let api = crashing("api", 0, "0s");
    reminding()
        .apply(&api)
        .at("3h")
        .restart(&[&api])
        .at("5h")
        .expect(&[
            "0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "4h Still broken after 4h: shop/api: 1 Pod crash-looping [shop/api: 1 Pod crash-looping]",
        ])
        .restart(&[&api])
        .at("27h")
        .expect_nothing();
}

#[test]
fn those_that_came_due_while_the_machine_slept_are_skipped() {
    let api = crashing("api", 0, "0s");
    reminding()
        .apply(&api)
        .expect(&["0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff"])
        .sleep_until("9h")
        .wake()
        .at("20h")
        .expect_nothing();
}
