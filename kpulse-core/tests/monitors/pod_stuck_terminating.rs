//! Pods that are to go and do not.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A Pod whose grace period ends then.
fn terminating(grace_ends: &str) -> Value {
    let mut pod = running();
    pod["metadata"]["deletionTimestamp"] = clock(grace_ends).into();
    pod
}

fn running() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "p1", "creationTimestamp": clock("-48h")},
        "spec": {"nodeName": "worker-1"},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "web", "restartCount": 0, "state": {"running": {"startedAt": clock("-48h")}}},
        ]},
    })
}

const STUCK: &str = "10m warning pod_stuck_terminating Pod/web-1 Terminating";

keeps_the_rules!(Trouble {
    resource: Resource::Pods,
    broken: terminating("0s"),
    well: None,
    unknown: None,
    heard: STUCK,
    not_before: Some("9m59s"),
    enabled: |monitors| &mut monitors.pod_stuck_terminating.enabled,
    severity: |monitors| &mut monitors.pod_stuck_terminating.severity,
});

#[test]
fn a_long_grace_period_is_waited_for() {
    let story = Timeline::begin().apply(&terminating("1h"));
    story.at("3h").expect(&["1h10m warning pod_stuck_terminating Pod/web-1 Terminating"]);
}

#[test]
fn a_grace_period_can_be_cut_short() {
    let story = Timeline::begin().apply(&terminating("1h")).at("5m").apply(&terminating("6m"));
    story.at("3h").expect(&["16m warning pod_stuck_terminating Pod/web-1 Terminating"]);
}

#[test]
fn one_that_goes_in_time_is_not_told_and_not_remembered() {
    let story = Timeline::begin().apply(&terminating("30s")).at("31s").delete(&terminating("30s"));
    story.at("3h").expect_nothing().expect_remembered(0);
}

#[test]
fn one_that_was_stuck_before_kpulse_started_is_told_at_once() {
    Timeline::begin().apply(&terminating("-3h")).expect(&["0s warning pod_stuck_terminating Pod/web-1 Terminating"]);
}

#[test]
fn pods_that_go_in_their_time_are_nothing_to_save() {
    let story = Timeline::begin().apply(&running()).expect_saved(false);
    let story = story.apply(&terminating("30s")).expect_saved(false);
    let story = story.at("20s").apply(&terminating("30s")).expect_saved(false);
    story.delete(&terminating("30s")).expect_saved(false).expect_remembered(0);
}
