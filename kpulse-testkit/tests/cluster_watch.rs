//! What a real watcher sees, on a paused clock: hours of watching take no time.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kpulse_testkit::cluster::{ClusterSettings, Expiry, FakeCluster, StreamingLists};
use kube::api::{Api, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;

fn mk_pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "namespace": "shop", "name": name, "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "main", "image": "web:1" }] },
        "status": { "phase": "Running" },
    })
}

fn pods(cluster: &FakeCluster) -> Api<Pod> {
    Api::all(Client::new(cluster.service(), "default"))
}

/// The next event, as one word and a name.
async fn next(events: &mut (impl Stream<Item = watcher::Result<Event<Pod>>> + Unpin)) -> String {
    match events.next().await.unwrap() {
        Ok(Event::Init) => "init".to_owned(),
        Ok(Event::InitApply(pod)) => format!("listed {}", pod.name_any()),
        Ok(Event::InitDone) => "init done".to_owned(),
        Ok(Event::Apply(pod)) => format!("applied {}", pod.name_any()),
        Ok(Event::Delete(pod)) => format!("deleted {}", pod.name_any()),
        Err(watcher::Error::WatchStartFailed(_)) => "start failed".to_owned(),
        Err(watcher::Error::WatchError(status)) => format!("error {}", status.code),
        Err(watcher::Error::WatchFailed(_)) => "broken".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

/// The event of a plain watch, as one word and a name.
fn word(event: WatchEvent<Pod>) -> String {
    match event {
        WatchEvent::Added(pod) => format!("added {}", pod.name_any()),
        WatchEvent::Modified(pod) => format!("modified {}", pod.name_any()),
        WatchEvent::Deleted(pod) => format!("deleted {}", pod.name_any()),
        WatchEvent::Bookmark(bookmark) => format!("bookmark {}", bookmark.metadata.resource_version),
        WatchEvent::Error(status) => format!("error {}", status.code),
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_lists_in_pages_and_follows() {
    let cluster = FakeCluster::new();
    for name in ["a", "b", "c"] {
        cluster.apply(mk_pod(name)).unwrap();
    }
    let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default().page_size(2)));
    for expect in ["init", "listed a", "listed b", "listed c", "init done"] {
        assert_eq!(next(&mut events).await, expect);
    }
    cluster.apply(mk_pod("d")).unwrap();
    cluster.patch("Pod", "shop", "a", json!({ "status": { "phase": "Failed" } })).unwrap();
    cluster.delete("Pod", "shop", "b").unwrap();
    for expect in ["applied d", "applied a", "deleted b"] {
        assert_eq!(next(&mut events).await, expect);
    }
    assert_eq!(cluster.requests().verb("list").len(), 2);
    assert_eq!(cluster.requests().verb("watch").resource("pods").status(200).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_ends_with_its_bookmark() {
    let cluster = FakeCluster::new();
    cluster.apply(mk_pod("a")).unwrap();
    let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default().streaming_lists()));
    for expect in ["init", "listed a", "init done"] {
        assert_eq!(next(&mut events).await, expect);
    }
    cluster.apply(mk_pod("b")).unwrap();
    assert_eq!(next(&mut events).await, "applied b");
    assert!(cluster.requests().verb("list").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_may_be_refused() {
    let cluster = FakeCluster::with(ClusterSettings { streaming_lists: StreamingLists::Refused, ..Default::default() });
    let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default().streaming_lists()));
    let refused = events.next().await.unwrap().unwrap_err();
    let watcher::Error::WatchStartFailed(kube::Error::Api(status)) = refused else { panic!("{refused:?}") };
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    assert!(status.message.contains(why), "{}", status.message);
}

#[tokio::test(start_paused = true)]
async fn hours_of_watching_take_no_time() {
    let cluster = FakeCluster::new();
    let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default().timeout(290)));
    for expect in ["init", "init done"] {
        assert_eq!(next(&mut events).await, expect);
    }
    let quiet = tokio::time::timeout(Duration::from_secs(3 * 3600), events.next()).await;
    assert!(quiet.is_err());
    let watches = cluster.requests().verb("watch").len();
    assert!((37..=39).contains(&watches), "one watch in 290 seconds, not {watches}");
}

