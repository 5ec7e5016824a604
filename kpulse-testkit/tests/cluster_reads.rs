//! What a real client sees of lists, access rules, logs and discovery.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{SelfSubjectAccessReview, SelfSubjectRulesReview};
use k8s_openapi::api::core::v1::Pod;
use kpulse_testkit::cluster::{Denial, FakeCluster};
use kube::api::{Api, ListParams, LogParams, PostParams};
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

fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("no answer of the API server: {other}"),
    }
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: kube::Result<T>, expect: u16, reason: &str) {
    match result {
        Err(kube::Error::Api(status)) => assert_eq!((status.code, status.reason.as_str()), (expect, reason)),
        other => panic!("expected {expect} {reason}, got {other:?}"),
    }
}

#[tokio::test]
async fn pages_are_of_one_moment() {
    let cluster = with_pods(10);
    let pods: Api<Pod> = Api::all(client(&cluster));
    let first = pods.list(&ListParams::default().limit(4)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(6));

    cluster.delete("Pod", "shop", "web-005").unwrap();
    cluster.apply(mk_pod("web-006b")).unwrap();
    let mut names: Vec<_> = first.items.iter().map(ResourceExt::name_any).collect();
    let mut token = first.metadata.continue_;
    while let Some(next) = token.filter(|token| !token.is_empty()) {
        let page = pods.list(&ListParams::default().limit(4).continue_token(&next)).await.unwrap();
        assert_eq!(page.metadata.resource_version, first.metadata.resource_version);
        names.extend(page.items.iter().map(ResourceExt::name_any));
        token = page.metadata.continue_;
    }
    let expect: Vec<_> = (0..10).map(|number| format!("web-{number:03}")).collect();
    assert_eq!(names, expect);
}

#[tokio::test]
async fn a_token_from_before_the_compaction_has_expired() {
    let cluster = with_pods(10);
    let pods: Api<Pod> = Api::all(client(&cluster));
    let first = pods.list(&ListParams::default().limit(4)).await.unwrap();
    cluster.delete("Pod", "shop", "web-000").unwrap();
    cluster.compact();
    let token = first.metadata.continue_.unwrap();
    let refused = pods.list(&ListParams::default().limit(4).continue_token(&token)).await.unwrap_err();
    let kube::Error::Api(status) = refused else { panic!("{refused}") };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));

    let rest = status.metadata.and_then(|metadata| metadata.continue_).unwrap();
    let rest = pods.list(&ListParams::default().continue_token(&rest)).await.unwrap();
    assert_eq!(rest.items.len(), 6);
}

#[tokio::test]
async fn items_of_a_list_carry_no_kind() {
    let cluster = with_pods(1);
    let request = http::Request::get("/api/v1/pods").body(Vec::new()).unwrap();
    let list: Value = client(&cluster).request(request).await.unwrap();
    assert_eq!(list["kind"], "PodList");
    assert!(list["items"][0].get("kind").is_none());
    assert_eq!(list["items"][0]["metadata"]["name"], "web-000");
}

#[tokio::test]
async fn selectors_narrow_a_list() {
    let cluster = with_pods(3);
    cluster.patch("Pod", "shop", "web-001", json!({"metadata": {"labels": {"app": "db"}}})).unwrap();
    cluster.patch("Pod", "shop", "web-002", json!({"status": {"phase": "Failed"}})).unwrap();
    let pods: Api<Pod> = Api::namespaced(client(&cluster), "shop");
    let names = async |params: ListParams| -> Vec<String> {
        pods.list(&params).await.unwrap().items.iter().map(ResourceExt::name_any).collect()
    };
    assert_eq!(names(ListParams::default().labels("app in (db)")).await, ["web-001"]);
    assert_eq!(names(ListParams::default().fields("status.phase!=Running")).await, ["web-002"]);
    assert_eq!(
        names(ListParams::default().labels("app=web").fields("spec.nodeName=node-a").limit(1)).await,
        ["web-000"]
    );
    check_refused(pods.list(&ListParams::default().fields("spec.hostname=x")).await, 400, "BadRequest");
}

#[tokio::test]
async fn metadata_alone_can_be_asked_for() {
    let cluster = with_pods(2);
    let pods: Api<Pod> = Api::all(client(&cluster));
    let list = pods.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(list.items[1].name_any(), "web-001");
}

