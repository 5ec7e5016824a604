//! What is explained by something else is not told by itself, but counted there.

use super::*;
use kpulse_core::policy::Reason;
use kpulse_core::{Kind, ObjectRef};
use kpulse_testkit::builders::{daemon_set, node, rollout};
use kpulse_testkit::timeline::now;

fn of_node(index: usize) -> PodBuilder {
    pod_of(if index < 15 { "api" } else { "web" }, index).node("worker-1").running(now("-1h"))
}

#[test]
fn a_node_that_dies_is_one_alert_that_counts_its_pods() {
    let worker = node("worker-1", now("-9h"));
    let mut story = Timeline::begin().apply(&worker.clone().json());
    for index in 0..30 {
        story = story.apply(&of_node(index).json());
    }
    let agent = daemon_set("shop", "agent", 3, now("-9h"));
    let mut story = story.apply(&agent.json()).apply(&worker.clone().silent(now("0s")).json());
    for index in 0..30 {
        story = story.apply(&of_node(index).lost().json());
    }
    let agent_pod = pod("shop", "agent-1").uid("agent-1").of("DaemonSet", "agent").node("worker-1").running(now("-1h"));
    story = story.apply(&agent_pod.lost().json()).apply(&agent.rolling(1, 3, 3, 2, now("0s")).json());
    let story = story.at("30m").expect(&["5m critical node_conditions Node/worker-1 NotReady"]);
    let explained = story.engine().reasons(now("30m"));
    assert!(
        explained.iter().any(|(group, _, reason)| {
            &*group.workload.name == "agent"
                && matches!(reason, Reason::Inhibited { by } if by.object == ObjectRef::new(Kind::Node, "", "worker-1"))
        }),
        "{explained:?}"
    );
    // It comes back: what stays broken is told then.
    let mut story = story.apply(&worker.json()).expect(&["30m recovered node_conditions Node/worker-1"]);
    for index in 0..30 {
        let pod = of_node(index);
        story = story.apply(&if index == 3 { pod.crash_looping(3, now("30m")).json() } else { pod.json() });
    }
    story.at("35m").expect(&[
        "30m critical pod_crashes Pod/api-x-3 CrashLoopBackOff",
        "31m warning daemonset_unscheduled DaemonSet/agent NotReady",
    ]);
}

#[test]
fn the_alert_of_a_node_says_what_it_holds_back() {
    let worker = node("worker-1", now("-9h"));
    let mut engine_story = Timeline::begin().apply(&worker.clone().silent(now("0s")).json());
    for index in 0..30 {
        engine_story = engine_story.apply(&of_node(index).lost().json());
    }
    let causes = engine_story.at("5m").causes();
    assert!(causes[0].contains("held back while this lasts: 30 Pods"), "{causes:?}");
}

#[test]
fn a_rollout_that_is_stuck_because_its_pods_crash_is_told_once() {
    let stuck = rollout("shop", "api", 3, now("-9h")).rolling(2, 3, 1, 2, now("0s"));
    Timeline::begin()
        .apply(&stuck.json())
        .apply(&crashing("api", 0, "0s"))
        .at("1h")
        .expect(&["0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff"])
        // The Pod is well, the rollout is not: now it is told.
        .apply(&well("api", 0))
        .at("9h")
        .expect(&["1h2m recovered pod_crashes Pod/api-x-0", "1h3m warning rollout_stuck Deployment/api RolloutStuck"]);
}

#[test]
fn what_the_user_does_not_want_to_hear_explains_nothing() {
    let stuck = rollout("shop", "api", 3, now("-9h")).rolling(2, 3, 1, 2, now("0s"));
    let mut pod = crashing("api", 0, "0s");
    pod["metadata"]["annotations"] = json!({"kpulse.io/ignore": "pod_crashes"});
    let story = Timeline::begin().apply(&stuck.json()).apply(&pod).at("1h");
    story.expect(&["15m warning rollout_stuck Deployment/api RolloutStuck"]);
}

#[test]
fn an_event_about_a_pod_that_waits_its_grace_is_not_told() {
    let pending = pod_of("api", 0).unschedulable(now("0s"), "0/3 nodes are available").json();
    let event = json!({"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "type": "Warning",
        "reason": "FailedScheduling", "message": "0/3 nodes are available", "count": 1,
        "lastTimestamp": "2026-11-22T17:00:00Z",
        "involvedObject": {"kind": "Pod", "name": "api-x-0", "namespace": "shop"}});
    let story = Timeline::begin().apply(&pending).apply(&event).at("1m").expect_nothing();
    story.at("9h").expect(&["2m critical pod_crashes Pod/api-x-0 FailedScheduling"]);
}

#[test]
fn an_eviction_is_explained_by_the_pressure_on_its_node() {
    let short = node("worker-1", now("-9h")).short_of("DiskPressure", now("0s"));
    let evicted = pod_of("api", 0).node("worker-1").evicted("The node was low on resource: ephemeral-storage");
    Timeline::begin()
        .apply(&short.json())
        .apply(&evicted.json())
        .at("1h")
        .expect(&["0s critical node_conditions Node/worker-1 DiskPressure"]);
}

#[test]
fn explain_says_all_of_it() {
    let stuck = rollout("shop", "api", 3, now("-9h")).rolling(2, 3, 1, 2, now("0s"));
    let story = Timeline::begin().apply(&stuck.json()).apply(&crashing("api", 0, "0s")).at("1h");
    let deployment = ObjectRef::new(Kind::Deployment, "shop", "api");
    let explained = story.engine().explain(now("1h"), &deployment);
    assert_eq!(explained.looks.len(), 1);
    assert!(matches!(&explained.troubles[0].held, Some(Reason::Inhibited { .. })));
    let pod = story.engine().explain(now("1h"), &ObjectRef::new(Kind::Pod, "shop", "api-x-0"));
    let trouble = &pod.troubles[0];
    assert_eq!((trouble.phase, &*trouble.reason), ("firing", "CrashLoopBackOff"));
    let place = &trouble.places[0];
    assert_eq!((&*place.channel, &place.next), ("chat", &Err(Reason::Told)));
    assert_eq!(place.told.as_ref().map(|told| told.at), Some(now("0s")));
}
