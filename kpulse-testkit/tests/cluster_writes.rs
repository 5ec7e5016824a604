//! What a real client sees of creating, changing and deleting.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Node, Pod};
use kpulse_testkit::cluster::{ClusterSettings, FakeCluster, PodDeletion};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

fn client(cluster: &FakeCluster) -> Client {
    Client::new(cluster.service(), "default")
}

fn mk_pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "namespace": "shop", "name": name, "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "main", "image": "web:1" }], "nodeName": "node-a" },
        "status": { "phase": "Running" },
    })
}

fn with_pods(count: usize) -> FakeCluster {
    let cluster = FakeCluster::new();
    for number in 0..count {
        cluster.apply(mk_pod(&format!("web-{number:03}"))).unwrap();
    }
    cluster
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: kube::Result<T>, expect: u16, reason: &str) {
    match result {
        Err(kube::Error::Api(status)) => assert_eq!((status.code, status.reason.as_str()), (expect, reason)),
        other => panic!("expected {expect} {reason}, got {other:?}"),
    }
}

#[tokio::test]
async fn a_created_object_is_stamped() {
    let cluster = FakeCluster::new();
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let mut pod = mk_pod("ignored");
    pod["metadata"] = json!({ "generateName": "web-" });
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let one = pods.create(&PostParams::default(), &pod).await.unwrap();
    let two = pods.create(&PostParams::default(), &pod).await.unwrap();
    assert!(one.name_any().starts_with("web-") && one.name_any() != two.name_any());
    assert_ne!(one.uid(), two.uid());
    assert_eq!(one.metadata.generation, Some(1));
    assert!(one.creation_timestamp().is_some());
    let phase = one.status.clone().and_then(|status| status.phase);
    assert_eq!(phase.as_deref(), Some("Pending"), "the client's word on status does not count");

    let again: Pod = serde_json::from_value(json!({"metadata": {"name": one.name_any()}})).unwrap();
    check_refused(pods.create(&PostParams::default(), &again).await, 409, "AlreadyExists");
    let odd: Pod = serde_json::from_value(json!({"metadata": {"name": "No_Name"}})).unwrap();
    check_refused(pods.create(&PostParams::default(), &odd).await, 422, "Invalid");
}

#[tokio::test]
async fn the_second_of_two_writers_conflicts() {
    let cluster = FakeCluster::new();
    let leases: Api<Lease> = Api::namespaced(client(&cluster), "kpulse");
    let lease: Lease = serde_json::from_value(json!({
        "metadata": { "name": "leader" }, "spec": { "holderIdentity": "a" },
    }))
    .unwrap();
    let mine = leases.create(&PostParams::default(), &lease).await.unwrap();
    let mut theirs = mine.clone();
    theirs.spec.get_or_insert_default().holder_identity = Some("b".to_owned());
    let written = leases.replace("leader", &PostParams::default(), &theirs).await.unwrap();
    assert_eq!(written.metadata.generation, Some(2));
    check_refused(leases.replace("leader", &PostParams::default(), &mine).await, 409, "Conflict");
    assert_eq!(cluster.get("Lease", "kpulse", "leader").unwrap()["spec"]["holderIdentity"], "b");
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_no_change() {
    let cluster = with_pods(1);
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let before = cluster.resource_version();
    let pod = pods.get("web-000").await.unwrap();
    pods.replace("web-000", &PostParams::default(), &pod).await.unwrap();
    cluster.apply(mk_pod("web-000")).unwrap();
    assert_eq!(cluster.resource_version(), before);
}

#[tokio::test]
async fn status_and_spec_are_written_apart() {
    let cluster = FakeCluster::new();
    cluster
        .apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "namespace": "shop", "name": "web" },
            "spec": { "replicas": 2, "selector": {}, "template": {} },
            "status": { "replicas": 2 },
        }))
        .unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client(&cluster), "shop");
    let both = Patch::Merge(json!({ "spec": { "replicas": 3 }, "status": { "replicas": 9 } }));

    let main = deployments.patch("web", &PatchParams::default(), &both).await.unwrap();
    assert_eq!(main.spec.unwrap().replicas, Some(3));
    assert_eq!(main.status.unwrap().replicas, Some(2));
    assert_eq!(main.metadata.generation, Some(2));

    let spec_and_status = Patch::Merge(json!({ "spec": { "replicas": 7 }, "status": { "replicas": 3 } }));
    let status = deployments.patch_status("web", &PatchParams::default(), &spec_and_status).await.unwrap();
    assert_eq!(status.spec.clone().unwrap().replicas, Some(3));
    assert_eq!(status.status.clone().unwrap().replicas, Some(3));
    assert_eq!(status.metadata.generation, Some(2));

    let mut replaced = status;
    replaced.status.get_or_insert_default().replicas = Some(5);
    deployments.replace_status("web", &PostParams::default(), &replaced).await.unwrap();
    assert_eq!(deployments.get_status("web").await.unwrap().status.unwrap().replicas, Some(5));
}

