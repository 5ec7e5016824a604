//! Rolling updates: old Pods end with exit 137, new ones take their time to be ready.

use kpulse_testkit::builders::{Death, PodBuilder, daemon_set, pod, rollout, stateful_set};
use serde_json::json;

use crate::scene::{Scene, at, second};

/// A Pod ends as one does that ignores SIGTERM, and is gone.
fn ends(scene: Scene, old: &PodBuilder, from: i64) -> Scene {
    let going = old.clone().deleting(second(from + 30));
    let killed = going.clone().ended(0, Death::Exit(137), second(from + 30));
    let scene = scene.at(second(from)).apply(going.json());
    let scene = scene.at(second(from + 30)).apply(killed.clone().json());
    scene.at(second(from + 31)).delete(killed.json())
}

/// A Pod is created, pulls its image, starts, fails its readiness probe for a while and is ready.
fn starts(scene: Scene, new: &PodBuilder, from: i64) -> Scene {
    let new = new.clone().created(second(from));
    let scene = scene.at(second(from)).apply(new.json());
    let scene = scene.at(second(from + 3)).apply(new.clone().waiting("ContainerCreating", "").json());
    let scene = scene.at(second(from + 20)).apply(new.clone().running(second(from + 20)).unready().json());
    let probe = json!({ "kind": "Event", "type": "Warning", "reason": "Unhealthy", "count": 1,
        "metadata": { "namespace": "shop", "name": format!("unhealthy-{from}"), "uid": format!("e{from}") },
        "firstTimestamp": second(from + 25), "lastTimestamp": second(from + 25),
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "involvedObject": { "kind": "Pod", "namespace": "shop", "name": "any" } });
    let scene = scene.at(second(from + 25)).apply(probe);
    scene.at(second(from + 50)).apply(new.running(second(from + 20)).json())
}

#[test]
fn a_deployment_rolls_out() {
    let web = || rollout("shop", "web", 3, at("-48h"));
    let of = |hash: &str, index: i64| {
        pod("shop", &format!("web-{hash}-{index}")).uid(&format!("{hash}-{index}")).of_deployment("web", hash)
    };
    let mut scene = Scene::default().apply(web().json());
    for index in 0..3 {
        scene = scene.apply(of("old", index).created(at("-48h")).running(at("-48h")).json());
    }
    scene = scene.at(second(60)).apply(web().changed(2).json()).apply(web().rolling(2, 3, 0, 3, second(60)).json());
    for index in 0..3 {
        let begin = 60 + i64::from(index) * 120;
        scene = scene.at(second(begin)).apply(web().rolling(2, 4, index + 1, 3, second(begin)).json());
        scene = starts(scene, &of("new", index.into()), begin);
        scene = scene.apply(web().rolling(2, 4, index + 1, 4, second(begin + 50)).json());
        scene = ends(scene, &of("old", index.into()).running(at("-48h")), begin + 51);
        scene = scene.apply(web().rolling(2, 3, index + 1, 3, second(begin + 51)).json());
    }
    scene.stays_silent();
}

#[test]
fn a_stateful_set_rolls_out() {
    let db = || stateful_set("shop", "db", 3, at("-48h"));
    let of = |index: i64, revision: &str| {
        let pod = pod("shop", &format!("db-{index}")).of("StatefulSet", "db");
        pod.uid(&format!("db-{index}-{revision}"))
    };
    let mut scene = Scene::default().apply(db().json());
    for index in 0..3 {
        scene = scene.apply(of(index, "old").running(at("-48h")).json());
    }
    scene = scene.at(second(60)).apply(db().changed(2).json());
    for (turn, index) in [2, 1, 0].into_iter().enumerate() {
        let (turn, begin) = (i32::try_from(turn).unwrap(), 60 + i64::try_from(turn).unwrap() * 200);
        scene = scene.at(second(begin)).apply(db().rolling(2, 3, turn, 2, second(begin)).json());
        scene = ends(scene, &of(index, "old").running(at("-48h")), begin);
        scene = starts(scene, &of(index, "new"), begin + 40);
        scene = scene.apply(db().rolling(2, 3, turn + 1, 3, second(begin + 90)).json());
    }
    scene.stays_silent();
}

#[test]
fn a_daemon_set_rolls_out() {
    let agent = || daemon_set("shop", "agent", 4, at("-48h"));
    let of = |index: i32, revision: &str| {
        let name = format!("agent-{revision}-{index}");
        pod("shop", &name).uid(&name).of("DaemonSet", "agent").node(&format!("worker-{index}"))
    };
    let mut scene = Scene::default().apply(agent().json());
    for index in 0..4 {
        scene = scene.apply(of(index, "old").running(at("-48h")).json());
    }
    scene = scene.at(second(60)).apply(agent().changed(2).json());
    for index in 0..4 {
        let begin = 60 + i64::from(index) * 150;
        scene = ends(scene, &of(index, "old").running(at("-48h")), begin);
        scene = scene.apply(agent().rolling(2, 3, index, 3, second(begin + 31)).json());
        scene = starts(scene, &of(index, "new"), begin + 35);
        scene = scene.apply(agent().rolling(2, 4, index + 1, 4, second(begin + 85)).json());
    }
    scene.stays_silent();
}

#[test]
fn an_image_takes_three_minutes_to_be_pulled() {
    let web = || rollout("shop", "web", 1, at("0s"));
    let new = pod("shop", "web-1-a").uid("a").of_deployment("web", "1").created(second(1));
    let scene = Scene::default().apply(web().rolling(1, 1, 1, 0, at("0s")).json());
    let scene = scene.at(second(1)).apply(new.json());
    let scene = scene.at(second(4)).apply(new.clone().waiting("ContainerCreating", "").json());
    let scene = scene.at(second(184)).apply(new.running(second(184)).json());
    scene.apply(web().rolling(1, 1, 1, 1, second(184)).json()).stays_silent();
}

#[test]
fn a_program_that_fails_once_and_then_runs_is_well() {
    let api = pod("shop", "api").uid("api").created(at("0s"));
    let scene = Scene::default().apply(api.json());
    let scene = scene.at(second(5)).apply(api.clone().running(second(5)).json());
    let scene = scene.at(second(8)).apply(api.clone().ended(0, Death::Exit(1), second(8)).json());
    scene.at(second(9)).apply(api.running_after(1, Death::Exit(1), second(9)).json()).stays_silent();
}