#[tokio::test(start_paused = true)]
async fn an_expired_watch_is_told_by_status_or_by_event() {
    for (expiry, expect) in [(Expiry::Status, "start failed"), (Expiry::Event, "error 410")] {
        let cluster = FakeCluster::with(ClusterSettings { expiry, ..Default::default() });
        let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default()));
        for expect in ["init", "init done"] {
            assert_eq!(next(&mut events).await, expect);
        }
        let mut pending = pin!(next(&mut events));
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut pending).await.is_err());
        cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})).unwrap();
        cluster.compact();
        cluster.close_watches();
        assert_eq!(pending.await, expect);
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_watch_survives_compaction() {
    let cluster = FakeCluster::new();
    let mut events = pin!(watcher::watcher(pods(&cluster), watcher::Config::default()));
    for expect in ["init", "init done"] {
        assert_eq!(next(&mut events).await, expect);
    }
    let mut pending = pin!(next(&mut events));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut pending).await.is_err());
    cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})).unwrap();
    cluster.apply(mk_pod("a")).unwrap();
    cluster.compact();
    assert_eq!(pending.await, "applied a");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_behind_the_ring_has_expired() {
    let cluster = FakeCluster::with(ClusterSettings { history: 3, ..Default::default() });
    let mut events = pin!(pods(&cluster).watch(&WatchParams::default(), "1").await.unwrap());
    for number in 0..5 {
        cluster.apply(mk_pod(&format!("web-{number}"))).unwrap();
    }
    assert_eq!(word(events.try_next().await.unwrap().unwrap()), "error 410");
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn entering_and_leaving_a_selector_is_adding_and_deleting() {
    let cluster = FakeCluster::new();
    cluster.apply(mk_pod("a")).unwrap();
    let failed = WatchParams::default().fields("status.phase=Failed").disable_bookmarks();
    let mut events = pin!(pods(&cluster).watch(&failed, "0").await.unwrap());
    let phase = |phase: &str| {
        cluster.patch("Pod", "shop", "a", json!({ "status": { "phase": phase } })).unwrap();
    };
    phase("Failed");
    cluster.patch("Pod", "shop", "a", json!({ "status": { "reason": "Evicted" } })).unwrap();
    phase("Running");
    cluster.apply(mk_pod("never-failed")).unwrap();
    phase("Failed");
    cluster.delete("Pod", "shop", "a").unwrap();
    for expect in ["added a", "modified a", "deleted a", "added a", "deleted a"] {
        assert_eq!(word(events.try_next().await.unwrap().unwrap()), expect);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_after_its_revision() {
    let cluster = FakeCluster::new();
    cluster.apply(mk_pod("a")).unwrap();
    let from = cluster.resource_version().to_string();
    cluster.apply(mk_pod("b")).unwrap();
    cluster.delete("Pod", "shop", "a").unwrap();
    let mut events = pin!(pods(&cluster).watch(&WatchParams::default(), &from).await.unwrap());
    for expect in ["added b", "deleted a"] {
        assert_eq!(word(events.try_next().await.unwrap().unwrap()), expect);
    }
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_in_time_and_at_the_end() {
    let cluster = FakeCluster::new();
    let started = Instant::now();
    let mut events = pin!(pods(&cluster).watch(&WatchParams::default().timeout(150), "1").await.unwrap());
    cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})).unwrap();
    for seconds in [60, 120, 150] {
        let bookmark = word(events.try_next().await.unwrap().unwrap());
        assert_eq!(bookmark, format!("bookmark {}", cluster.resource_version()));
        assert_eq!(started.elapsed().as_secs(), seconds);
    }
    assert!(events.next().await.is_none());
    assert_eq!(cluster.open_watches("*"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_single_object_can_be_watched() {
    let cluster = FakeCluster::new();
    cluster.apply(mk_pod("a")).unwrap();
    cluster.apply(mk_pod("b")).unwrap();
    let mut events = pin!(watcher::watch_object(pods_in(&cluster, "shop"), "b"));
    assert_eq!(events.next().await.unwrap().unwrap().unwrap().name_any(), "b");
    cluster.delete("Pod", "shop", "a").unwrap();
    cluster.delete("Pod", "shop", "b").unwrap();
    assert!(events.next().await.unwrap().unwrap().is_none());
}

fn pods_in(cluster: &FakeCluster, namespace: &str) -> Api<Pod> {
    Api::namespaced(Client::new(cluster.service(), "default"), namespace)
}

#[tokio::test(start_paused = true)]
async fn a_watch_in_a_namespace_sees_no_other() {
    let cluster = FakeCluster::new();
    let mut events = pin!(pods_in(&cluster, "bank").watch(&WatchParams::default(), "0").await.unwrap());
    cluster.apply(mk_pod("a")).unwrap();
    let mut elsewhere = mk_pod("b");
    elsewhere["metadata"]["namespace"] = json!("bank");
    cluster.apply(elsewhere).unwrap();
    assert_eq!(word(events.try_next().await.unwrap().unwrap()), "added b");
}

#[tokio::test(start_paused = true)]
async fn many_changes_while_nobody_reads_arrive_in_order() {
    let cluster = FakeCluster::new();
    let mut events = pin!(pods(&cluster).watch(&WatchParams::default(), "0").await.unwrap());
    for number in 0..1000 {
        cluster.apply(mk_pod(&format!("web-{number}"))).unwrap();
    }
    for number in 0..1000 {
        assert_eq!(word(events.try_next().await.unwrap().unwrap()), format!("added web-{number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_cluster_keeps_the_tests_time() {
    let epoch = "2026-03-01T10:00:00Z".parse().unwrap();
    let cluster = FakeCluster::with(ClusterSettings { epoch: Some(epoch), ..Default::default() });
    tokio::time::advance(Duration::from_secs(3600)).await;
    let pod = cluster.apply(mk_pod("a")).unwrap();
    assert_eq!(pod["metadata"]["creationTimestamp"], "2026-03-01T11:00:00Z");
}