#[tokio::test]
async fn every_kind_of_patch_is_taken() {
    let cluster = FakeCluster::new();
    let maps: Api<ConfigMap> = Api::namespaced(client(&cluster), "kpulse");
    let apply = Patch::Apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "state" }, "data": { "a": "1" },
    }));
    check_refused(maps.patch("state", &PatchParams::default(), &Patch::Merge(json!({}))).await, 404, "NotFound");
    maps.patch("state", &PatchParams::apply("test"), &apply).await.unwrap();

    let merge = Patch::Merge(json!({ "data": { "b": "2" } }));
    maps.patch("state", &PatchParams::default(), &merge).await.unwrap();
    maps.patch("state", &PatchParams::apply("test"), &apply).await.unwrap();
    let strategic = Patch::Strategic(json!({ "data": { "c": "3" } }));
    maps.patch("state", &PatchParams::default(), &strategic).await.unwrap();
    let data = cluster.get("ConfigMap", "kpulse", "state").unwrap()["data"].take();
    assert_eq!(data, json!({ "a": "1", "b": "2", "c": "3" }));

    let request = |content_type: &str, body: &str| {
        http::Request::patch("/api/v1/namespaces/kpulse/configmaps/state?fieldManager=test")
            .header("content-type", content_type)
            .body(body.as_bytes().to_vec())
            .unwrap()
    };
    let client = client(&cluster);
    let steps = request("application/json-patch+json", r#"[{"op":"remove","path":"/data/a"}]"#);
    let map: ConfigMap = client.request(steps).await.unwrap();
    assert_eq!(map.data.unwrap().len(), 2);
    let odd = client.request::<Value>(request("text/plain", "{}")).await;
    check_refused(odd, 415, "UnsupportedMediaType");
}

#[tokio::test]
async fn a_patch_may_carry_its_precondition() {
    let cluster = with_pods(1);
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let stale = Patch::Merge(json!({ "metadata": { "resourceVersion": "1", "labels": { "a": "b" } } }));
    check_refused(pods.patch("web-000", &PatchParams::default(), &stale).await, 409, "Conflict");
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let cluster = with_pods(1);
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let before = cluster.resource_version();
    let patch = Patch::Merge(json!({ "metadata": { "labels": { "a": "b" } } }));
    let patched = pods.patch("web-000", &PatchParams::default().dry_run(), &patch).await.unwrap();
    assert_eq!(patched.labels()["a"], "b");
    pods.delete("web-000", &DeleteParams::default().dry_run()).await.unwrap();
    assert_eq!(cluster.resource_version(), before);
}

#[tokio::test]
async fn preconditions_guard_a_deletion() {
    let cluster = with_pods(1);
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let wrong = Preconditions { uid: Some("another".to_owned()), resource_version: None };
    let guarded = DeleteParams { preconditions: Some(wrong), ..DeleteParams::default() };
    check_refused(pods.delete("web-000", &guarded).await, 409, "Conflict");
    let any = DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
    pods.delete("web-000", &any).await.unwrap();
    check_refused(pods.get("web-000").await, 404, "NotFound");
}

