//! How things stand, for whoever looks once: what lasts, what happened lately, what is not due yet, what is left alone.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use jiff::{SignedDuration, Timestamp};
use kpulse_core::facts::Facts;
use kpulse_core::settings::Settings;
use kpulse_core::{Course, Engine, EngineState, Kind, Observation, Standing};
use kpulse_testkit::builders::{Death, daemon_set, namespace, pod};
use kpulse_testkit::timeline::{clock, now};
use serde_json::{Value, json};

fn engine(settings: Settings, objects: &[Value]) -> Engine {
    // It began a while ago: what happened since then is news.
    let begun = now("0s").checked_sub(SignedDuration::from_mins(15)).unwrap();
    let mut engine = Engine::new(begun, settings, EngineState::quiet());
    for object in objects {
        let kind: Kind = serde_json::from_value(object["kind"].clone()).unwrap();
        let facts = Facts::from_json(kind, object.to_string().as_bytes()).unwrap();
        engine.observe(now("0s"), Observation::Applied(facts));
    }
    engine
}

fn line(Standing { report, what, course }: &Standing, now: Timestamp) -> String {
    let course = match course {
        Course::Lasts => "lasts".to_owned(),
        Course::Happened => "happened".to_owned(),
        Course::Pending { due_at } => format!("due in {}s", due_at.duration_since(now).as_secs()),
    };
    format!("{course}: {} {} [{what}]", report.severity, report.title)
}

#[track_caller]
fn check(objects: &[Value], expect: &[&str]) {
    let engine = engine(Settings::default(), objects);
    let standing = engine.standing(now("0s"), |_| true);
    assert_eq!(standing.iter().map(|standing| line(standing, now("0s"))).collect::<Vec<_>>(), expect);
}

fn crashing(name: &str) -> Value {
    pod("shop", name).uid(name).of_deployment("api", "x").container("api").ended(3, Death::Exit(1), now("0s")).json()
}

fn event(at: &str) -> Value {
    json!({"kind": "Event", "type": "Warning", "reason": "DNSConfigForming", "message": "too many", "lastTimestamp": clock(at),
        "metadata": {"name": "e1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web"}})
}

#[test]
fn what_is_broken_stands_by_workload() {
    check(
        &[crashing("api-x-1"), crashing("api-x-2")],
        &["lasts: critical shop/api: 2 Pods crash-looping [2 Pods crash-looping]"],
    );
}

#[test]
fn what_is_not_due_yet_stands_with_its_time() {
    check(
        &[pod("shop", "web").unschedulable(now("-30s"), "0/3 nodes are available").json()],
        &["due in 90s: critical shop/web: unschedulable [unschedulable]"],
    );
    check(
        &[daemon_set("shop", "agent", 3, now("-1h")).rolling(1, 3, 3, 1, now("-1h")).json()],
        &["due in 600s: warning shop/agent: not ready on all its nodes [not ready on all its nodes]"],
    );
}

#[test]
fn what_happened_lately_stands_apart() {
    check(&[event("-5m")], &["happened: info shop/web: DNSConfigForming [DNSConfigForming]"]);
    check(&[event("-20m")], &[]);
}

#[test]
fn only_what_is_wanted_stands() {
    let engine = engine(Settings::default(), &[crashing("api-x-1"), crashing("api-x-2")]);
    let standing = engine.standing(now("0s"), |alert| &*alert.key.object.name == "api-x-2");
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[0].report.title, "shop/api: 1 Pod crash-looping");
    assert_eq!(engine.standing(now("0s"), |_| false), []);
}

#[test]
fn what_is_left_alone_is_known_with_its_reason() {
    let ignored = pod("shop", "web").annotation("kpulse.io/ignore", "true").ended(3, Death::Exit(1), now("0s")).json();
    let excluded = pod("kube-public", "info").ended(3, Death::Exit(1), now("0s")).json();
    let mut doomed = namespace("old");
    doomed["metadata"]["deletionTimestamp"] = json!(clock("-1m"));
    let gone = pod("old", "web").ended(3, Death::Exit(1), now("0s")).json();
    let engine = engine(Settings::default(), &[ignored, excluded, doomed, gone]);
    let alone: Vec<String> = engine.unwatched().map(|(key, why)| format!("{} {why:?}", key.object)).collect();
    assert_eq!(alone, ["Pod/info Namespace", "Pod/web Annotation"]);
    assert_eq!(engine.standing(now("0s"), |_| true), []);
}
