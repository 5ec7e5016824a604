//! How lists are asked for and read.

use kpulse_core::Name;
use kpulse_testkit::cluster::{ClusterSettings, Fault, StreamingLists};

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_there_is_listed_and_then_followed() {
    for settings in [streaming(), paged()] {
        let cluster = cluster_of(&["a", "b"]);
        let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], settings).await;
        assert_eq!(eyes.until("listed pods").await, ["listing pods", "a", "b"]);
        cluster.apply(pod("c")).unwrap();
        cluster.patch("Pod", "shop", "a", json!({ "status": { "phase": "Failed" } })).unwrap();
        cluster.delete("Pod", "shop", "b").unwrap();
        assert_eq!(eyes.next().await, "c");
        assert_eq!(eyes.next().await, "a");
        assert_eq!(eyes.next().await, "deleted b uid-of-b");
    }
}

#[tokio::test(start_paused = true)]
async fn every_resource_is_listed_where_it_is_asked_for() {
    let cluster = FakeCluster::new();
    let scopes: Vec<Scope> = Resource::ALL.map(Scope::cluster).to_vec();
    let mut eyes = open(&cluster, &scopes, streaming()).await;
    let seen = eyes.during(MINUTE).await;
    for scope in &scopes {
        assert!(seen.contains(&format!("listed {scope}")), "{scope} of {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespaced_scope_asks_in_its_namespace_only() {
    let cluster = cluster_of(&["a"]);
    let scope = Scope { resource: Resource::Pods, namespace: Some(Name::from("other")) };
    let mut eyes = open(&cluster, &[scope], streaming()).await;
    assert_eq!(eyes.until("listed pods in other").await, ["listing pods in other"]);
    assert!(cluster.requests().iter().all(|request| request.namespace == "other"));
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_in_pages() {
    let names: Vec<String> = (0..600).map(|number| format!("pod-{number:03}")).collect();
    let cluster = cluster_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    assert_eq!(eyes.until("listed pods").await.len(), 1 + 600);
    assert_eq!(cluster.requests().verb("list").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_streaming_lists_gets_pages() {
    let cluster =
        FakeCluster::with(ClusterSettings { streaming_lists: StreamingLists::Refused, ..ClusterSettings::default() });
    cluster.apply(pod("a")).unwrap();
    let settings = streaming();
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], settings.clone()).await;
    assert_eq!(eyes.until("listed pods").await, ["listing pods", "a"]);

    // What one session learned the others know, and a new list does not ask again.
    let mut others = open(&cluster, &[Scope::cluster(Resource::Jobs)], settings).await;
    others.until("listed jobs").await;
    cluster.compact();
    cluster.close_watches();
    eyes.during(5 * MINUTE).await;
    let probes = cluster.requests().filter(|request| request.query.contains("sendInitialEvents"));
    assert_eq!(probes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_that_never_ends_is_given_up_for_pages() {
    let cluster = cluster_of(&["a", "b"]);
    // As from a server that knows nothing of streaming lists: it sends what is there and then only what changes.
    cluster.inject(Fault::watch(kpulse_testkit::cluster::Disturbance::Stall).after_events(2).on("watch", "pods"));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], streaming()).await;
    assert_eq!(eyes.until("listed pods").await, ["listing pods", "a", "b", "listing pods", "a", "b"]);
    assert_eq!(cluster.requests().verb("list").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_odd_object_does_not_fail_its_page() {
    for settings in [streaming(), paged()] {
        let cluster = cluster_of(&["a", "z"]);
        let odd = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "namespace": "shop", "name": "odd", "labels": [1], "ownerReferences": {} },
            "spec": { "containers": "none" }, "status": [null],
        });
        cluster.apply(odd).unwrap();
        let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], settings).await;
        assert_eq!(eyes.until("listed pods").await, ["listing pods", "a", "odd", "z"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_no_object_does_not_fail_its_page() {
    let cluster = FakeCluster::new();
    let page = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},
        "items":[7, null, {"metadata":{"name":"a"}}, {}, "x"]}"#;
    cluster.inject(Fault::status(200).body(page).on("list", "pods"));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    assert_eq!(eyes.until("listed pods").await, ["listing pods", "a"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_three_list_at_once() {
    let cluster = FakeCluster::new();
    for resource in ["pods", "namespaces", "deployments"] {
        cluster.inject(Fault::hang(30 * SECOND).on("list", resource));
    }
    let resources = [Resource::Pods, Resource::Namespaces, Resource::Deployments, Resource::Jobs, Resource::CronJobs];
    let mut eyes = open(&cluster, &resources.map(Scope::cluster), paged()).await;
    assert_eq!(eyes.during(20 * SECOND).await, Vec::<String>::new());
    assert_eq!(cluster.requests().verb("list").len(), 3);
    assert_eq!(eyes.during(20 * SECOND).await.len(), 2 * resources.len());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hangs_lets_the_others_go_on() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::hang(60 * MINUTE).on("list", "pods").always());
    let settings = SessionSettings { lists: Lists::at_most(1).paged(), ..streaming() };
    let mut eyes = open(&cluster, &[Resource::Pods, Resource::Jobs].map(Scope::cluster), settings).await;
    assert_eq!(
        eyes.until("listed jobs").await,
        ["away pods: the API server is silent: no answer within 75 s", "listing jobs"]
    );
}
