//! HorizontalPodAutoscalers that can go no further, or are blind.

use kpulse_core::Resource;
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// An autoscaler of 1 to 5 Pods that wants so many; ScalingActive is as given since the beginning.
fn autoscaler(desired: i32, active: &str, reason: &str) -> Value {
    json!({
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop", "uid": "h1", "creationTimestamp": clock("-48h")},
        "spec": {"minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        "status": {
            "currentReplicas": desired, "desiredReplicas": desired,
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
                {"type": "ScalingActive", "status": active, "reason": reason, "lastTransitionTime": clock("0s"),
                 "message": "the HPA was unable to compute the replica count: no metrics returned"},
            ],
        },
    })
}

fn deleting(mut autoscaler: Value) -> Value {
    autoscaler["metadata"]["deletionTimestamp"] = clock("0s").into();
    autoscaler
}

mod at_max {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::HorizontalPodAutoscalers,
        broken: autoscaler(5, "True", "ValidMetricFound"),
        well: Some(autoscaler(4, "True", "ValidMetricFound")),
        unknown: Some(deleting(autoscaler(5, "True", "ValidMetricFound"))),
        heard: "30m warning hpa_at_max HorizontalPodAutoscaler/web AtMaximum",
        not_before: Some("29m59s"),
        enabled: |monitors| &mut monitors.hpa_at_max.enabled,
        severity: |monitors| &mut monitors.hpa_at_max.severity,
    });
}

mod metrics {
    use super::*;

    keeps_the_rules!(Trouble {
        resource: Resource::HorizontalPodAutoscalers,
        broken: autoscaler(2, "False", "FailedGetResourceMetric"),
        well: Some(autoscaler(2, "True", "ValidMetricFound")),
        unknown: Some(autoscaler(2, "Unknown", "")),
        heard: "15m warning hpa_at_max HorizontalPodAutoscaler/web FailedGetResourceMetric",
        not_before: Some("14m59s"),
        enabled: |monitors| &mut monitors.hpa_at_max.enabled,
        severity: |monitors| &mut monitors.hpa_at_max.severity,
    });
}

#[test]
fn one_that_wants_more_than_it_may_says_so() {
    let mut limited = autoscaler(5, "True", "ValidMetricFound");
    let condition = json!({"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"});
    limited["status"]["conditions"].as_array_mut().unwrap().push(condition);
    let story = Timeline::begin().apply(&limited);
    story.at("3h").expect(&["30m warning hpa_at_max HorizontalPodAutoscaler/web TooManyReplicas"]);
}

#[test]
fn a_fixed_size_is_a_choice() {
    let mut fixed = autoscaler(5, "True", "ValidMetricFound");
    fixed["spec"]["minReplicas"] = 5.into();
    Timeline::begin().apply(&fixed).at("9h").expect_nothing().expect_remembered(0);
    let mut only_one = autoscaler(1, "True", "ValidMetricFound");
    only_one["spec"] = json!({"maxReplicas": 1});
    Timeline::begin().apply(&only_one).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn a_workload_scaled_to_zero_is_a_choice() {
    let disabled = autoscaler(0, "False", "ScalingDisabled");
    Timeline::begin().apply(&disabled).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn a_new_one_says_nothing() {
    let mut new = autoscaler(0, "", "");
    new["status"] = json!({"desiredReplicas": 0, "currentMetrics": null});
    Timeline::begin().apply(&new).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn time_at_the_maximum_does_not_count_across_a_visit_below() {
    let (max, below) = (autoscaler(5, "True", ""), autoscaler(4, "True", ""));
    let story = Timeline::begin().apply(&max).at("29m").apply(&below).at("31m").apply(&max);
    story.at("3h").expect(&["1h1m warning hpa_at_max HorizontalPodAutoscaler/web AtMaximum"]);
}

#[test]
fn losing_its_metrics_does_not_end_what_was_told_of_its_maximum() {
    let story = Timeline::begin().apply(&autoscaler(5, "True", ""));
    let story = story.at("1h").expect(&["30m warning hpa_at_max HorizontalPodAutoscaler/web AtMaximum"]);
    let story = story.apply(&autoscaler(5, "False", "FailedGetResourceMetric"));
    story.at("3h").expect(&["1h warning hpa_at_max HorizontalPodAutoscaler/web FailedGetResourceMetric"]);
}
