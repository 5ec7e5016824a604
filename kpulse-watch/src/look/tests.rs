//! One look at an API server in this process, on virtual time.

use kpulse_core::Resource;
use kpulse_testkit::builders::pod;
use kpulse_testkit::cluster::{FakeCluster, Fault};
use serde_json::json;

use super::*;

fn cluster_of(pods: usize) -> FakeCluster {
    let cluster = FakeCluster::new();
    for number in 0..pods {
        let mut pod = pod("shop", &format!("pod-{number:04}")).json();
        pod["metadata"]["labels"]["half"] = json!(if number % 2 == 0 { "even" } else { "odd" });
        cluster.apply(pod).unwrap();
    }
    cluster
}

async fn look_at(cluster: &FakeCluster, scopes: &[Scope], labels: Option<&str>) -> Vec<Glimpse> {
    let client = Client::new(cluster.service(), "default");
    let (out, mut seen) = mpsc::channel(1000);
    look(&client, scopes.to_vec(), labels, out).await;
    let mut glimpses = Vec::new();
    while let Some(glimpse) = seen.recv().await {
        glimpses.push(glimpse);
    }
    glimpses
}

/// One line for a glimpse: how many objects, how many more, and how it goes on.
fn lines(glimpses: &[Glimpse]) -> Vec<String> {
    let line = |Glimpse { scope, observations, remaining }: &Glimpse| {
        let objects = observations.iter().filter(|seen| matches!(seen, Observation::Applied(_))).count();
        let end = match observations.last() {
            Some(Observation::Listed(_)) => " listed".to_owned(),
            Some(Observation::SightLost(_, Blindness::Refused(why))) => format!(" refused: {why}"),
            Some(Observation::SightLost(_, Blindness::Away(why))) => format!(" away: {why}"),
            _ => String::new(),
        };
        let more = remaining.map_or(String::new(), |more| format!(" +{more}"));
        format!("{scope} {objects}{more}{end}")
    };
    glimpses.iter().map(line).collect()
}

const PODS: &[Scope] = &[Scope::cluster(Resource::Pods)];

#[tokio::test(start_paused = true)]
async fn a_long_list_comes_page_by_page() {
    let seen = look_at(&cluster_of(1_200), PODS, None).await;
    assert_eq!(lines(&seen), ["pods 500 +700", "pods 500 +200", "pods 200 listed"]);
}

#[tokio::test(start_paused = true)]
async fn only_objects_with_fitting_labels_are_listed() {
    let seen = look_at(&cluster_of(10), PODS, Some("half=odd")).await;
    assert_eq!(lines(&seen), ["pods 5 listed"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_not_there_is_said_and_the_rest_is_listed() {
    let cluster = cluster_of(1);
    cluster.forbid(("list", "nodes"));
    cluster.hide_group("policy/v1");
    let resources = [Resource::Nodes, Resource::PodDisruptionBudgets, Resource::Pods];
    let mut lines = lines(&look_at(&cluster, &resources.map(Scope::cluster), None).await);
    lines.sort();
    assert!(lines[0].starts_with("nodes 0 refused: the API server answered 403: nodes is forbidden"), "{lines:?}");
    let absent = "poddisruptionbudgets 0 refused: this cluster has no poddisruptionbudgets in policy/v1";
    assert_eq!(lines[1..], [absent, "pods 1 listed"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_an_expired_list_begun_again() {
    let cluster = cluster_of(700);
    cluster.inject(Fault::status(503).on("list", "pods").times(2));
    assert_eq!(lines(&look_at(&cluster, PODS, None).await), ["pods 500 +200", "pods 200 listed"]);
    cluster.inject(Fault::status(410).on("list", "pods").skipping(1));
    let again = ["pods 500 +200", "pods 0", "pods 500 +200", "pods 200 listed"];
    assert_eq!(lines(&look_at(&cluster, PODS, None).await), again);
    cluster.inject(Fault::status(500).on("list", "pods").always());
    let away = "pods 0 away: the API server answered 500: Internal error occurred";
    assert_eq!(lines(&look_at(&cluster, PODS, None).await), [away]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_there_is_an_error_and_one_that_may_not_be_seen_is_none() {
    let cluster = FakeCluster::new();
    cluster.apply(kpulse_testkit::builders::namespace("shop")).unwrap();
    let client = Client::new(cluster.service(), "default");
    assert!(matches!(namespace(&client, "shop").await, Ok(Some(Observation::Applied(_)))));
    let error = namespace(&client, "shpo").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no namespace shpo");
    cluster.forbid(("get", "namespaces"));
    assert!(matches!(namespace(&client, "shop").await, Ok(None)));
    assert!(!server_version(&client).await.unwrap().is_empty());
    cluster.inject(Fault::hang(Duration::from_secs(3600)));
    assert_eq!(server_version(&client).await.unwrap_err().to_string(), "no answer within 10 s");
}
