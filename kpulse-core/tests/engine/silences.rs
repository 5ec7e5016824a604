//! A silence holds back firings, updates and reminders, never an end that is owed; what is still true when it ends is
//! told then.

use super::*;
use kpulse_core::settings::Span;

const TOLD: &str = "critical pod_crashes Pod/api-x-0 CrashLoopBackOff";

fn silenced(silences: Value) -> Timeline {
    Timeline::with(|settings| settings.silences = serde_json::from_value(silences).unwrap())
}

fn quiet(until: &str) -> Value {
    let mut pod = crashing("api", 0, "0s");
    pod["metadata"]["annotations"] = json!({"kpulse.io/silence": format!("until={until}, moving the disk")});
    pod
}

#[test]
fn what_is_still_true_when_it_ends_is_told_then() {
    silenced(json!([{"match": {"namespace": "shop"}, "until": "2026-11-22T18:00:00Z"}]))
        .apply(&crashing("api", 0, "0s"))
        .at("59m59s")
        .expect_nothing()
        .at("9h")
        .expect(&[&format!("1h {TOLD}")]);
}

#[test]
fn what_is_over_by_then_is_never_told() {
    silenced(json!([{"match": {"namespace": "shop"}, "until": "2026-11-22T18:00:00Z"}]))
        .apply(&crashing("api", 0, "0s"))
        .at("30m")
        .apply(&well("api", 0))
        .at("9h")
        .expect_nothing();
}

#[test]
fn an_end_that_is_owed_is_told_all_the_same() {
    silenced(json!([{"match": {"workload": "api"}, "from": "2026-11-22T17:10:00Z", "until": "2026-11-22T18:00:00Z"}]))
        .apply(&crashing("api", 0, "0s"))
        .expect(&[&format!("0s {TOLD}")])
        .at("20m")
        .apply(&well("api", 0))
        .at("9h")
        .expect(&["22m recovered pod_crashes Pod/api-x-0"]);
}

#[test]
fn nothing_more_is_said_of_what_was_told_before() {
    let quiet = json!([{"from": "2026-11-22T17:10:00Z", "until": "2026-11-23T08:00:00Z"}]);
    let mut story = Timeline::with(|settings| {
        settings.silences = serde_json::from_value(quiet).unwrap();
        settings.dedupe.repeat_interval = Span::hours(4);
    })
    .apply(&crashing("api", 0, "0s"))
    .expect(&[&format!("0s {TOLD}")])
    .at("20m");
    for index in 1..12 {
        story = story.apply(&crashing("api", index, "20m"));
    }
    // The reminder waits until the silence is over at 8:00, fifteen hours later; so does the count.
    story.at("14h59m").expect_nothing().at("15h30m").expect(&[&format!("15h {TOLD}")]);
}

#[test]
fn the_annotation_counts_on_object_owner_and_namespace() {
    let until = json!({"kpulse.io/silence": "until=2026-11-22T18:00:00Z, moving the disk"});
    let namespace = |notes: &Value| json!({"kind": "Namespace", "metadata": {"name": "shop", "annotations": notes}});
    let owner = |notes: &Value| json!({"kind": "Deployment", "metadata": {"name": "api", "namespace": "shop", "uid": "d", "annotations": notes}});
    let told = &[&*format!("1h {TOLD}")];
    Timeline::begin().apply(&quiet("2026-11-22T18:00:00Z")).at("9h").expect(told);
    Timeline::begin().apply(&namespace(&until)).apply(&crashing("api", 0, "0s")).at("9h").expect(told);
    Timeline::begin().apply(&owner(&until)).apply(&crashing("api", 0, "0s")).at("9h").expect(told);
    let lifted =
        Timeline::begin().apply(&namespace(&until)).apply(&crashing("api", 0, "0s")).at("10m").expect_nothing();
    lifted.apply(&namespace(&json!({}))).expect(&[&format!("10m {TOLD}")]);
}

#[test]
fn an_annotation_that_cannot_be_read_hides_nothing() {
    Timeline::begin().apply(&quiet("tomorrow")).expect(&[&format!("0s {TOLD}")]);
}

#[test]
fn weekly_windows_come_again() {
    // The story begins on a Sunday at 17:00.
    silenced(json!([{"weekly": [{"days": ["sun"], "from": "00:00", "until": "24:00"}]}]))
        .apply(&crashing("api", 0, "0s"))
        .at("9h")
        .expect(&[&format!("7h {TOLD}")]);
}

#[test]
fn what_happened_while_silenced_is_not_told_later() {
    let event = json!({"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "type": "Warning",
        "reason": "FailedDraining", "message": "no", "count": 1, "lastTimestamp": "2026-11-22T17:00:00Z",
        "involvedObject": {"kind": "Service", "name": "api", "namespace": "shop"}});
    silenced(json!([{"until": "2026-11-22T17:10:00Z"}])).apply(&event).at("9h").expect_nothing();
}

#[test]
fn a_restart_breaks_no_silence() {
    let api = crashing("api", 0, "0s");
    silenced(json!([{"until": "2026-11-22T18:00:00Z"}]))
        .apply(&api)
        .at("30m")
        .restart(&[&api])
        .at("59m")
        .expect_nothing()
        .at("9h")
        .expect(&[&format!("1h {TOLD}")]);
}
