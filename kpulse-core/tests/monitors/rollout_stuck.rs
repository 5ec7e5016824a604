//! Rollouts that stand still, and those that only take long.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

const DEPLOYMENT: &str = "15m warning rollout_stuck Deployment/web RolloutStuck";
const STATEFUL_SET: &str = "15m warning rollout_stuck StatefulSet/db RolloutStuck";

/// A Deployment of 2 with as many updated Pods; Progressing has this reason and was last updated then.
fn deployment(updated: i32, reason: &str, last_update: &str) -> Value {
    let progressing = if reason == "ProgressDeadlineExceeded" { "False" } else { "True" };
    json!({
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "d1", "generation": 2, "creationTimestamp": clock("-48h")},
        "spec": {"replicas": 2, "progressDeadlineSeconds": 600},
        "status": {
            "observedGeneration": 2, "replicas": if updated == 2 { 2 } else { 3 }, "updatedReplicas": updated,
            "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                 "lastUpdateTime": clock("-48h"), "lastTransitionTime": clock("-48h")},
                {"type": "Progressing", "status": progressing, "reason": reason,
                 "lastUpdateTime": clock(last_update), "lastTransitionTime": clock("-48h")},
            ],
        },
    })
}

/// A StatefulSet of 3 that rolls, or not, with as many ready Pods.
fn stateful_set(rolling: bool, ready: i32) -> Value {
    json!({
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "shop", "uid": "s1", "generation": 2, "creationTimestamp": clock("-48h")},
        "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
        "status": {
            "observedGeneration": 2, "replicas": 3, "readyReplicas": ready,
            "currentRevision": if rolling { "db-1" } else { "db-2" }, "updateRevision": "db-2",
        },
    })
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

mod deployment {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::Deployments,
        broken: super::deployment(1, "ReplicaSetUpdated", "0s"),
        well: Some(super::deployment(2, "NewReplicaSetAvailable", "4h")),
        unknown: Some(with(super::deployment(1, "ReplicaSetUpdated", "0s"), "/metadata/generation", json!(3))),
        heard: DEPLOYMENT,
        not_before: Some("14m59s"),
        enabled: |monitors| &mut monitors.rollout_stuck.enabled,
        severity: |monitors| &mut monitors.rollout_stuck.severity,
    });
}

mod stateful_set {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::StatefulSets,
        broken: super::stateful_set(true, 2),
        well: Some(super::stateful_set(false, 3)),
        unknown: Some(with(super::stateful_set(true, 2), "/metadata/generation", json!(3))),
        heard: STATEFUL_SET,
        not_before: Some("14m59s"),
        enabled: |monitors| &mut monitors.rollout_stuck.enabled,
        severity: |monitors| &mut monitors.rollout_stuck.severity,
    });
}

#[test]
fn a_rollout_that_moves_is_not_stuck() {
    let mut story = Timeline::begin();
    for minutes in (0..120).step_by(10) {
        let now = format!("{minutes}m");
        story = story.at(&now).apply(&deployment(1, "ReplicaSetUpdated", &now));
    }
    story.at("2h4m59s").expect_nothing().at("3h").expect(&["2h5m warning rollout_stuck Deployment/web RolloutStuck"]);
}

#[test]
fn that_the_deadline_was_exceeded_is_no_progress() {
    let story = Timeline::begin().apply(&deployment(1, "ReplicaSetUpdated", "0s"));
    let story = story.at("10m").apply(&deployment(1, "ProgressDeadlineExceeded", "10m"));
    story.at("3h").expect(&["15m warning rollout_stuck Deployment/web ProgressDeadlineExceeded"]);
}

#[test]
fn a_change_of_available_is_progress() {
    let changed =
        with(deployment(1, "ReplicaSetUpdated", "0s"), "/status/conditions/0/lastTransitionTime", clock("8m").into());
    let story = Timeline::begin().apply(&deployment(1, "ReplicaSetUpdated", "0s")).at("8m").apply(&changed);
    story.at("3h").expect(&["23m warning rollout_stuck Deployment/web RolloutStuck"]);
}

#[test]
fn it_counts_from_when_it_was_first_seen_however_old_its_conditions_are() {
    Timeline::begin().apply(&deployment(1, "ReplicaSetUpdated", "-9h")).at("3h").expect(&[DEPLOYMENT]);
    // Scaled up, or a Pod was lost: the controller writes no condition for that.
    let short = with(deployment(2, "NewReplicaSetAvailable", "-9h"), "/status/availableReplicas", json!(1));
    let story = Timeline::begin().at("1m").apply(&short);
    story.at("3h").expect(&["16m warning rollout_stuck Deployment/web ReplicasUnavailable"]);
}

#[test]
fn pods_that_cannot_be_created_are_the_reason() {
    let mut refused = deployment(1, "ReplicaSetUpdated", "0s");
    let failure = json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"web-1\" is forbidden: exceeded quota"});
    refused["status"]["conditions"].as_array_mut().unwrap().push(failure);
    Timeline::begin().apply(&refused).at("3h").expect(&["15m warning rollout_stuck Deployment/web FailedCreate"]);
}

#[test]
fn paused_and_scaled_to_zero_are_not_stuck() {
    let rolling = deployment(1, "ReplicaSetUpdated", "0s");
    for choice in [with(rolling.clone(), "/spec/paused", json!(true)), with(rolling, "/spec/replicas", json!(0))] {
        Timeline::begin().apply(&choice).at("9h").expect_nothing().expect_remembered(0);
    }
}

#[test]
fn a_stateful_set_moves_when_its_ready_count_changes() {
    let mut story = Timeline::begin();
    for (minutes, ready) in [(0, 3), (10, 2), (20, 3), (30, 2)] {
        story = story.at(&format!("{minutes}m")).apply(&stateful_set(true, ready));
    }
    story.at("40m").apply(&stateful_set(true, 2)).at("3h").expect(&[&STATEFUL_SET.replacen("15m", "45m", 1)]);
}

#[test]
fn a_stateful_set_that_has_too_few_pods_is_told_though_it_does_not_roll() {
    let story = Timeline::begin().apply(&stateful_set(false, 1));
    story.at("3h").expect(&["15m warning rollout_stuck StatefulSet/db ReplicasUnavailable"]);
}

#[test]
fn a_stateful_set_whose_pods_somebody_holds_back_is_not_stuck() {
    let choices = [
        ("/spec/updateStrategy/type", json!("OnDelete")),
        ("/spec/updateStrategy/rollingUpdate/partition", json!(2)),
        ("/spec/replicas", json!(0)),
    ];
    for (pointer, value) in choices {
        let held = with(stateful_set(true, 1), pointer, value);
        Timeline::begin().apply(&held).at("9h").expect_nothing().expect_remembered(0);
    }
}
