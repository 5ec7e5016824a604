//! An API server that is away, overloaded, or fails.

use kpulse_testkit::cluster::Fault;
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_and_ends_with_a_list() {
    for settings in [streaming(), paged()] {
        let cluster = cluster_of(&["a", "b"]);
        let mut eyes = pods(&cluster, settings).await;
        cluster.inject(Fault::disconnect().always());
        cluster.cut_watches_of("*");
        let told = eyes.during(10 * MINUTE).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("away pods: cannot speak to the API server: "), "{told:?}");
        cluster.delete("Pod", "shop", "b").unwrap();
        cluster.clear_faults();
        assert_eq!(eyes.until("listed pods").await, ["listing pods", "a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_interruption_resumes_without_a_word_or_a_list() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, paged()).await;
    cluster.inject(Fault::status(500).on("watch", "pods").times(3));
    cluster.close_watches();
    cluster.apply(pod("b")).unwrap();
    assert_eq!(eyes.during(MINUTE).await, ["b"]);
    assert_eq!(cluster.requests().verb("list").len(), 1);
    assert_eq!(cluster.pending_faults(), 0);
}

#[tokio::test(start_paused = true)]
async fn interruptions_far_apart_are_not_one_outage() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, paged()).await;
    for _ in 0..10 {
        cluster.inject(Fault::status(500).on("watch", "pods"));
        cluster.close_watches();
        assert_eq!(eyes.during(5 * MINUTE).await, Vec::<String>::new());
    }
    assert_eq!(cluster.requests().verb("list").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_errors_for_long_is_told_as_away() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, paged()).await;
    cluster.inject(Fault::status(500).always());
    cluster.close_watches();
    let since = Instant::now();
    assert_eq!(eyes.next().await, "away pods: the API server answered 500: Internal error occurred");
    assert!((10 * SECOND..12 * SECOND).contains(&since.elapsed()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_proxys_error_page_is_not_quoted() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(502).body("<html>upstream 10.0.0.1</html>").always());
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    assert_eq!(eyes.next().await, "away pods: the API server answered 502");
}

#[tokio::test(start_paused = true)]
async fn failing_lists_are_repeated_ever_more_rarely() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(500).on("list", "pods").always());
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    let told = eyes.during(10 * MINUTE).await;
    assert_eq!(told, ["away pods: the API server answered 500: Internal error occurred"]);
    let moments: Vec<Instant> = cluster.requests().verb("list").iter().map(|request| request.at).collect();
    assert!((10..40).contains(&moments.len()), "{} lists in 10 min", moments.len());
    let early = moments[3] - moments[0];
    let late = moments[moments.len() - 1] - moments[moments.len() - 4];
    assert!(late > 4 * early, "{early:?} for the first, {late:?} for the last");
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_waits_are_short_again() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(500).on("list", "pods").times(8));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    eyes.until("listed pods").await;
    eyes.during(MINUTE).await;
    cluster.compact();
    cluster.apply(pod("a")).unwrap();
    cluster.compact();
    cluster.inject(Fault::status(500).on("list", "pods"));
    cluster.close_watches();
    let since = Instant::now();
    cluster.inject(Fault::status(410).on("watch", "pods"));
    eyes.until("listed pods").await;
    assert!(since.elapsed() < 5 * SECOND, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    for fault in [Fault::status(429), Fault::status(503), Fault::status(429).body("slow down")] {
        let cluster = FakeCluster::new();
        cluster.inject(fault.retry_after(40 * SECOND).on("list", "pods"));
        let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
        eyes.until("listed pods").await;
        let moments: Vec<Instant> = cluster.requests().verb("list").iter().map(|request| request.at).collect();
        let wait = moments[1] - moments[0];
        assert!((40 * SECOND..50 * SECOND).contains(&wait), "{wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_do_not_come_back_in_step() {
    let cluster = FakeCluster::new();
    cluster.inject(Fault::status(500).always());
    let scopes = [Resource::Pods, Resource::Jobs, Resource::Deployments, Resource::CronJobs].map(Scope::cluster);
    let mut eyes = open(&cluster, &scopes, paged()).await;
    eyes.during(10 * MINUTE).await;
    let mut moments: Vec<Instant> = cluster.requests().iter().map(|request| request.at).collect();
    moments.sort();
    let together = moments.windows(2).filter(|pair| pair[1] - pair[0] < 10 * SECOND / 1000).count();
    assert!(together < moments.len() / 5, "{together} of {}", moments.len());
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_an_outage_and_passes() {
    let cluster = cluster_of(&["a"]);
    cluster.inject(Fault::status(401).times(3));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], streaming()).await;
    assert_eq!(
        eyes.until("listed pods").await,
        ["away pods: the API server answered 401: Unauthorized", "listing pods", "a"]
    );
}
