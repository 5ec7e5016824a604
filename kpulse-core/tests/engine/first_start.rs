//! What is broken already when kpulse first looks goes out as one summary.

use super::*;
use kpulse_core::{KubeletSight, Observation};

fn kubelets_read() -> Observation {
    Observation::KubeletSight(KubeletSight { nodes: 3, ..KubeletSight::default() })
}

#[test]
fn it_waits_for_one_round_of_kubelets() {
    let (api, job) = (crashing("api", 0, "-5m"), failed_job("import", "-9m"));
    Timeline::begin()
        .first_start(&[&api, &job])
        .at("7s")
        .expect_nothing()
        .observed(kubelets_read())
        .expect(&[
            "7s kpulse started: 2 things are broken already [shop/api: 1 Pod crash-looping; shop/import: failed]",
        ])
        .at("9h")
        .expect_nothing();
}

#[test]
fn it_does_not_wait_for_kubelets_for_ever() {
    let api = crashing("api", 0, "-5m");
    Timeline::begin()
        .first_start(&[&api])
        .at("9h")
        .expect(&["2m kpulse started: 1 thing is broken already [shop/api: 1 Pod crash-looping]"]);
}

#[test]
fn what_breaks_from_then_on_goes_out_by_itself() {
    let api = crashing("api", 0, "-5m");
    Timeline::begin()
        .first_start(&[&api])
        .at("10s")
        .apply(&crashing("web", 0, "10s"))
        .expect(&["10s critical pod_crashes Pod/web-x-0 CrashLoopBackOff"])
        .observed(kubelets_read())
        .expect(&["10s kpulse started: 1 thing is broken already [shop/api: 1 Pod crash-looping]"])
        .at("1m")
        .apply(&well("api", 0))
        .at("9h")
        .expect(&["3m recovered pod_crashes Pod/api-x-0"]);
}

#[test]
fn where_all_is_well_nothing_is_said() {
    Timeline::begin()
        .first_start(&[&well("api", 0)])
        .observed(kubelets_read())
        .at("5m")
        .apply(&crashing("api", 0, "5m"))
        .expect(&["5m critical pod_crashes Pod/api-x-0 CrashLoopBackOff"]);
}

#[test]
fn a_restart_before_the_summary_does_not_lose_it() {
    let api = crashing("api", 0, "-5m");
    Timeline::begin()
        .first_start(&[&api])
        .at("30s")
        .restart(&[&api])
        .observed(kubelets_read())
        .expect(&["30s kpulse started: 1 thing is broken already [shop/api: 1 Pod crash-looping]"])
        .restart(&[&api])
        .at("9h")
        .expect_nothing();
}

#[test]
fn what_was_told_can_be_forgotten_and_goes_out_as_a_summary() {
    Timeline::begin()
        .apply(&crashing("api", 0, "0s"))
        .apply(&crashing("web", 0, "0s"))
        .at("10m")
        .expect(&[
            "0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s critical pod_crashes Pod/web-x-0 CrashLoopBackOff",
        ])
        .reset()
        .expect(&[
            "10m kpulse started: 2 things are broken already [shop/api: 1 Pod crash-looping; shop/web: 1 Pod crash-looping]",
        ])
        .at("9h")
        .expect_nothing();
}
