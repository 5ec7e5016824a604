//! Nodes that speak, are drained, rebooted and taken away.

use kpulse_testkit::builders::{Death, NodeBuilder, PodBuilder, daemon_set, node, pod, rollout};
use serde_json::{Value, json};

use crate::scene::{Scene, at, second};

fn worker(index: i32) -> NodeBuilder {
    node(&format!("worker-{index}"), at("-48h"))
}

fn web(index: i32, name: &str) -> PodBuilder {
    let name = format!("web-1-{name}");
    pod("shop", &name).uid(&name).of_deployment("web", "1").node(&format!("worker-{index}"))
}

/// Two may be away.
fn budget(allowed: i32) -> Value {
    json!({
        "kind": "PodDisruptionBudget", "metadata": { "namespace": "shop", "name": "web", "uid": "b1", "generation": 1 },
        "spec": { "selector": { "matchLabels": { "app": "web" } } },
        "status": { "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1 + allowed,
            "desiredHealthy": 1, "expectedPods": 2 },
    })
}

/// A Pod is evicted from a node, ends, and another takes its place after a while.
fn moves(scene: Scene, old: &PodBuilder, new: &PodBuilder, from: i64) -> Scene {
    let deployment = |ready| rollout("shop", "web", 2, at("-48h")).rolling(1, 2, 2, ready, at("-48h")).json();
    let evicted = old.clone().disrupted("EvictionByEvictionAPI").deleting(second(from + 30));
    let killed = evicted.clone().ended(0, Death::Exit(137), second(from + 30));
    let new = new.clone().created(second(from + 1));
    let scene = scene.at(second(from)).apply(evicted.json()).apply(deployment(1)).apply(budget(0));
    let scene = scene.at(second(from + 1)).apply(new.clone().unschedulable(second(from + 1), "0/2 nodes").json());
    let scene = scene.at(second(from + 15)).apply(new.json());
    let scene = scene.at(second(from + 30)).apply(killed.json());
    let scene = scene.at(second(from + 31)).delete(killed.json());
    let scene = scene.at(second(from + 45)).apply(new.running(second(from + 45)).json());
    scene.apply(deployment(2)).apply(budget(1))
}

#[test]
fn nodes_say_that_they_are_there() {
    let mut scene = Scene::default();
    for minute in 0..60 {
        let now = second(minute * 60);
        scene = scene.at(now).apply(worker(1).heartbeat(now).json()).apply(worker(2).heartbeat(now).json());
    }
    scene.stays_silent();
}

#[test]
fn a_node_is_drained_rebooted_and_used_again() {
    let scene = Scene::default().apply(worker(1).json()).apply(worker(2).json()).apply(budget(1));
    let scene = scene.apply(rollout("shop", "web", 2, at("-48h")).json());
    let (first, second_pod) = (web(1, "a").running(at("-48h")), web(1, "b").running(at("-48h")));
    let scene = scene.apply(first.json()).apply(second_pod.json());
    let scene = scene.at(second(60)).apply(worker(1).cordoned().json());
    let scene = moves(scene, &first, &web(2, "c"), 70);
    let scene = moves(scene, &second_pod, &web(2, "d"), 140);
    let scene = scene.at(second(300)).apply(worker(1).cordoned().not_ready(second(300)).json());
    let scene = scene.at(second(340)).apply(worker(1).cordoned().silent(second(340)).json());
    let scene = scene.at(second(600)).apply(worker(1).cordoned().not_ready(second(600)).json());
    let scene = scene.at(second(605)).apply(worker(1).cordoned().json());
    scene.at(second(660)).apply(worker(1).json()).stays_silent();
}

#[test]
fn a_node_reboots_within_its_grace() {
    let scene = Scene::default().apply(worker(1).json());
    let scene = scene.at(second(60)).apply(worker(1).silent(second(60)).json());
    let scene = scene.at(second(230)).apply(worker(1).not_ready(second(230)).json());
    scene.at(second(240)).apply(worker(1).json()).stays_silent();
}

#[test]
fn a_node_is_scaled_away() {
    const TAINT: &str = "ToBeDeletedByClusterAutoscaler";
    let agents = |count| daemon_set("shop", "agent", count, at("-48h"));
    let agent = pod("shop", "agent-1").uid("agent-1").of("DaemonSet", "agent").running(at("-48h"));
    let first = web(1, "a").running(at("-48h"));
    let scene = Scene::default().apply(worker(1).json()).apply(worker(2).json()).apply(budget(1));
    let scene = scene.apply(agents(2).json()).apply(agent.json()).apply(first.json());
    let scene = scene.apply(rollout("shop", "web", 2, at("-48h")).json());
    let going = worker(1).cordoned().tainted(TAINT);
    let scene = scene.at(second(60)).apply(going.json());
    let scene = moves(scene, &first, &web(2, "c"), 70);
    let scene = scene.at(second(180)).apply(going.clone().silent(second(180)).json());
    // Nobody is left who could say that the agent's containers ended; the node's deletion does.
    let lost = agent.deleting(second(240));
    let scene = scene.at(second(210)).apply(lost.json()).apply(agents(2).rolling(1, 2, 2, 1, at("-48h")).json());
    let scene = scene.at(second(700)).delete(going.json()).delete(lost.json());
    scene.apply(agents(1).json()).stays_silent();
}

#[test]
fn a_node_that_ran_on_spare_capacity_is_taken_back() {
    for taint in ["karpenter.sh/disrupted", "node.cloudprovider.kubernetes.io/shutdown"] {
        let scene = Scene::default().apply(worker(1).json());
        let scene = scene.at(second(60)).apply(worker(1).tainted(taint).json());
        let scene = scene.at(second(90)).apply(worker(1).tainted(taint).silent(second(90)).json());
        scene.at(second(900)).delete(worker(1).json()).stays_silent();
    }
}
