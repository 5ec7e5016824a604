//! Drains that a PodDisruptionBudget holds up.

use kpulse_core::Resource;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

fn node(cordoned: bool) -> Value {
    json!({
        "kind": "Node", "metadata": {"name": "worker-1", "uid": "n1"}, "spec": {"unschedulable": cordoned},
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": clock("-9h")}]},
    })
}

fn budget(allowed: i32) -> Value {
    json!({
        "kind": "PodDisruptionBudget", "metadata": {"name": "api", "namespace": "shop", "uid": "b1", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "api"}}},
        "status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2,
            "expectedPods": 3},
    })
}

fn pod(app: &str, node: &str) -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop", "uid": "p1", "labels": {"app": app}},
        "spec": {"nodeName": node}, "status": {"phase": "Running"},
    })
}

const TOLD: &[&str] = &["15m warning pdb_blocked PodDisruptionBudget/api DrainBlocked"];

/// A drain that begins with the story: the Pod is found when it is asked for.
fn drain() -> Timeline {
    let story = Timeline::begin().apply(&pod("api", "worker-1")).apply(&budget(0)).apply(&node(true));
    story.at("14m59s").expect_inquiries(&[]).at("15m").expect_inquiries(&["worker-1"])
}

#[test]
fn a_drain_that_is_held_up_is_told_when_due_and_not_before() {
    drain().expect_nothing().apply(&pod("api", "worker-1")).expect(TOLD);
}

#[test]
fn it_ends_when_the_budget_allows_something() {
    let story = drain().apply(&pod("api", "worker-1")).expect(TOLD).at("20m").apply(&budget(1));
    story.expect(&["20m recovered pdb_blocked PodDisruptionBudget/api"]).at("9h").expect_remembered(0);
}

#[test]
fn it_ends_when_the_node_is_uncordoned_or_gone() {
    let held = || drain().apply(&pod("api", "worker-1")).expect(TOLD).at("20m");
    let over: &[&str] = &["20m recovered pdb_blocked PodDisruptionBudget/api"];
    held().apply(&node(false)).expect(over);
    held().delete(&node(true)).expect(over);
    held().begin_listing(Resource::Nodes).listed(Resource::Nodes).expect(over);
}

#[test]
fn it_ends_when_the_pod_is_gone_or_elsewhere() {
    let held = || drain().apply(&pod("api", "worker-1")).expect(TOLD).at("20m");
    let over: &[&str] = &["20m recovered pdb_blocked PodDisruptionBudget/api"];
    held().delete(&pod("api", "worker-1")).expect(over);
    held().apply(&pod("api", "worker-2")).expect(over);
    held().begin_listing(Resource::Pods).expect_nothing().listed(Resource::Pods).expect(over);
}

#[test]
fn it_is_gone_with_its_budget_even_in_a_gap() {
    let held = || drain().apply(&pod("api", "worker-1")).expect(TOLD).at("20m");
    let gone: &[&str] = &["20m gone pdb_blocked PodDisruptionBudget/api"];
    held().delete(&budget(0)).expect(gone);
    held().begin_listing(Resource::PodDisruptionBudgets).listed(Resource::PodDisruptionBudgets).expect(gone);
}

#[test]
fn neither_a_cordoned_node_nor_an_exhausted_budget_alone_is_a_trouble_or_asked_about() {
    Timeline::begin().apply(&node(true)).apply(&budget(1)).at("9h").expect_nothing().expect_inquiries(&[]);
    Timeline::begin().apply(&node(false)).apply(&budget(0)).at("9h").expect_nothing().expect_inquiries(&[]);
    drain().apply(&pod("other", "worker-1")).at("9h").expect_nothing();
    drain().apply(&pod("api", "worker-2")).at("9h").expect_nothing();
}

#[test]
fn a_status_older_than_its_spec_says_nothing() {
    let mut outdated = budget(0);
    outdated["metadata"]["generation"] = 2.into();
    let story = Timeline::begin().apply(&pod("api", "worker-1")).apply(&outdated).apply(&node(true));
    story.at("9h").expect_inquiries(&[]).apply(&pod("api", "worker-1")).expect_nothing();
}

#[test]
fn one_that_nobody_wants_to_know_of_says_nothing() {
    let off = Timeline::with(|settings| settings.monitors.pdb_blocked.enabled = false);
    let story = off.apply(&budget(0)).apply(&node(true)).apply(&pod("api", "worker-1"));
    story.at("9h").expect_nothing().expect_inquiries(&[]);
    let mut ignored = budget(0);
    ignored["metadata"]["annotations"] = json!({"kpulse.io/ignore": "true"});
    let story = drain().apply(&pod("api", "worker-1")).expect(TOLD).at("20m").apply(&ignored);
    story.expect(&["20m unwatched pdb_blocked PodDisruptionBudget/api"]);
}

#[test]
fn odd_or_missing_fields_say_nothing() {
    for status in [json!({}), json!(7), json!({"disruptionsAllowed": "none", "expectedPods": "three"})] {
        let mut odd = budget(0);
        odd["status"] = status;
        let story = Timeline::begin().apply(&odd).apply(&node(true)).apply(&pod("api", "worker-1"));
        story.at("9h").expect_nothing();
    }
}
