//! Autoscalers that scale up and down, Pods that wait for a node, claims that wait for their volume.

use kpulse_testkit::builders::{autoscaler, bound_claim, pending_claim, pod, rollout};
use serde_json::json;

use crate::scene::{Scene, at, second};

#[test]
fn an_autoscaler_scales_up_to_its_maximum_and_down_again() {
    let mut scene = Scene::default();
    let wants = [(0, 2), (60, 5), (180, 8), (300, 10), (1_900, 7), (2_500, 3), (2_900, 2)];
    for (generation, (now, replicas)) in (1..).zip(wants) {
        let web = |since| rollout("shop", "web", replicas, since);
        let (scaled, ready) = (second(now), second(now + 40));
        scene = scene.at(scaled).apply(autoscaler("shop", "web", (2, 10), replicas, at("-48h")));
        scene = scene.apply(web(at("-48h")).rolling(generation, replicas, replicas, replicas / 2, at("-48h")).json());
        scene = scene.at(ready);
        scene = scene.apply(web(at("-48h")).rolling(generation, replicas, replicas, replicas, at("-48h")).json());
    }
    scene.stays_silent();
}

#[test]
fn a_new_autoscaler_has_not_read_its_metrics_yet() {
    let mut new = autoscaler("shop", "web", (2, 10), 0, at("0s"));
    new["status"]["conditions"] = json!([
        { "type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics",
          "lastTransitionTime": at("0s") },
    ]);
    let scene = Scene::default().apply(new).at(second(600));
    scene.apply(autoscaler("shop", "web", (2, 10), 3, second(600))).stays_silent();
}

#[test]
fn a_pod_waits_ninety_seconds_for_a_node() {
    let web = pod("shop", "web-1-a").uid("a").of_deployment("web", "1").created(at("0s"));
    let deployment = |ready| rollout("shop", "web", 1, at("0s")).rolling(1, 1, 1, ready, at("0s")).json();
    let waits = web.clone().unschedulable(at("0s"), "0/3 nodes are available: 3 Insufficient cpu.");
    let scene = Scene::default().apply(deployment(0)).apply(waits.json());
    let scene = scene.at(second(90)).apply(web.json());
    scene.at(second(110)).apply(web.running(second(110)).json()).apply(deployment(1)).stays_silent();
}

#[test]
fn a_pod_waits_nine_minutes_for_a_node_that_is_being_made_for_it() {
    let web = pod("shop", "web").uid("a").created(at("0s"));
    let coming = json!({ "kind": "Event", "type": "Normal", "reason": "TriggeredScaleUp",
        "metadata": { "namespace": "shop", "name": "web.1", "uid": "e1" },
        "message": "pod triggered scale-up: [{pool 1->2 (max: 5)}]",
        "involvedObject": { "kind": "Pod", "namespace": "shop", "name": "web", "uid": "a" } });
    let waits = web.clone().unschedulable(at("0s"), "0/3 nodes are available: 3 Insufficient cpu.");
    // What is preempted for it names it as well, for who has not heard of the Event.
    let mut nominated = waits.json();
    nominated["status"]["nominatedNodeName"] = "worker-4".into();
    let scene = Scene::default().apply(coming).apply(nominated);
    let scene = scene.at(second(540)).apply(web.json());
    scene.at(second(560)).apply(web.running(second(560)).json()).stays_silent();
}

#[test]
fn a_claim_is_bound_after_twenty_seconds() {
    let scene = Scene::default().apply(pending_claim("shop", "data", "ebs.csi.example.com", at("0s")));
    let db = pod("shop", "db-0").uid("db-0").of("StatefulSet", "db").created(at("0s"));
    let waits = db.clone().unschedulable(at("0s"), "pod has unbound immediate PersistentVolumeClaims");
    let scene = scene.apply(waits.json());
    let scene = scene.at(second(20)).apply(bound_claim("shop", "data", "ebs.csi.example.com", at("0s")));
    let scene = scene.at(second(21)).apply(db.json());
    scene.at(second(60)).apply(db.running(second(60)).json()).stays_silent();
}

#[test]
fn a_claim_waits_for_ever_for_its_first_consumer() {
    let mut claim = pending_claim("shop", "data", "", at("-48h"));
    claim["metadata"]["annotations"] = json!({});
    Scene::default().apply(claim).stays_silent();
}
