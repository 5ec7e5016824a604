//! Nodes that fall silent, run short, are drained or taken away.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A node whose Ready condition has this status since then; its pressures are those of a kubelet that speaks or not.
fn node(ready: &str, since: &str) -> Value {
    let pressure = if ready == "Unknown" { "Unknown" } else { "False" };
    let condition = |kind: &str, status: &str, since: &str| json!({"type": kind, "status": status, "lastTransitionTime": clock(since), "message": "kubelet says so"});
    json!({
        "kind": "Node",
        "metadata": {"name": "worker-1", "uid": "n1", "creationTimestamp": clock("-48h")},
        "spec": {},
        "status": {"conditions": [
            condition("MemoryPressure", pressure, "-48h"),
            condition("DiskPressure", pressure, "-48h"),
            condition("PIDPressure", pressure, "-48h"),
            condition("Ready", ready, since),
        ]},
    })
}

fn with_pressure(mut node: Value, status: &str, since: &str) -> Value {
    node["status"]["conditions"][1] = json!({"type": "DiskPressure", "status": status,
        "lastTransitionTime": clock(since), "message": "kubelet has disk pressure"});
    node
}

fn cordoned(mut node: Value) -> Value {
    node["spec"]["unschedulable"] = true.into();
    node
}

fn tainted(mut node: Value, taint: &str) -> Value {
    node["spec"]["taints"] = json!([{"key": taint, "effect": "NoSchedule"}]);
    node
}

fn deleting(mut node: Value) -> Value {
    node["metadata"]["deletionTimestamp"] = clock("0s").into();
    node
}

const NOT_READY: &str = "5m critical node_conditions Node/worker-1 NotReady";

mod not_ready {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::Nodes,
        broken: node("Unknown", "0s"),
        well: Some(node("True", "4h")),
        unknown: Some(tainted(node("Unknown", "0s"), "ToBeDeletedByClusterAutoscaler")),
        heard: NOT_READY,
        not_before: Some("4m59s"),
        enabled: |monitors| &mut monitors.node_conditions.enabled,
        severity: |monitors| &mut monitors.node_conditions.severity,
    });
}

mod disk_pressure {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::Nodes,
        broken: with_pressure(node("True", "-48h"), "True", "0s"),
        well: Some(node("True", "-48h")),
        unknown: Some(with_pressure(node("True", "-48h"), "Unknown", "0s")),
        heard: "0s critical node_conditions Node/worker-1 DiskPressure",
        not_before: None,
        enabled: |monitors| &mut monitors.node_conditions.enabled,
        severity: |monitors| &mut monitors.node_conditions.severity,
    });
}

#[test]
fn a_kubelet_that_comes_back_as_false_does_not_start_the_time_anew() {
    let story = Timeline::begin().at("1m").apply(&node("Unknown", "1m"));
    story.at("4m").apply(&node("False", "4m")).at("1h").expect(&["6m critical node_conditions Node/worker-1 NotReady"]);
}

#[test]
fn a_node_that_died_before_kpulse_started_is_told_at_once() {
    Timeline::begin().apply(&node("Unknown", "-2h")).expect(&["0s critical node_conditions Node/worker-1 NotReady"]);
}

#[test]
fn pressure_that_turns_unknown_is_not_over() {
    let story = Timeline::begin().apply(&with_pressure(node("True", "-48h"), "True", "0s"));
    let story = story.expect(&["0s critical node_conditions Node/worker-1 DiskPressure"]);
    let story = story.at("1m").apply(&node("Unknown", "1m"));
    let story = story.at("1h").expect(&["6m critical node_conditions Node/worker-1 NotReady"]);
    story
        .apply(&node("True", "1h"))
        .expect(&["1h recovered node_conditions Node/worker-1", "1h recovered node_conditions Node/worker-1"]);
}

#[test]
fn a_cordoned_node_is_given_longer_and_is_a_warning() {
    let story = Timeline::begin().apply(&cordoned(node("False", "0s")));
    story.at("3h").expect(&["15m warning node_conditions Node/worker-1 NotReady"]);
}

#[test]
fn a_node_that_is_being_taken_away_is_not_told() {
    let taints = [
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/disruption",
        "node.cloudprovider.kubernetes.io/shutdown",
        "node.kubernetes.io/out-of-service",
    ];
    for taint in taints {
        let leaving = tainted(node("Unknown", "0s"), taint);
        Timeline::begin().apply(&leaving).at("3h").delete(&leaving).at("9h").expect_nothing();
    }
    Timeline::begin().apply(&deleting(node("Unknown", "0s"))).at("3h").expect_nothing();
    let unreachable = tainted(node("Unknown", "0s"), "node.kubernetes.io/unreachable");
    Timeline::begin().apply(&unreachable).at("3h").expect(&[NOT_READY]);
}

#[test]
fn a_dead_node_that_is_then_taken_away_is_gone_and_not_recovered() {
    let story = Timeline::begin().apply(&node("Unknown", "0s")).at("10m").expect(&[NOT_READY]);
    let leaving = tainted(node("Unknown", "0s"), "node.cloudprovider.kubernetes.io/shutdown");
    let story = story.apply(&leaving).at("1h").expect_nothing();
    story.delete(&leaving).expect(&["1h gone node_conditions Node/worker-1"]);
}

#[test]
fn only_what_the_user_names_is_told() {
    let only = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
    let pressed = with_pressure(node("Unknown", "0s"), "True", "0s");
    let story = Timeline::with(|settings| settings.monitors.node_conditions.alert_on = only(&["DiskPressure"]));
    story.apply(&pressed).at("3h").expect(&["0s critical node_conditions Node/worker-1 DiskPressure"]);
    let story = Timeline::with(|settings| settings.monitors.node_conditions.alert_on = only(&["MemoryPressure"]));
    story.apply(&pressed).at("3h").expect_nothing();
}

#[test]
fn conditions_of_other_keepers_of_nodes_can_be_named_and_ready_is_not_a_trouble() {
    let mut deadlocked = node("True", "-48h");
    deadlocked["status"]["conditions"][0] =
        json!({"type": "KernelDeadlock", "status": "True", "lastTransitionTime": clock("0s")});
    let story = Timeline::with(|settings| {
        settings.monitors.node_conditions.alert_on = vec!["KernelDeadlock".into(), "Ready".into()];
    });
    story.apply(&deadlocked).at("3h").expect(&["0s critical node_conditions Node/worker-1 KernelDeadlock"]);
}

#[test]
fn a_node_that_is_cordoned_before_it_is_due_is_a_warning() {
    let story = Timeline::begin().apply(&node("False", "0s")).at("2m").apply(&cordoned(node("False", "0s")));
    story.at("1h").expect(&["15m warning node_conditions Node/worker-1 NotReady"]);
}
