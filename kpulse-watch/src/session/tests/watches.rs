//! How watches end and go on.

use kpulse_testkit::cluster::{ClusterSettings, Disturbance, Expiry, Fault};

use super::*;

#[tokio::test(start_paused = true)]
async fn watches_that_are_closed_at_once_do_not_become_a_hot_loop() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, paged()).await;
    cluster.forget_requests();
    // The server sends nothing and ends each watch properly: no error comes, only the next watch.
    cluster.inject(Fault::status(200).body("").on("watch", "pods").always());
    cluster.close_watches();
    assert_eq!(eyes.during(15 * SECOND).await, Vec::<String>::new());
    let requests = cluster.requests().len();
    assert!((10..=16).contains(&requests), "{requests} requests in 15 s");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_that_is_renewed_again_and_again_says_nothing() {
    for settings in [streaming(), paged()] {
        let cluster = cluster_of(&["a"]);
        let mut eyes = pods(&cluster, settings).await;
        assert_eq!(eyes.during(180 * MINUTE).await, Vec::<String>::new());
        let lists = cluster.requests().filter(|r| r.verb == "list" || r.query.contains("sendInitialEvents"));
        assert_eq!(lists.len(), 1);
        assert!(cluster.requests().len() < 120);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_without_bookmarks_is_not_taken_for_dead() {
    let settings = ClusterSettings { bookmark_interval: 600 * MINUTE, ..ClusterSettings::default() };
    let mut eyes = pods(&FakeCluster::with(settings), paged()).await;
    assert_eq!(eyes.during(60 * MINUTE).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_falls_silent_is_replaced_and_nothing_is_missed() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, streaming()).await;
    cluster.stall_watches_of("pods");
    cluster.apply(pod("b")).unwrap();
    assert_eq!(eyes.during(60 * SECOND).await, Vec::<String>::new());
    assert_eq!(eyes.during(80 * SECOND).await, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_stays_silent_is_noticed() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, paged()).await;
    cluster.inject(Fault::watch(Disturbance::Stall).on("watch", "pods").always());
    cluster.stall_watches_of("pods");
    assert_eq!(eyes.next().await, "away pods: nothing came for 300 s, not even a bookmark");
    // Lists still work here, so sight returns, and is lost again.
    assert_eq!(eyes.until("listed pods").await, ["listing pods", "a"]);
    assert_eq!(eyes.next().await, "away pods: nothing came for 300 s, not even a bookmark");
    cluster.clear_faults();
    eyes.until("listed pods").await;
    assert_eq!(eyes.during(60 * MINUTE).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn gone_as_a_status_leads_to_a_new_list() {
    gone(Expiry::Status).await;
}

#[tokio::test(start_paused = true)]
async fn gone_as_an_event_leads_to_a_new_list() {
    gone(Expiry::Event).await;
}

/// The watch is away while one Pod is deleted, and the history of that is forgotten.
async fn gone(expiry: Expiry) {
    for settings in [streaming(), paged()] {
        let cluster = FakeCluster::with(ClusterSettings { expiry, ..ClusterSettings::default() });
        for name in ["a", "b"] {
            cluster.apply(pod(name)).unwrap();
        }
        let mut eyes = pods(&cluster, settings).await;
        cluster.close_watches();
        cluster.delete("Pod", "shop", "b").unwrap();
        cluster.apply(pod("c")).unwrap();
        cluster.compact();
        // No deletion is told: that `b` is gone is implied by a list without it.
        assert_eq!(eyes.until("listed pods").await, ["listing pods", "a", "c"]);
        assert_eq!(eyes.during(10 * MINUTE).await, Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn gone_in_the_middle_of_a_list_begins_it_again() {
    let names: Vec<String> = (0..300).map(|number| format!("pod-{number:03}")).collect();
    let cluster = cluster_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    cluster.inject(Fault::status(410).on("list", "pods").skipping(1));
    let mut eyes = open(&cluster, &[Scope::cluster(Resource::Pods)], paged()).await;
    let seen = eyes.until("listed pods").await;
    let listings: Vec<usize> = (0..seen.len()).filter(|place| seen[*place] == "listing pods").collect();
    assert_eq!(listings.len(), 2);
    // The last listing is whole.
    assert_eq!(seen.len() - listings[1] - 1, 300);
}

#[tokio::test(start_paused = true)]
async fn gone_at_every_watch_is_not_a_loop_of_lists() {
    let cluster = cluster_of(&["a"]);
    cluster.inject(Fault::status(410).on("watch", "pods").always());
    let mut eyes = pods(&cluster, paged()).await;
    eyes.during(10 * MINUTE).await;
    let lists = cluster.requests().verb("list").len();
    assert!((5..40).contains(&lists), "{lists} lists in 10 min");
}

#[tokio::test(start_paused = true)]
async fn an_object_made_anew_under_the_same_name_is_told_with_both_uids() {
    let cluster = cluster_of(&["db-0"]);
    let mut eyes = pods(&cluster, streaming()).await;
    cluster.delete("Pod", "shop", "db-0").unwrap();
    let mut successor = pod("db-0");
    successor["metadata"]["uid"] = json!("another");
    cluster.apply(successor).unwrap();
    cluster.delete("Pod", "shop", "db-0").unwrap();
    assert_eq!(eyes.next().await, "deleted db-0 uid-of-db-0");
    assert_eq!(eyes.next().await, "db-0");
    assert_eq!(eyes.next().await, "deleted db-0 another");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_line_leads_to_a_new_list() {
    for garbage in ["<html>", r#"{"type":"MODIFIED","object":7}"#, r#"{"type":"NEWS","object":{}}"#] {
        let cluster = cluster_of(&["a"]);
        let mut eyes = pods(&cluster, paged()).await;
        cluster.close_watches();
        cluster.inject(Fault::watch(Disturbance::Garbage(garbage.to_owned())).on("watch", "pods"));
        tokio::time::sleep(2 * SECOND).await;
        cluster.apply(pod("b")).unwrap();
        let seen = eyes.until("listed pods").await;
        assert!(seen.ends_with(&["listing pods".to_owned(), "a".to_owned(), "b".to_owned()]), "{garbage}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_off_resumes_where_it_was() {
    let cluster = cluster_of(&["a"]);
    let mut eyes = pods(&cluster, streaming()).await;
    cluster.cut_watches_of("pods");
    cluster.apply(pod("b")).unwrap();
    assert_eq!(eyes.during(10 * SECOND).await, ["b"]);
    cluster.inject(Fault::watch(Disturbance::Truncate).on("watch", "pods"));
    cluster.close_watches();
    tokio::time::sleep(2 * SECOND).await;
    cluster.apply(pod("c")).unwrap();
    assert_eq!(eyes.during(10 * SECOND).await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn sessions_end_with_their_receiver() {
    let cluster = cluster_of(&["a"]);
    let Eyes { seen, _sessions: mut sessions } = pods(&cluster, streaming()).await;
    drop(seen);
    let ended = timeout(SECOND, sessions.join_next()).await.unwrap().unwrap();
    assert!(ended.is_ok());
    tokio::time::sleep(SECOND).await;
    assert_eq!(cluster.open_watches("*"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_receiver_is_waited_for_and_not_taken_for_a_dead_server() {
    let cluster = cluster_of(&["a", "b", "c"]);
    let (out, mut seen) = mpsc::channel(1);
    let scopes = vec![Scope::cluster(Resource::Pods)];
    let _sessions = watch_all(&client(&cluster), scopes, out, &paged()).await;
    let mut lines = Vec::new();
    while !lines.contains(&"listed pods".to_owned()) {
        tokio::time::sleep(10 * MINUTE).await;
        lines.push(line(&seen.recv().await.unwrap()));
    }
    assert_eq!(lines, ["opened 1", "listing pods", "a", "b", "c", "listed pods"]);
}

#[tokio::test(start_paused = true)]
async fn how_long_a_watch_has_heard_nothing_is_known_while_there_is_one() {
    let settings = ClusterSettings { bookmark_interval: 600 * MINUTE, ..ClusterSettings::default() };
    let (cluster, session) = (FakeCluster::with(settings), paged());
    let signs = session.signs.clone();
    let mut eyes = pods(&cluster, session).await;
    let age = || signs.ages().get(&Scope::cluster(Resource::Pods)).copied();
    let before = age().unwrap();
    eyes.during(20 * SECOND).await;
    assert!(age().unwrap() >= before + 19 * SECOND, "{:?}", age());
    cluster.apply(pod("news")).unwrap();
    eyes.until("news").await;
    assert!(age().unwrap() < SECOND, "{:?}", age());
    drop(eyes);
    tokio::time::sleep(SECOND).await;
    assert_eq!(age(), None);
}