#[tokio::test]
async fn finalizers_hold_an_object() {
    let cluster = FakeCluster::new();
    let mut pod = mk_pod("web");
    pod["metadata"]["finalizers"] = json!(["example.com/hold"]);
    cluster.apply(pod).unwrap();
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let marked = pods.delete("web", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert!(marked.metadata.deletion_timestamp.is_some());
    assert!(cluster.get("Pod", "shop", "web").is_some());
    let free = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    pods.patch("web", &PatchParams::default(), &free).await.unwrap();
    assert!(cluster.get("Pod", "shop", "web").is_none());
}

#[tokio::test]
async fn a_pod_may_go_gracefully() {
    let cluster = FakeCluster::with(ClusterSettings { pod_deletion: PodDeletion::Graceful, ..Default::default() });
    cluster.apply(mk_pod("web")).unwrap();
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    let pod = pods.get("web").await.unwrap();
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(30));
    assert!(pod.metadata.deletion_timestamp.is_some());
    pods.delete("web", &DeleteParams::default().grace_period(0)).await.unwrap();
    check_refused(pods.get("web").await, 404, "NotFound");
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let cluster = with_pods(3);
    cluster.patch("Pod", "shop", "web-001", json!({"metadata": {"labels": {"app": "db"}}})).unwrap();
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let deleted =
        pods.delete_collection(&DeleteParams::default(), &ListParams::default().labels("app=web")).await.unwrap();
    assert_eq!(deleted.left().unwrap().items.len(), 2);
    assert_eq!(cluster.list("Pod").len(), 1);
}

#[tokio::test]
async fn a_namespace_takes_along_what_lives_in_it() {
    let cluster = with_pods(2);
    cluster.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).unwrap();
    let namespaces: Api<Namespace> = Api::all(client(&cluster));
    namespaces.delete("shop", &DeleteParams::default()).await.unwrap();
    assert!(cluster.list("Pod").is_empty());
}

#[tokio::test]
async fn events_of_both_groups_are_the_same() {
    let cluster = FakeCluster::new();
    let client = client(&cluster);
    let newer: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(client.clone(), "shop");
    let event = serde_json::from_value(json!({
        "metadata": { "name": "web.1" }, "regarding": { "kind": "Pod", "name": "web" },
        "note": "it broke", "reason": "Broken", "type": "Warning", "eventTime": null,
    }))
    .unwrap();
    newer.create(&PostParams::default(), &event).await.unwrap();
    let core: Api<Event> = Api::all(client);
    let of_web = ListParams::default().fields("involvedObject.name=web,type=Warning,reason=Broken");
    let listed = core.list(&of_web).await.unwrap();
    assert_eq!(listed.items[0].message.as_deref(), Some("it broke"));
    assert_eq!(newer.get("web.1").await.unwrap().note.as_deref(), Some("it broke"));
}

#[tokio::test]
async fn a_pod_of_another_uid_is_another_pod() {
    let cluster = FakeCluster::new();
    let first = cluster.apply(mk_pod("web")).unwrap();
    let mut reborn = mk_pod("web");
    reborn["metadata"]["uid"] = json!("11111111-1111-4111-8111-111111111111");
    let second = cluster.apply(reborn).unwrap();
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    let nodes: Api<Node> = Api::all(client(&cluster));
    assert!(nodes.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_event_is_patched_in_either_groups_names() {
    let cluster = FakeCluster::new();
    cluster
        .apply(json!({
            "apiVersion": "v1", "kind": "Event", "metadata": { "namespace": "shop", "name": "web.1" },
            "involvedObject": { "kind": "Pod", "name": "web" }, "message": "one",
        }))
        .unwrap();
    let newer: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(client(&cluster), "shop");
    newer.patch("web.1", &PatchParams::default(), &Patch::Merge(json!({ "note": "two" }))).await.unwrap();
    let core = cluster.get("Event", "shop", "web.1").unwrap();
    assert_eq!(core["message"], "two");
    assert!(core.get("note").is_none());
    assert_eq!(cluster.get("events.events.k8s.io", "shop", "web.1").unwrap()["note"], "two");
}

#[tokio::test]
async fn a_config_map_holds_one_mebibyte() {
    let cluster = FakeCluster::new();
    let maps: Api<ConfigMap> = Api::namespaced(client(&cluster), "kpulse");
    let map = |size: usize| -> ConfigMap {
        serde_json::from_value(json!({ "metadata": { "name": "state" }, "data": { "a": "x".repeat(size) } })).unwrap()
    };
    check_refused(maps.create(&PostParams::default(), &map(1024 * 1024 + 1)).await, 422, "Invalid");
    maps.create(&PostParams::default(), &map(1024 * 1024)).await.unwrap();
}
