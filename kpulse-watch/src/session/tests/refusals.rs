//! An API server that does not let us, or does not have what we ask for.

use kpulse_testkit::cluster::{Denial, Fault};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_and_asked_again_rarely() {
    for settings in [streaming(), paged()] {
        let cluster = cluster_of(&["a"]);
        cluster.forbid(Denial::of("*", "pods"));
        let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], settings).await;
        let told = eyes.during(60 * MINUTE).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("refused pods: the API server answered 403: pods is forbidden"), "{told:?}");
        assert!(told[0].ends_with("; grant list and watch on pods to kpulse"), "{told:?}");
        let asked = cluster.requests().len();
        assert!((10..60).contains(&asked), "{asked} requests in an hour");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_later_is_seen() {
    let cluster = cluster_of(&["a"]);
    cluster.forbid(Denial::of("*", "pods"));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], streaming()).await;
    eyes.during(60 * MINUTE).await;
    cluster.allow_all();
    let seen = eyes.during(5 * MINUTE).await;
    assert_eq!(seen, ["listing pods", "a", "listed pods"]);
}

#[tokio::test(start_paused = true)]
async fn a_right_granted_while_people_watch_is_seen_soon() {
    let cluster = cluster_of(&["a"]);
    cluster.forbid(Denial::of("*", "pods"));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], streaming()).await;
    eyes.next().await;
    cluster.allow_all();
    assert_eq!(eyes.during(20 * SECOND).await, ["listing pods", "a", "listed pods"]);
}

#[tokio::test(start_paused = true)]
async fn a_right_taken_away_is_told() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, streaming()).await;
    cluster.forbid(Denial::of("*", "pods"));
    cluster.close_watches();
    let told = eyes.next().await;
    assert!(told.starts_with("refused pods: "), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_kind_the_server_does_not_have_is_refused_and_the_others_are_seen() {
    let cluster = FakeCluster::new();
    cluster.hide_group("batch");
    let mut eyes = open(&cluster, &[Resource::CronJobs, Resource::Pods].map(Scope::cluster), streaming()).await;
    let told = eyes.during(MINUTE).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("refused cronjobs: the API server answered 404"), "{told:?}");
    assert!(told[0].ends_with("; this cluster has no cronjobs in batch/v1"), "{told:?}");
    assert_eq!(told[1..], ["listing pods", "listed pods"]);
}

#[tokio::test(start_paused = true)]
async fn another_cause_is_told_again() {
    let cluster = FakeCluster::new();
    cluster.forbid(Denial::of("*", "jobs"));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Jobs)], streaming()).await;
    assert!(eyes.next().await.starts_with("refused jobs: the API server answered 403"));
    cluster.allow_all();
    cluster.hide_group("batch");
    assert!(eyes.next().await.starts_with("refused jobs: the API server answered 404"));
}

#[tokio::test(start_paused = true)]
async fn with_roles_only_what_lives_in_no_namespace_is_never_tried() {
    let cluster = cluster_of(&["a"]);
    cluster.forbid(Denial::of("*", "*").cluster_wide());
    let pods = Scope { resource: Resource::Pods, namespace: Some("shop".into()) };
    let mut eyes = open(&cluster, &[pods, Scope::cluster(Resource::Nodes)], paged()).await;
    let told = eyes.during(60 * MINUTE).await;
    let refused =
        "refused nodes: may not list and watch nodes in the whole cluster; grant list and watch on nodes to kpulse";
    assert_eq!(told.iter().filter(|line| *line == refused).count(), 1, "{told:?}");
    assert!(told.contains(&"listed pods in shop".to_owned()), "{told:?}");
    assert!(cluster.requests().into_iter().all(|request| request.status != Some(403)));
    cluster.allow_all();
    let seen = eyes.during(6 * MINUTE).await;
    assert!(seen.contains(&"listed nodes".to_owned()), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_say_what_is_allowed_is_asked_again() {
    let cluster = cluster_of(&["a"]);
    cluster.inject(Fault::status(500).on("create", "selfsubjectaccessreviews").times(3));
    let pods = Scope { resource: Resource::Pods, namespace: Some("shop".into()) };
    let mut eyes = open(&cluster, &[pods, Scope::cluster(Resource::Nodes)], paged()).await;
    let seen = eyes.during(MINUTE).await;
    assert!(seen.contains(&"listed nodes".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("refused")), "{seen:?}");
}
