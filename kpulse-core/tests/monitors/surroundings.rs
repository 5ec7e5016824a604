//! What holds for an object because of where it is: annotations on it, its owner and its namespace; globs and labels.

#![expect(clippy::needless_pass_by_value, reason = "what stands in an object reads best where it is used")]

use kpulse_core::Resource;
use kpulse_core::settings::Glob;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

/// A Pod of Deployment `api` that was OOM-killed and lies there.
fn pod(namespace: &str, annotations: Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "api-x-1", "namespace": namespace, "uid": "p1", "annotations": annotations,
            "labels": {"pod-template-hash": "x"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "api-x", "controller": true}]},
        "spec": {"nodeName": "worker-1", "restartPolicy": "Never"},
        "status": {"phase": "Failed", "containerStatuses": [{"name": "api", "restartCount": 0,
            "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": clock("-1s"), "finishedAt": clock("0s")}}}]},
    })
}

fn namespace(name: &str, annotations: Value, labels: Value) -> Value {
    json!({"kind": "Namespace", "metadata": {"name": name, "uid": name, "annotations": annotations, "labels": labels}})
}

fn deployment(annotations: Value) -> Value {
    json!({"kind": "Deployment", "metadata": {"name": "api", "namespace": "shop", "uid": "d1", "annotations": annotations}})
}

const TOLD: &[&str] = &["0s critical pod_crashes Pod/api-x-1 OOMKilled"];
const MILD: &[&str] = &["0s warning pod_crashes Pod/api-x-1 OOMKilled"];

fn none() -> Value {
    json!({})
}

#[test]
fn the_ignore_annotation_counts_on_object_owner_and_namespace() {
    let ignore = json!({"kpulse.io/ignore": "true"});
    Timeline::begin().apply(&pod("shop", none())).expect(TOLD);
    Timeline::begin().apply(&pod("shop", ignore.clone())).expect_nothing();
    Timeline::begin().apply(&deployment(ignore.clone())).apply(&pod("shop", none())).expect_nothing();
    let all = namespace("shop", ignore, none());
    Timeline::begin().apply(&all).apply(&pod("shop", none())).expect_nothing();
    let other = namespace("shop", json!({"kpulse.io/ignore": "hpa_at_max, job_failed"}), none());
    Timeline::begin().apply(&other).apply(&pod("shop", none())).expect(TOLD);
}

#[test]
fn an_alert_ends_as_unwatched_when_its_owner_is_annotated_and_comes_back_when_it_is_not() {
    let story = Timeline::begin().apply(&deployment(none())).apply(&pod("shop", none())).expect(TOLD);
    let story = story.at("5m").apply(&deployment(json!({"kpulse.io/ignore": "pod_crashes"})));
    let story = story.expect(&["5m unwatched pod_crashes Pod/api-x-1"]).at("9m").apply(&deployment(none()));
    story.expect(&["9m critical pod_crashes Pod/api-x-1 OOMKilled"]);
}

#[test]
fn the_max_severity_annotation_counts_on_object_owner_and_namespace() {
    let mild = json!({"kpulse.io/max-severity": "warning"});
    Timeline::begin().apply(&pod("shop", mild.clone())).expect(MILD);
    Timeline::begin().apply(&deployment(mild.clone())).apply(&pod("shop", none())).expect(MILD);
    Timeline::begin().apply(&namespace("shop", mild, none())).apply(&pod("shop", none())).expect(MILD);
    let odd = json!({"kpulse.io/max-severity": "whatever"});
    Timeline::begin().apply(&pod("shop", odd)).expect(TOLD);
}

#[test]
fn an_alert_that_may_be_worse_from_now_on_is_told_again() {
    let mild = json!({"kpulse.io/max-severity": "warning"});
    let story = Timeline::begin().apply(&deployment(mild)).apply(&pod("shop", none())).expect(MILD);
    story.at("5m").apply(&deployment(none())).expect(&["5m critical pod_crashes Pod/api-x-1 OOMKilled"]);
}

#[test]
fn namespaces_are_chosen_by_globs_and_exclusion_wins() {
    let teams = |settings: &mut kpulse_core::settings::Settings| {
        settings.namespaces.include = vec![Glob::new("team-*")];
        settings.namespaces.exclude = vec![Glob::new("*-test")];
    };
    Timeline::with(teams).apply(&pod("team-a", none())).expect(TOLD);
    Timeline::with(teams).apply(&pod("shop", none())).expect_nothing();
    Timeline::with(teams).apply(&pod("team-a-test", none())).expect_nothing();
    Timeline::begin().apply(&pod("kube-system", none())).expect_nothing();
}

#[test]
fn namespaces_are_chosen_by_labels() {
    let prod = |settings: &mut kpulse_core::settings::Settings| {
        settings.namespaces.selector = [("env".to_owned(), Glob::new("prod*"))].into();
    };
    let labelled = |env: &str| namespace("shop", none(), json!({"env": env}));
    let story = Timeline::with(prod).apply(&labelled("prod-eu")).apply(&pod("shop", none())).expect(TOLD);
    story.at("5m").apply(&labelled("test")).expect(&["5m unwatched pod_crashes Pod/api-x-1"]);
    Timeline::with(prod).apply(&labelled("test")).apply(&pod("shop", none())).expect_nothing();
    Timeline::with(prod).apply(&pod("shop", none())).expect_nothing();
}

#[test]
fn nothing_is_said_of_a_namespace_that_is_being_deleted() {
    let mut leaving = namespace("shop", none(), none());
    leaving["metadata"]["deletionTimestamp"] = clock("0s").into();
    Timeline::begin().apply(&leaving).apply(&pod("shop", none())).at("9h").expect_nothing();
}

#[test]
fn what_is_said_of_a_namespace_is_forgotten_with_it_even_in_a_gap() {
    let ignored = namespace("shop", json!({"kpulse.io/ignore": "true"}), none());
    let story = Timeline::begin().apply(&ignored).apply(&pod("shop", none())).expect_nothing().at("5m");
    let story = story.begin_listing(Resource::Namespaces).listed(Resource::Namespaces);
    story.expect(&["5m critical pod_crashes Pod/api-x-1 OOMKilled"]);
}
