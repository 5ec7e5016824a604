//! What is taken away or replaced on purpose: whole namespaces, and certificates.

use base64ct::{Base64, Encoding};
use kpulse_testkit::builders::{Death, job, namespace, pending_claim, pod, rollout, stateful_set};
use serde_json::{Value, json};

use crate::scene::{Scene, at, second};

#[test]
fn a_namespace_is_deleted_and_all_in_it_fails() {
    let going = terminating();
    let crashing = pod("shop", "api-1-a").uid("a").of_deployment("api", "1");
    let unset = pod("shop", "web-1-b").uid("b").of_deployment("web", "1").created(second(61));
    let unset = unset.waiting("CreateContainerConfigError", "secret \"web\" not found");
    let import = job("shop", "import", at("-1h"));
    let api = rollout("shop", "api", 2, at("-48h"));
    let db = stateful_set("shop", "db", 2, at("-48h"));
    let claim = pending_claim("shop", "data", "ebs.csi.example.com", second(62));
    let certificate = secret("garbage");

    let scene = Scene::default().apply(namespace("shop")).apply(api.json()).apply(db.json()).apply(import.json());
    let scene = scene.apply(crashing.clone().running(at("-48h")).json()).at(second(60)).apply(going.clone());
    let scene = scene.at(second(61)).apply(crashing.clone().ended(1, Death::Exit(1), second(61)).json());
    let scene = scene.apply(unset.json()).apply(import.clone().failed(second(62)).json());
    let scene = scene.apply(db.clone().rolling(1, 1, 1, 0, second(62)).json()).apply(certificate.clone());
    let scene = scene.at(second(62)).apply(claim.clone());
    let scene = scene.apply(api.clone().rolling(1, 1, 1, 0, second(62)).deadline_exceeded(second(62)).json());
    let scene = scene.at(second(90)).apply(crashing.clone().crash_looping(9, second(90)).json());
    let scene = scene.at(second(4_000)).delete(crashing.json()).delete(unset.json()).delete(import.json());
    let scene = scene.delete(claim).delete(certificate).delete(api.json()).delete(db.json());
    scene.at(second(4_001)).delete(going).stays_silent();
}

#[test]
fn what_was_not_due_when_its_namespace_was_deleted_is_never_told() {
    let web = pod("shop", "web").uid("web").unschedulable(at("0s"), "0/3 nodes are available");
    let stuck = rollout("shop", "web", 1, at("-48h")).rolling(2, 2, 1, 1, at("0s"));
    let scene = Scene::default().apply(namespace("shop")).apply(web.json()).apply(stuck.json());
    let going = terminating();
    let scene = scene.at(second(60)).apply(going.clone());
    // A finalizer holds it for a day.
    scene.at(second(86_400)).delete(web.json()).delete(stuck.json()).delete(going).stays_silent();
}

#[test]
fn a_certificate_is_renewed_weeks_before_its_end() {
    const RENEWED_AT: &str = "1200h";
    let scene = Scene::default().apply(secret(include_str!("../fixtures/tls/shop-renewed.pem")));
    scene.at(at(RENEWED_AT)).apply(secret(include_str!("../fixtures/tls/far.pem"))).stays_silent();
}

fn terminating() -> Value {
    let mut going = namespace("shop");
    going["metadata"]["deletionTimestamp"] = json!(at("60s"));
    going["status"]["phase"] = json!("Terminating");
    going
}

fn secret(pem: &str) -> Value {
    json!({ "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": "shop", "name": "web-tls", "uid": "web-tls" },
        "data": { "tls.crt": Base64::encode_string(pem.as_bytes()) } })
}
