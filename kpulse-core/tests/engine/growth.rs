//! One group: it grows, gets worse, and ends once.

use kpulse_testkit::timeline::now;

use super::*;

/// A volume that is so full.
fn summary(used: u64) -> Value {
    let file_system = json!({"capacityBytes": 1000, "usedBytes": used * 10, "availableBytes": 1000 - used * 10,
        "inodes": 100, "inodesUsed": 1, "inodesFree": 99});
    json!({"node": {"nodeName": "worker-1"}, "pods": [{"podRef": {"name": "db-0", "namespace": "shop", "uid": "p"}, "volume": [
        json!({"name": "data", "pvcRef": {"name": "data", "namespace": "shop"}}).as_object().unwrap().clone().into_iter()
            .chain(file_system.as_object().unwrap().clone()).collect::<serde_json::Map<_, _>>()
    ]}]})
}

#[test]
fn fifty_replicas_that_crash_are_four_messages_and_one_end() {
    let mut story = Timeline::begin().apply(&kpulse_testkit::builders::rollout("shop", "api", 50, now("-9h")).json());
    for index in 0..50 {
        let at = format!("{}s", index * 10);
        story = story.at(&at).apply(&crashing("api", index, &at));
    }
    let first = "critical pod_crashes Pod/api-x-0 CrashLoopBackOff";
    let told = ["0s", "1m", "2m", "8m10s"].map(|at| format!("{at} {first}"));
    let mut story = story.at("20m").expect(&told.each_ref().map(|line| &**line));
    for index in 0..50 {
        story = story
            .apply(&pod_of("api", index).running_after(4, kpulse_testkit::builders::Death::Exit(1), now("20m")).json());
    }
    story.at("9h").expect(&["22m recovered pod_crashes Pod/api-x-9"]);
}

#[test]
fn a_volume_that_fills_up_is_told_at_once_and_ends_once() {
    let pvc = "pvc_usage PersistentVolumeClaim/data";
    Timeline::begin()
        .survey(&summary(81))
        .expect(&[&format!("0s warning {pvc} VolumeFull")])
        .at("1m")
        .survey(&summary(91))
        .expect(&[&format!("1m critical {pvc} VolumeFull")])
        .at("2m")
        .survey(&summary(85))
        .at("3m")
        .survey(&summary(92))
        .expect_nothing()
        .at("4m")
        .survey(&summary(70))
        .at("9h")
        .expect(&[&format!("4m recovered {pvc}")]);
}

#[test]
fn where_messages_are_changed_in_place_a_new_cause_changes_them() {
    let edits = |settings: &mut Settings| settings.channels[0].edits = true;
    let pvc = "pvc_usage PersistentVolumeClaim/data VolumeFull";
    Timeline::with(edits)
        .survey(&summary(91))
        .at("20m")
        .survey(&summary(85))
        .at("9h")
        .expect(&[&format!("0s critical {pvc}"), &format!("20m critical {pvc}")]);
}