#[tokio::test]
async fn what_is_forbidden_is_refused_and_said_in_reviews() {
    let cluster = with_pods(1);
    cluster.forbid(Denial::of("list", "pods").cluster_wide());
    cluster.forbid(("get", "pods/log"));
    let client = client(&cluster);
    let everywhere: Api<Pod> = Api::all(client.clone());
    let here: Api<Pod> = Api::namespaced(client.clone(), "shop");
    let error = everywhere.list(&ListParams::default()).await.unwrap_err();
    assert_eq!(code(&error), 403);
    assert!(error.to_string().contains("cannot list resource \"pods\" in API group \"\" at the cluster scope"));
    here.list(&ListParams::default()).await.unwrap();
    check_refused(here.logs("web-000", &LogParams::default()).await, 403, "Forbidden");

    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    for (namespace, allowed) in [(None, false), (Some("shop"), true)] {
        let review: SelfSubjectAccessReview = serde_json::from_value(json!({
            "spec": { "resourceAttributes": { "verb": "list", "resource": "pods", "namespace": namespace } },
        }))
        .unwrap();
        let answer = reviews.create(&PostParams::default(), &review).await.unwrap();
        assert_eq!(answer.status.unwrap().allowed, allowed);
    }
    let rules: Api<SelfSubjectRulesReview> = Api::all(client);
    let review: SelfSubjectRulesReview = serde_json::from_value(json!({"spec": {"namespace": "shop"}})).unwrap();
    let rules = rules.create(&PostParams::default(), &review).await.unwrap().status.unwrap().resource_rules;
    let about = |resource: &str| rules.iter().find(|r| r.resources.as_ref().unwrap()[0] == resource);
    assert!(about("pods").unwrap().verbs.contains(&"list".to_owned()));
    assert!(!about("pods/log").unwrap().verbs.contains(&"get".to_owned()));

    cluster.allow(Denial::of("list", "pods").cluster_wide());
    everywhere.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn logs_and_summaries_are_what_was_set() {
    let cluster = with_pods(1);
    cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}})).unwrap();
    cluster.set_log("shop", "web-000", "main", false, "one\ntwo\nthree\n");
    cluster.set_log("shop", "web-000", "main", true, "before\n");
    let client = client(&cluster);
    let pods: Api<Pod> = Api::namespaced(client.clone(), "shop");
    let last = LogParams { tail_lines: Some(1), ..LogParams::default() };
    assert_eq!(pods.logs("web-000", &last).await.unwrap(), "three\n");
    let start = LogParams { limit_bytes: Some(5), container: Some("main".to_owned()), ..LogParams::default() };
    assert_eq!(pods.logs("web-000", &start).await.unwrap(), "one\nt");
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert_eq!(pods.logs("web-000", &previous).await.unwrap(), "before\n");
    let unknown = LogParams { container: Some("other".to_owned()), ..LogParams::default() };
    check_refused(pods.logs("web-000", &unknown).await, 400, "BadRequest");

    let summary = || http::Request::get("/api/v1/nodes/node-a/proxy/stats/summary").body(Vec::new()).unwrap();
    check_refused(client.request::<Value>(summary()).await, 503, "ServiceUnavailable");
    cluster.set_summary("node-a", json!({ "node": { "nodeName": "node-a" } }));
    assert_eq!(client.request::<Value>(summary()).await.unwrap()["node"]["nodeName"], "node-a");
}

#[tokio::test]
async fn a_hidden_group_is_not_there() {
    let cluster = FakeCluster::new();
    cluster.hide_group("apps");
    let client = client(&cluster);
    let deployments: Api<Deployment> = Api::all(client.clone());
    assert_eq!(code(&deployments.list(&ListParams::default()).await.unwrap_err()), 404);
    let groups = client.list_api_groups().await.unwrap().groups;
    assert!(!groups.iter().any(|group| group.name == "apps"));
    assert!(groups.iter().any(|group| group.name == "batch"));
    cluster.show_group("apps");
    deployments.list(&ListParams::default()).await.unwrap();
    let core = client.list_core_api_resources("v1").await.unwrap();
    assert!(core.resources.iter().any(|resource| resource.name == "pods/log"));
    assert_eq!(client.apiserver_version().await.unwrap().minor, "33");
}
