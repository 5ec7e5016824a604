//! Claims whose volume does not come, and those that wait for somebody to need them.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A claim with these annotations, spec and phase.
fn claim(annotations: &Value, spec: &Value, phase: &str) -> Value {
    json!({
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "uid": "c1", "creationTimestamp": clock("-48h"),
                     "annotations": annotations},
        "spec": spec,
        "status": {"phase": phase},
    })
}

fn of_class(annotations: &Value) -> Value {
    claim(annotations, &json!({"storageClassName": "fast"}), "Pending")
}

const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const PENDING: &str = "10m warning pvc_pending PersistentVolumeClaim/data ExternalProvisioning";
const NO_VOLUME: &str = "10m warning pvc_pending PersistentVolumeClaim/data FailedBinding";

keeps_the_rules!(Trouble {
    resource: Resource::PersistentVolumeClaims,
    broken: of_class(&json!({PROVISIONER: "disks.example.com"})),
    well: Some(claim(&json!({PROVISIONER: "disks.example.com"}), &json!({"storageClassName": "fast"}), "Bound")),
    unknown: Some(of_class(&json!({}))),
    heard: PENDING,
    not_before: Some("9m59s"),
    enabled: |monitors| &mut monitors.pvc_pending.enabled,
    severity: |monitors| &mut monitors.pvc_pending.severity,
});

#[test]
fn a_claim_that_may_wait_for_its_first_consumer_is_not_told() {
    Timeline::begin().apply(&of_class(&json!({}))).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn it_counts_from_when_its_first_consumer_came() {
    let story = Timeline::begin().apply(&of_class(&json!({}))).at("1h");
    let story = story.apply(&of_class(&json!({SELECTED_NODE: "worker-1"})));
    story.at("9h").expect(&[&PENDING.replacen("10m", "1h10m", 1)]);
}

#[test]
fn another_choice_of_node_does_not_start_the_time_anew() {
    let story = Timeline::begin().apply(&of_class(&json!({SELECTED_NODE: "worker-1", PROVISIONER: "disks"})));
    let story = story.at("4m").apply(&of_class(&json!({PROVISIONER: "disks"})));
    let story = story.at("8m").apply(&of_class(&json!({SELECTED_NODE: "worker-2", PROVISIONER: "disks"})));
    story.at("9h").expect(&[PENDING]);
}

#[test]
fn a_claim_that_is_bound_in_time_is_not_told_however_old_it_is() {
    let named = json!({"storageClassName": "fast", "volumeName": "pv-1"});
    let story = Timeline::begin().apply(&of_class(&json!({}))).at("1h").apply(&claim(&json!({}), &named, "Pending"));
    story.at("1h1m").apply(&claim(&json!({}), &named, "Bound")).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn a_claim_for_one_volume_that_is_not_there_is_told() {
    let named = claim(&json!({}), &json!({"storageClassName": "", "volumeName": "pv-1"}), "Pending");
    Timeline::begin().apply(&named).at("9h").expect(&[NO_VOLUME]);
}

#[test]
fn a_claim_without_a_class_has_waited_since_it_was_created() {
    for spec in [json!({"storageClassName": ""}), json!({})] {
        let story = Timeline::begin().apply(&claim(&json!({}), &spec, "Pending"));
        story.expect(&[&NO_VOLUME.replacen("10m", "0s", 1)]);
    }
}

#[test]
fn a_claim_that_lost_its_volume_or_is_being_deleted_is_unknown() {
    let spec = json!({"storageClassName": "fast"});
    Timeline::begin().apply(&claim(&json!({}), &spec, "Lost")).at("9h").expect_nothing();
    let mut deleting = of_class(&json!({PROVISIONER: "disks"}));
    deleting["metadata"]["deletionTimestamp"] = clock("0s").into();
    Timeline::begin().apply(&deleting).at("9h").expect_nothing();
}
