//! What goes wrong on demand, in process and over TCP.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Node, Pod};
use kpulse_testkit::cluster::{ClusterSettings, Disturbance, FakeCluster, Fault};
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;

fn mk_pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "namespace": "shop", "name": name },
        "spec": { "containers": [{ "name": "main" }] },
    })
}

fn client(cluster: &FakeCluster) -> Client {
    Client::new(cluster.service(), "default")
}

fn pods(cluster: &FakeCluster) -> Api<Pod> {
    Api::all(client(cluster))
}

/// A client over TCP that does not try again by itself.
fn over_tcp(url: &str) -> Client {
    let mut config = Config::new(url.parse().unwrap());
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_next_requests_fail_and_the_one_after_is_well() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(503).on("list", "pods").times(2));
    let nodes: Api<Node> = Api::all(client(&cluster));
    nodes.list(&ListParams::default()).await.unwrap();
    for _ in 0..2 {
        let error = pods(&cluster).list(&ListParams::default()).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.code == 503));
    }
    pods(&cluster).list(&ListParams::default()).await.unwrap();
    assert_eq!(cluster.pending_faults(), 0);
    assert_eq!(cluster.requests().status(503).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_second_page_fails() {
    let cluster = FakeCluster::new();
    for name in ["a", "b", "c"] {
        cluster.apply(mk_pod(name)).unwrap();
    }
    cluster.inject(Fault::status(500).on("list", "pods").skipping(1));
    let first = pods(&cluster).list(&ListParams::default().limit(2)).await.unwrap();
    let second = ListParams::default().limit(2).continue_token(&first.metadata.continue_.unwrap());
    pods(&cluster).list(&second).await.unwrap_err();
    assert_eq!(pods(&cluster).list(&second).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_when_to_come_again() {
    let cluster = FakeCluster::new();
    let fault = Fault::status(429).retry_after(Duration::from_millis(1500)).body("slow down").on_path("/version");
    cluster.inject(fault);
    let mut service = cluster.service::<axum::body::Body>();
    let request = http::Request::get("/version").body(axum::body::Body::empty()).unwrap();
    let response = tower::Service::call(&mut service, request).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "2");
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(body, "slow down");
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_late() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::hang(Duration::from_secs(40)).on("list", "*"));
    let started = Instant::now();
    pods(&cluster).list(&ListParams::default()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_without_an_answer() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::disconnect());
    let error = pods(&cluster).list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(error, kube::Error::Service(_)), "{error:?}");
    pods(&cluster).list(&ListParams::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_always_and_be_cleared() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(401).always());
    for _ in 0..3 {
        pods(&cluster).list(&ListParams::default()).await.unwrap_err();
    }
    cluster.clear_faults();
    pods(&cluster).list(&ListParams::default()).await.unwrap();
}

