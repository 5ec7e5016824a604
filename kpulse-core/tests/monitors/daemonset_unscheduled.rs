//! DaemonSets that do not run everywhere, that roll, and whose nodes come and go.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A DaemonSet that should run on so many nodes: on how many it has a Pod, a new one, and a ready one.
fn daemon_set(desired: i32, current: i32, updated: i32, ready: i32) -> Value {
    json!({
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "ops", "uid": "a1", "generation": 2, "creationTimestamp": clock("-48h")},
        "status": {
            "observedGeneration": 2, "desiredNumberScheduled": desired, "currentNumberScheduled": current,
            "updatedNumberScheduled": updated, "numberReady": ready, "numberMisscheduled": 0,
        },
    })
}

fn outdated(mut set: Value) -> Value {
    set["metadata"]["generation"] = 3.into();
    set
}

keeps_the_rules!(Trouble {
    resource: Resource::DaemonSets,
    broken: daemon_set(3, 3, 3, 2),
    well: Some(daemon_set(3, 3, 3, 3)),
    unknown: Some(outdated(daemon_set(3, 3, 3, 2))),
    heard: "10m warning daemonset_unscheduled DaemonSet/agent NotReady",
    not_before: Some("9m59s"),
    enabled: |monitors| &mut monitors.daemonset_unscheduled.enabled,
    severity: |monitors| &mut monitors.daemonset_unscheduled.severity,
});

#[test]
fn a_node_without_its_pod_is_told() {
    let story = Timeline::begin().apply(&daemon_set(3, 2, 2, 2));
    story.at("3h").expect(&["10m warning daemonset_unscheduled DaemonSet/agent NotScheduled"]);
}

#[test]
fn while_it_rolls_each_node_that_changes_over_is_progress() {
    let story = Timeline::begin().apply(&daemon_set(3, 3, 0, 2)).at("9m").apply(&daemon_set(3, 3, 1, 2));
    let story = story.at("18m").apply(&daemon_set(3, 3, 2, 2)).at("27m").apply(&daemon_set(3, 3, 3, 2));
    story.at("3h").expect(&["37m warning daemonset_unscheduled DaemonSet/agent NotReady"]);
}

#[test]
fn a_rollout_that_stands_still_is_told() {
    let story = Timeline::begin().apply(&daemon_set(3, 3, 1, 2)).at("5m").apply(&daemon_set(3, 3, 1, 2));
    story.at("3h").expect(&["10m warning daemonset_unscheduled DaemonSet/agent NotReady"]);
}

#[test]
fn nodes_that_join_do_not_put_off_what_is_broken() {
    let mut story = Timeline::begin().apply(&daemon_set(3, 3, 3, 2));
    for nodes in 4..8 {
        story = story.at(&format!("{}m", nodes - 2)).apply(&daemon_set(nodes, nodes - 1, nodes - 1, nodes - 2));
        story = story.apply(&daemon_set(nodes, nodes, nodes, nodes - 1));
    }
    story.at("3h").expect(&["10m warning daemonset_unscheduled DaemonSet/agent NotReady"]);
}

#[test]
fn one_that_no_node_should_run_is_well() {
    Timeline::begin().apply(&daemon_set(0, 0, 0, 0)).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn one_that_the_controller_has_not_seen_yet_is_unknown() {
    let mut new = daemon_set(0, 0, 0, 0);
    new["metadata"]["generation"] = 1.into();
    new["status"] = json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 3, "numberReady": 0});
    Timeline::begin().apply(&new).at("9h").expect_nothing().expect_remembered(0);
}
