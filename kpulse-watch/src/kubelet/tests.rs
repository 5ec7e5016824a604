//! Kubelets by way of an API server in this process, on virtual time; and themselves, over TLS.

mod direct;

use std::time::Duration;

use kpulse_core::{KubeletSight, Observation};
use kpulse_testkit::cluster::{FakeCluster, Fault, RecordedRequest};
use kube::Client;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Kubelets, read_once, survey};

const SECOND: Duration = Duration::from_secs(1);
/// The first round, and what is said after it, before the second has read anything.
const FIRST: Duration = Duration::from_millis(60_001);
const INTERVAL: Duration = Duration::from_secs(600);
const FORBIDDEN: &str = "the API server refuses (403); grant `get` on `nodes/proxy`";
const NOT_LISTED: &str = "refused: may not list nodes; grant `list` on nodes, or turn off node_disk and pvc_usage";
const AWAY: &str = "the API server answered 503";

/// What a surveyor sends, one short line for each observation.
struct Ears {
    cluster: FakeCluster,
    begun: Instant,
    heard: mpsc::Receiver<Observation>,
    surveyor: JoinHandle<()>,
}

fn cluster_of(nodes: usize) -> FakeCluster {
    let cluster = FakeCluster::new();
    for number in 0..nodes {
        let name = format!("node-{number}");
        cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})).unwrap();
        cluster.set_summary(&name, json!({"node": {"nodeName": name}, "pods": []}));
    }
    cluster
}

fn listen(cluster: &FakeCluster) -> Ears {
    let client = Client::new(cluster.service(), "default");
    let (out, heard) = mpsc::channel(10_000);
    let surveyor = tokio::spawn(survey(client.clone(), Kubelets::via_api_server(client), INTERVAL, out));
    Ears { cluster: cluster.clone(), begun: Instant::now(), heard, surveyor }
}

impl Ears {
    /// Everything that is said until this much time has passed since the beginning.
    async fn until(&mut self, passed: Duration) -> Vec<String> {
        sleep((self.begun + passed).saturating_duration_since(Instant::now())).await;
        let mut lines = Vec::new();
        while let Ok(observation) = self.heard.try_recv() {
            lines.push(line(&observation));
        }
        lines
    }

    /// The reads of summaries so far.
    fn reads(&self) -> Vec<RecordedRequest> {
        self.cluster.requests().resource("nodes/proxy").into_iter().collect()
    }
}

