//! Warning Events, told as they are.

use kpulse_core::Resource;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

fn event(reason: &str, count: i32, last: &str) -> Value {
    json!({
        "kind": "Event", "type": "Warning", "reason": reason, "count": count, "lastTimestamp": clock(last),
        "message": "pods \"api-7d9c5b6f44-\" is forbidden: exceeded quota",
        "metadata": {"name": format!("api.{reason}"), "namespace": "shop", "uid": reason, "creationTimestamp": clock("-1h")},
        "involvedObject": {"kind": "ReplicaSet", "namespace": "shop", "name": "api-7d9c5b6f44"},
    })
}

const TOLD: &[&str] = &["1m info warning_events Event/api.FailedCreate FailedCreate"];

#[test]
fn a_warning_is_told_once_and_has_no_end() {
    let story = Timeline::begin().at("1m").apply(&event("FailedCreate", 1, "1m")).expect(TOLD);
    let story = story.apply(&event("FailedCreate", 1, "1m")).at("9h").expect_nothing();
    story.delete(&event("FailedCreate", 1, "1m")).at("20h").expect_nothing().expect_remembered(0);
}

#[test]
fn one_that_goes_on_is_told_ever_more_seldom() {
    let mut story = Timeline::begin().at("1m").apply(&event("FailedCreate", 1, "1m")).expect(TOLD);
    for minute in 2..480 {
        let at = format!("{minute}m");
        story = story.at(&at).apply(&event("FailedCreate", minute, &at));
    }
    let again = |minutes: &str| format!("{minutes} info warning_events Event/api.FailedCreate FailedCreate");
    // After 30 minutes, an hour, two, four.
    let heard: Vec<String> = ["31m", "1h31m", "3h31m", "7h31m"].iter().map(|at| again(at)).collect();
    story.expect(&heard.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn what_another_monitor_judges_by_state_is_passed_over() {
    let mut story = Timeline::begin();
    for reason in
        ["FailedGracefulShutdown", "Unhealthy", "Failed", "BackOff", "BackoffLimitExceeded", "InvalidDiskCapacity"]
    {
        story = story.apply(&event(reason, 1, "1m"));
    }
    let mut normal = event("Pulled", 1, "1m");
    normal["type"] = "Normal".into();
    story.apply(&normal).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn what_was_written_before_the_first_start_is_no_news() {
    let old = event("FailedCreate", 7, "-10m");
    let story = Timeline::begin().begin_listing(Resource::WarningEvents).apply(&old).listed(Resource::WarningEvents);
    let story = story.at("5m").expect_nothing();
    story
        .apply(&event("FailedCreate", 8, "5m"))
        .expect(&["5m info warning_events Event/api.FailedCreate FailedCreate"]);
}

#[test]
fn after_a_gap_only_what_is_newer_than_the_newest_seen_is_told() {
    let story = Timeline::begin().at("1m").apply(&event("FailedCreate", 1, "1m")).expect(TOLD);
    let story = story.at("10m").begin_listing(Resource::WarningEvents);
    let story = story.apply(&event("FailedCreate", 1, "1m")).apply(&event("FailedBinding", 1, "30s"));
    let story = story.apply(&event("FailedAttachVolume", 1, "5m")).listed(Resource::WarningEvents);
    story.expect(&["10m info warning_events Event/api.FailedAttachVolume FailedAttachVolume"]);
}

#[test]
fn after_a_restart_only_what_is_newer_than_the_newest_seen_is_told() {
    let (old, new) = (event("FailedCreate", 1, "1m"), event("FailedBinding", 1, "9m"));
    let story = Timeline::begin().at("1m").apply(&old).expect(TOLD);
    let story = story.at("10m").restart(&[&old, &event("FailedMount", 1, "30s"), &new]);
    story.expect(&["10m info warning_events Event/api.FailedBinding FailedBinding"]);
}

#[test]
fn one_that_nobody_wants_to_know_of_says_nothing() {
    let off = Timeline::with(|settings| settings.monitors.warning_events.enabled = false);
    off.apply(&event("FailedCreate", 1, "0s")).at("9h").expect_nothing();
    let mut elsewhere = event("FailedCreate", 1, "0s");
    elsewhere["metadata"]["namespace"] = "kube-system".into();
    Timeline::begin().apply(&elsewhere).at("9h").expect_nothing();
}

#[test]
fn odd_or_missing_fields_say_nothing() {
    for odd in [
        json!({"kind": "Event", "type": "Warning"}),
        json!({"kind": "Event", "type": 7, "reason": [], "involvedObject": "x", "series": 4}),
    ] {
        Timeline::begin().apply(&odd).at("9h").expect_nothing();
    }
    let mut timeless = event("FailedCreate", 1, "0s");
    timeless["lastTimestamp"] = Value::Null;
    timeless["metadata"]["creationTimestamp"] = Value::Null;
    Timeline::begin().at("1m").apply(&timeless).expect(TOLD);
}
