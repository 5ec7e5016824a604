//! Contests for the Lease of a fake cluster, each over a line of its own that can be cut.

use std::sync::Arc;

use http::{Request, Response};
use kpulse_testkit::cluster::{Denial, FakeCluster};
use kube::client::Body;
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt;

use super::super::*;

/// A line to a cluster: while it is cut, nothing arrives.
#[derive(Debug, Clone)]
struct Line(Arc<watch::Sender<bool>>);

impl Line {
    fn to(cluster: &FakeCluster) -> (Client, Self) {
        let line = Self(Arc::new(watch::Sender::new(true)));
        let service = tower::service_fn({
            let (cluster, line) = (cluster.service(), line.clone());
            move |request: Request<Body>| {
                let (cluster, mut whole) = (cluster.clone(), line.0.subscribe());
                async move {
                    whole.wait_for(|whole| *whole).await.unwrap();
                    let response: Result<Response<_>, _> = cluster.oneshot(request).await;
                    whole.wait_for(|whole| *whole).await.unwrap();
                    response
                }
            }
        });
        (Client::new(service, "default"), line)
    }

    fn cut(&self) {
        self.0.send_replace(false);
    }

    fn mend(&self) {
        self.0.send_replace(true);
    }
}

struct Replica {
    contest: Contest,
    line: Line,
}

fn enter(cluster: &FakeCluster, name: &str) -> Replica {
    let (client, line) = Line::to(cluster);
    Replica { contest: Contest::enter(client, "kpulse", name.to_owned(), LeaseSettings::default()), line }
}

impl Replica {
    fn leads(&self) -> bool {
        self.contest.standing.borrow().leads()
    }

    /// Waits until it leads; how long that took, and the number of its term.
    async fn wins(&self) -> (Duration, u64) {
        let (start, mut standing) = (Instant::now(), self.contest.standing());
        let won = timeout(Duration::from_secs(60), standing.wait_for(Standing::leads)).await.unwrap().unwrap();
        (start.elapsed(), won.term.unwrap().number)
    }
}

fn stored(cluster: &FakeCluster) -> serde_json::Value {
    cluster.get("Lease", "kpulse", NAME).unwrap()["spec"].clone()
}

#[tokio::test(start_paused = true)]
async fn the_first_one_leads_and_goes_on_leading() {
    let cluster = FakeCluster::new();
    let (a, b) = (enter(&cluster, "a"), enter(&cluster, "b"));
    a.wins().await;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(a.leads() && !b.leads());
    }
    let spec = stored(&cluster);
    assert_eq!((&spec["holderIdentity"], &spec["leaseDurationSeconds"]), (&json!("a"), &json!(10)));
    assert_eq!(spec["leaseTransitions"], 0);
    assert_eq!(b.contest.standing.borrow().holder.as_deref(), Some("a"));
    let writes = cluster.requests().verb("update").resource("leases").len();
    assert!((25..=31).contains(&writes), "{writes} renewals in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_lease_given_back_is_taken_in_seconds() {
    let cluster = FakeCluster::new();
    let a = enter(&cluster, "a");
    a.wins().await;
    let b = enter(&cluster, "b");
    tokio::time::sleep(Duration::from_secs(7)).await;
    a.contest.leave().await;
    assert!(stored(&cluster).get("holderIdentity").is_none());
    let (took, _) = b.wins().await;
    assert!(took <= Duration::from_millis(2_500), "{took:?}");
    assert_eq!(stored(&cluster)["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_falls_silent_before_another_takes_over() {
    let cluster = FakeCluster::new();
    let a = enter(&cluster, "a");
    a.wins().await;
    let b = enter(&cluster, "b");
    tokio::time::sleep(Duration::from_secs(5)).await;
    a.line.cut();
    let cut = Instant::now();
    let mut silent = None;
    while !b.leads() {
        assert!(cut.elapsed() <= Duration::from_secs(15), "nobody took over");
        if !a.leads() {
            silent.get_or_insert_with(Instant::now);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let gap = silent.expect("a still led").elapsed();
    assert!(gap >= Duration::from_millis(990), "only {gap:?} between them");
    assert!(a.contest.standing.borrow().fault.is_some());
    // What was on its way arrives now, and changes nothing.
    a.line.mend();
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(b.leads() && !a.leads());
    }
    assert_eq!(a.contest.standing.borrow().holder.as_deref(), Some("b"));
    assert_eq!(a.contest.standing.borrow().fault, None);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_before_another_took_over_begins_a_new_term() {
    let cluster = FakeCluster::new();
    let a = enter(&cluster, "a");
    assert_eq!(a.wins().await.1, 1);
    a.line.cut();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!a.leads());
    a.line.mend();
    assert_eq!(a.wins().await.1, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_away_by_hand_is_given_up_at_once() {
    let cluster = FakeCluster::new();
    let a = enter(&cluster, "a");
    a.wins().await;
    let metadata = json!({ "namespace": "kpulse", "name": NAME });
    let hand = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
        "spec": { "holderIdentity": "somebody" } });
    cluster.apply(hand).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!a.leads());
    // Deleted, it is made anew.
    cluster.delete("Lease", "kpulse", NAME).unwrap();
    a.wins().await;
    assert_eq!(stored(&cluster)["holderIdentity"], "a");
    cluster.delete("Lease", "kpulse", NAME).unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(stored(&cluster)["holderIdentity"], "a");
}

#[tokio::test(start_paused = true)]
async fn without_the_right_nobody_leads_and_the_remedy_is_said() {
    let cluster = FakeCluster::new();
    cluster.forbid(Denial::of("get", "leases"));
    let a = enter(&cluster, "a");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let fault = a.contest.standing.borrow().fault.clone().unwrap();
    assert!(fault.contains("grant get, create and update on leases.coordination.k8s.io in kpulse"), "{fault}");
    assert!(!a.leads());
    cluster.allow_all();
    a.wins().await;
    assert_eq!(a.contest.standing.borrow().fault, None);
}