fn line(observation: &Observation) -> String {
    match observation {
        Observation::Surveyed(summary) => summary.node.to_string(),
        Observation::KubeletSight(KubeletSight { nodes, unreadable, why, .. }) if why.is_empty() => {
            format!("{unreadable} of {nodes} unreadable")
        }
        Observation::KubeletSight(KubeletSight { refused: true, why, .. }) => format!("refused: {why}"),
        Observation::KubeletSight(KubeletSight { nodes, unreadable, why, .. }) => {
            format!("{unreadable} of {nodes} unreadable: {why}")
        }
        other => format!("{other:?}"),
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn each_node_is_read_once_in_a_round_and_the_first_takes_a_minute() {
    let mut ears = listen(&cluster_of(3));
    let first = ears.until(FIRST).await;
    assert_eq!(sorted(first), ["0 of 3 unreadable", "node-0", "node-1", "node-2"]);
    let second = ears.until(FIRST + INTERVAL).await;
    assert_eq!(sorted(second), ["node-0", "node-1", "node-2"]);
    let day = ears.until(FIRST + 144 * INTERVAL).await;
    assert_eq!(day.len(), 143 * 3);
    assert_eq!(
        ears.cluster.requests().verb("list").resource("nodes").len(),
        146,
        "one list at the beginning of each round"
    );
    let asked = ears.cluster.requests().resource("selfsubjectaccessreviews").len();
    assert_eq!(asked, 146, "whether that is allowed");
    assert_eq!(ears.cluster.requests().len(), 2 * 146 + 145 * 3);
}

#[tokio::test(start_paused = true)]
async fn reads_are_spread_over_the_round_each_at_the_same_place() {
    let mut ears = listen(&cluster_of(100));
    ears.until(FIRST + 2 * INTERVAL).await;
    let round = |number: u32| {
        let from = ears.begun + 60 * SECOND + (number * INTERVAL);
        let reads = ears.reads().into_iter().filter(move |read| read.at >= from && read.at < from + INTERVAL);
        let mut reads: Vec<_> = reads.map(|read| (read.name, (read.at - from).as_secs())).collect();
        reads.sort();
        reads
    };
    assert_eq!(round(0).len(), 100);
    assert_eq!(round(0), round(1));
    for minute in 0..10 {
        let reads = round(0).iter().filter(|(_, at)| at / 60 == minute).count();
        assert!((3..=20).contains(&reads), "{reads} in minute {minute}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_are_read_at_the_same_time() {
    let cluster = cluster_of(200);
    // Each takes nine seconds: 200 of them, four at a time, take 450.
    cluster.inject(Fault::hang(9 * SECOND).on("get", "nodes/proxy").always());
    let mut ears = listen(&cluster);
    let heard = ears.until(470 * SECOND).await;
    assert_eq!(heard.iter().position(|line| line == "0 of 200 unreadable"), Some(200));
    let reads = ears.reads();
    for read in &reads {
        let at_once = reads.iter().filter(|other| other.at <= read.at && read.at < other.at + 9 * SECOND).count();
        assert!(at_once <= 4, "{at_once} at once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_hangs_is_given_up_and_holds_up_nobody() {
    let cluster = cluster_of(3);
    cluster.inject(Fault::hang(3600 * SECOND).on_path("/api/v1/nodes/node-1/").always());
    let mut ears = listen(&cluster);
    let heard = ears.until(70 * SECOND).await;
    let silent = "1 of 3 unreadable: no answer within 10 s (for example node-1)";
    assert_eq!(sorted(heard), [silent, "node-0", "node-2"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_said_once_for_each_cause_and_sends_nothing_else() {
    let cluster = cluster_of(3);
    cluster.clear_summary("node-1");
    cluster.clear_summary("node-2");
    let mut ears = listen(&cluster);
    let away = |count: usize| format!("{count} of 3 unreadable: {AWAY} (for example node-1)");
    assert_eq!(sorted(ears.until(FIRST).await), [away(2), "node-0".to_owned()]);
    assert_eq!(ears.until(FIRST + INTERVAL).await, ["node-0"]);
    ears.cluster.forbid(("get", "nodes/proxy"));
    let refused = format!("3 of 3 unreadable: {FORBIDDEN} (for example node-0)");
    assert_eq!(ears.until(FIRST + 2 * INTERVAL).await, [refused]);
    assert!(ears.until(FIRST + 9 * INTERVAL).await.is_empty());
    ears.cluster.allow_all();
    for name in ["node-1", "node-2"] {
        ears.cluster.set_summary(name, json!({"node": {"nodeName": name}}));
    }
    let heard = ears.until(FIRST + 10 * INTERVAL).await;
    assert_eq!(sorted(heard), ["0 of 3 unreadable", "node-0", "node-1", "node-2"]);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_are_not_ready_or_gone_need_not_answer() {
    let cluster = cluster_of(3);
    for name in ["node-1", "node-2"] {
        cluster.clear_summary(name);
    }
    let mut ears = listen(&cluster);
    ears.until(30 * SECOND).await;
    let conditions = json!([{"type": "Ready", "status": "Unknown"}]);
    let dead = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": conditions}});
    cluster.apply(dead).unwrap();
    cluster.delete("Node", "", "node-2").unwrap();
    let heard = ears.until(FIRST).await;
    assert!(heard.contains(&"0 of 2 unreadable".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn the_cause_of_most_is_named() {
    let cluster = cluster_of(5);
    cluster.inject(Fault::status(401).on_path("/api/v1/nodes/node-0/").always());
    cluster.clear_summary("node-3");
    cluster.clear_summary("node-4");
    let heard = listen(&cluster).until(FIRST).await;
    assert!(heard.contains(&format!("3 of 5 unreadable: {AWAY} (for example node-3)")), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_cannot_be_listed_are_said_and_listed_again_soon() {
    let cluster = cluster_of(1);
    cluster.inject(Fault::status(403).on("list", "nodes").times(2));
    let mut ears = listen(&cluster);
    let heard = ears.until(59 * SECOND).await;
    assert!(matches!(heard.as_slice(), [only] if only.contains("cannot list nodes: the API server answered 403")));
    assert_eq!(sorted(ears.until(60 * SECOND + FIRST).await), ["0 of 1 unreadable", "node-0"]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_list_nodes_does_not_try_and_says_so_once() {
    let cluster = cluster_of(1);
    cluster.forbid(("list", "nodes"));
    let mut ears = listen(&cluster);
    let heard = ears.until(10 * FIRST).await;
    assert_eq!(heard, [NOT_LISTED]);
    assert!(cluster.requests().into_iter().all(|request| request.status != Some(403)));
    cluster.allow_all();
    assert_eq!(sorted(ears.until(12 * FIRST).await), ["0 of 1 unreadable", "node-0"]);
}

#[tokio::test(start_paused = true)]
async fn nodes_come_in_pages_and_come_and_go() {
    let cluster = cluster_of(600);
    let mut ears = listen(&cluster);
    assert_eq!(ears.until(FIRST).await.len(), 601);
    assert_eq!(ears.cluster.requests().verb("list").resource("nodes").len(), 2 * 3, "two rounds have begun");
    for number in 1..600 {
        ears.cluster.delete("Node", "", &format!("node-{number}")).unwrap();
    }
    ears.until(2 * FIRST + INTERVAL).await;
    ears.cluster.forget_requests();
    assert_eq!(ears.until(2 * FIRST + 2 * INTERVAL).await, ["node-0"]);
    assert_eq!(ears.reads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_summary_of_that_node_says_nothing() {
    let answers = [
        ("<html>", "the answer is no summary"),
        ("{}", "the answer is no summary"),
        ("[]", "the answer is no summary"),
        (r#"{"node": {"nodeName": "node-7"}}"#, "another node answers at its address: node-7"),
    ];
    for (body, fault) in answers {
        let cluster = cluster_of(1);
        cluster.inject(Fault::status(200).body(body).on("get", "nodes/proxy"));
        let heard = listen(&cluster).until(FIRST).await;
        assert_eq!(heard, [format!("1 of 1 unreadable: {fault} (for example node-0)")]);
    }
    let cluster = cluster_of(1);
    cluster.inject(Fault::status(200).body(" ".repeat(17 << 20)).on("get", "nodes/proxy"));
    let heard = listen(&cluster).until(FIRST).await;
    assert_eq!(heard, ["1 of 1 unreadable: the summary is larger than 16 MiB (for example node-0)"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let ears = listen(&cluster_of(1));
    drop(ears.heard);
    timeout(SECOND, ears.surveyor).await.unwrap().unwrap();
}

async fn read_all_once(cluster: &FakeCluster) -> Vec<String> {
    let client = Client::new(cluster.service(), "default");
    let (out, mut heard) = mpsc::channel(10_000);
    read_once(&client, &Kubelets::via_api_server(client.clone()), 15 * SECOND, out).await;
    let mut lines = Vec::new();
    while let Some(observation) = heard.recv().await {
        lines.push(line(&observation));
    }
    lines
}

#[tokio::test(start_paused = true)]
async fn who_does_not_stay_reads_all_at_once() {
    assert_eq!(sorted(read_all_once(&cluster_of(2)).await), ["0 of 2 unreadable", "node-0", "node-1"]);
    let cluster = cluster_of(2);
    cluster.clear_summary("node-1");
    let partly = format!("1 of 2 unreadable: {AWAY} (for example node-1)");
    assert_eq!(read_all_once(&cluster).await, ["node-0", &*partly]);
    cluster.forbid(("list", "nodes"));
    assert_eq!(read_all_once(&cluster).await, [NOT_LISTED]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_stay_waits_for_no_kubelet_for_long() {
    let cluster = cluster_of(200);
    cluster.forbid(("get", "nodes/proxy"));
    assert_eq!(read_all_once(&cluster).await, [format!("200 of 200 unreadable: {FORBIDDEN} (for example node-0)")]);
    assert!(cluster.requests().resource("nodes/proxy").len() < 40, "what holds for all need not be asked of each");
    let cluster = cluster_of(200);
    cluster.inject(Fault::hang(3 * SECOND).on("get", "nodes/proxy").always());
    let begun = Instant::now();
    let heard = read_all_once(&cluster).await;
    assert_eq!(begun.elapsed().as_secs(), 15);
    let late = "not read within 15 s (for example node-";
    assert!(heard.len() > 60 && heard.last().is_some_and(|last| last.contains(late)), "{heard:?}");
}
