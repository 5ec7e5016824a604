//! Whatever comes in, the server answers and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use kpulse_testkit::cluster::{Denial, FakeCluster};
use serde_json::json;
use tower::ServiceExt;

const PATHS: &[&str] = &[
    "/",
    "//",
    "/api/v1/",
    "/apis/apps",
    "/apis/apps/v2/deployments",
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/pods/web",
    "/api/v1/namespaces/shop/pods/web/status",
    "/api/v1/namespaces/shop/pods/web/log?tailLines=-1",
    "/api/v1/namespaces/shop/pods/web/log?limitBytes=99999999999&container=",
    "/api/v1/namespaces/shop/pods/web/odd/and/more",
    "/api/v1/namespaces/shop/pods/%FF%00?watch=maybe",
    "/api/v1/namespaces/shop/nodes/a",
    "/api/v1/nodes/a/proxy/stats/summary",
    "/api/v1/pods?limit=1&continue=odd",
    "/api/v1/pods?limit=-1",
    "/api/v1/pods?limit=18446744073709551615&resourceVersion=18446744073709551615",
    "/api/v1/pods?resourceVersion=odd",
    "/api/v1/pods?resourceVersion=1&resourceVersionMatch=Exact",
    "/api/v1/pods?labelSelector=a+in+(b&fieldSelector=x",
    "/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion=18446744073709551615",
    "/api/v1/pods?watch=1&timeoutSeconds=18446744073709551615&sendInitialEvents=odd",
    "/apis/events.k8s.io/v1/namespaces/shop/events/e",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/odd",
];

const BODIES: &[&str] = &[
    "",
    "null",
    "[]",
    "7",
    "\"text\"",
    "{",
    "{}",
    "a: [",
    "{\"metadata\": 7}",
    "{\"metadata\": {\"name\": 7, \"namespace\": {}, \"labels\": [], \"finalizers\": \"a\"}}",
    "{\"metadata\": {\"name\": \"web\", \"resourceVersion\": 9, \"uid\": []}, \"spec\": null, \"status\": 7}",
    "{\"spec\": {\"containers\": {\"$patch\": \"odd\"}, \"$retainKeys\": 7}}",
    "{\"preconditions\": 7, \"gracePeriodSeconds\": -1, \"dryRun\": \"All\"}",
    "[{\"op\": \"replace\", \"path\": \"\", \"value\": 7}]",
    "[{\"op\": \"remove\", \"path\": \"/metadata\"}]",
];

const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "odd",
];

#[tokio::test(start_paused = true)]
async fn nothing_brings_it_down() {
    let cluster = FakeCluster::new();
    let service = cluster.service::<Body>();
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ODD"];
    for path in PATHS {
        for body in BODIES {
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "web"}});
            cluster.apply(pod).unwrap();
            for content_type in CONTENT_TYPES {
                for method in methods {
                    let request = Request::builder().method(method).uri(*path).header("content-type", *content_type);
                    let request = request.body(Body::from(*body)).unwrap();
                    let response = service.clone().oneshot(request).await.unwrap();
                    assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{method} {path} {body}");
                    to_bytes(response.into_body(), usize::MAX).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn the_hand_of_the_test_is_told_what_is_odd() {
    let cluster = FakeCluster::new();
    for odd in [
        json!(7),
        json!({}),
        json!({ "kind": "Pod" }),
        json!({ "kind": "Pod", "metadata": { "name": "A_B" } }),
        json!({ "apiVersion": "v7", "kind": "Pod", "metadata": { "name": "a" } }),
    ] {
        cluster.apply(odd).unwrap_err();
    }
    assert_eq!(cluster.patch("Pod", "shop", "none", json!({})).unwrap_err().code, 404);
    assert_eq!(cluster.delete("Pod", "shop", "none").unwrap_err().code, 404);
    assert_eq!(cluster.delete("Nothing", "", "none").unwrap_err().code, 400);
    assert!(cluster.get("Nothing", "", "none").is_none());
    assert!(cluster.list("Nothing").is_empty());
    cluster.allow(Denial::of("never", "forbidden"));
    cluster.show_group("never hidden");
}