/// What a watch gives within a minute after three Pods appear, while the disturbance spoils it.
async fn disturbed(disturbance: Disturbance) -> String {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::watch(disturbance).after_events(1));
    let params = WatchParams::default().timeout(30).disable_bookmarks();
    let mut events = pin!(pods(&cluster).watch(&params, "1").await.unwrap());
    for name in ["a", "b", "c"] {
        cluster.apply(mk_pod(name)).unwrap();
    }
    let mut seen = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_secs(60), events.next()).await {
            Ok(Some(Ok(WatchEvent::Added(pod)))) => seen.push(pod.name_any()),
            Ok(Some(Ok(WatchEvent::Error(status)))) => seen.push(status.code.to_string()),
            Ok(Some(Ok(other))) => seen.push(format!("{other:?}")),
            Ok(Some(Err(_))) => seen.push("broken".to_owned()),
            Ok(None) => {
                seen.push("end".to_owned());
                return seen.join(" ");
            }
            Err(_) => {
                seen.push("silence".to_owned());
                return seen.join(" ");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn watches_are_spoilt_in_every_way() {
    assert_eq!(disturbed(Disturbance::Stall).await, "a silence");
    assert_eq!(disturbed(Disturbance::Duplicate).await, "a b b c c end");
    assert_eq!(disturbed(Disturbance::Swap).await, "a c b end");
    assert_eq!(disturbed(Disturbance::Error(410)).await, "a 410 end");
    assert_eq!(disturbed(Disturbance::Garbage("<html>".to_owned())).await, "a broken b c end");
    assert_eq!(disturbed(Disturbance::Truncate).await, "a broken end");
}

#[tokio::test(start_paused = true)]
async fn open_watches_can_be_silenced_broken_and_ended() {
    let cluster = FakeCluster::new();
    let pods = pods(&cluster);
    let params = WatchParams::default().timeout(30);
    let mut silent = pin!(pods.watch(&params, "1").await.unwrap());
    cluster.stall_watches_of("pods");
    assert!(tokio::time::timeout(Duration::from_secs(300), silent.next()).await.is_err());
    let mut broken = pin!(pods.watch(&params, "1").await.unwrap());
    assert_eq!(cluster.open_watches("pods"), 2);
    cluster.close_watches_of("nodes");
    cluster.cut_watches_of("pods");
    broken.try_next().await.unwrap_err();
    silent.try_next().await.unwrap_err();
    let mut ended = pin!(pods.watch(&params, "1").await.unwrap());
    cluster.close_watches();
    assert!(ended.next().await.is_none());
}

#[tokio::test]
async fn over_tcp_it_is_the_same_server() {
    let cluster = FakeCluster::new();
    cluster.apply(mk_pod("a")).unwrap();
    let server = cluster.serve().await.unwrap();
    let client = over_tcp(&server.url());
    let pods: Api<Pod> = Api::all(client);
    let listed = pods.list(&ListParams::default()).await.unwrap();
    assert_eq!(listed.items[0].name_any(), "a");

    let mut events = pin!(pods.watch(&WatchParams::default(), "0").await.unwrap());
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
    cluster.delete("Pod", "shop", "a").unwrap();
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Deleted(_))));

    cluster.inject(Fault::disconnect());
    let error = pods.list(&ListParams::default()).await.unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error:?}");
    pods.list(&ListParams::default()).await.unwrap();

    server.stop().await;
    assert!(!matches!(events.try_next().await, Ok(Some(_))));
    pods.list(&ListParams::default()).await.unwrap_err();
}

#[tokio::test]
async fn of_two_servers_on_one_cluster_one_can_be_parted_from_it() {
    let cluster = FakeCluster::new();
    let (here, there) = (cluster.serve().await.unwrap(), cluster.serve().await.unwrap());
    let (ours, theirs): (Api<Pod>, Api<Pod>) = (Api::all(over_tcp(&here.url())), Api::all(over_tcp(&there.url())));
    let mut events = pin!(ours.watch(&WatchParams::default(), "0").await.unwrap());
    here.part();
    cluster.apply(mk_pod("a")).unwrap();
    assert_eq!(theirs.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let all = ListParams::default();
    let silent = tokio::time::timeout(Duration::from_millis(200), async {
        tokio::select! {
            event = events.try_next() => panic!("{event:?} came through"),
            // Over a new connection.
            listed = ours.list(&all) => panic!("{listed:?} came through"),
        }
    });
    silent.await.unwrap_err();
    here.mend();
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
    assert_eq!(ours.list(&ListParams::default()).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn answers_are_dated_by_the_clusters_own_clock() {
    let epoch = Some("2026-11-22T17:00:00Z".parse().unwrap());
    let cluster = FakeCluster::with(ClusterSettings { epoch, ..ClusterSettings::default() });
    let dates = async || {
        let request = http::Request::get("/version").body(kube::client::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(cluster.service(), request).await.unwrap();
        response.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(dates().await, "Sun, 22 Nov 2026 17:00:00 GMT");
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(dates().await, "Sun, 22 Nov 2026 17:01:30 GMT");
}

#[tokio::test]
async fn a_server_comes_back_where_it_was() {
    let cluster = FakeCluster::new();
    let server = cluster.serve().await.unwrap();
    let (address, url) = (server.address(), server.url());
    let pods: Api<Pod> = Api::all(over_tcp(&url));
    pods.list(&ListParams::default()).await.unwrap();
    server.kill().await;
    pods.list(&ListParams::default()).await.unwrap_err();
    let _again = cluster.serve_on(address).await.unwrap();
    pods.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_kubeconfig_leads_to_the_server() {
    let server = FakeCluster::new().serve().await.unwrap();
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    assert_eq!(client.apiserver_version().await.unwrap().major, "1");
}
