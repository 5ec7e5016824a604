//! `kpulse silence`, `unsilence` and `silence --list` as people run them, against a fake cluster.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod terminal;

use jiff::Timestamp;
use kpulse_testkit::builders::{deployment, namespace, node, pod};
use kpulse_testkit::cluster::FakeCluster;
use serde_json::Value;
use terminal::{Terminal, ago};

const ANNOTATION: &str = "kpulse.io/silence";

async fn terminal() -> Terminal {
    let cluster = FakeCluster::new();
    for object in [namespace("checkout"), deployment("checkout", "api", 1), deployment("checkout", "web", 1)] {
        cluster.apply(object).unwrap();
    }
    for name in ["api", "web"] {
        let pod = pod("checkout", &format!("{name}-6b9c-1")).of_deployment(name, "6b9c").container(name);
        cluster.apply(pod.crash_looping(5, ago("4m")).json()).unwrap();
    }
    cluster.apply(node("worker-3", ago("30h")).not_ready(ago("20m")).json()).unwrap();
    Terminal::open(cluster).await
}

impl Terminal {
    fn annotation(&self, kind: &str, namespace: &str, name: &str) -> Option<String> {
        let object = self.cluster.get(kind, namespace, name).unwrap();
        object["metadata"]["annotations"].get(ANNOTATION).and_then(Value::as_str).map(str::to_owned)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_written_with_its_end_and_shows_what_it_hides() {
    let terminal = terminal().await;
    let said = terminal.run("silence deploy/api -n checkout 2h --reason moving").await;
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let written = terminal.annotation("Deployment", "checkout", "api").unwrap();
    let (until, reason) = written.strip_prefix("until=").unwrap().split_once(", ").unwrap();
    let left = until.parse::<Timestamp>().unwrap().duration_since(Timestamp::now()).as_secs();
    assert!((7_000..=7_200).contains(&left) && reason == "moving", "{written}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("Silenced Deployment checkout/api until 2"), "{}", said.out);
    assert!(lines[0].ends_with(": moving"), "{}", said.out);
    assert_eq!(lines[1], "It hides, of what is wrong now:");
    assert_eq!(lines[3], "critical     4m  checkout/api  Deployment  1 Pod crash-looping CrashLoopBackOff");
    assert!(!said.out.contains("checkout/web"), "{}", said.out);
    assert!(said.out.ends_with("kpulse unsilence deployment/api -n checkout\n"), "{}", said.out);
    let said = terminal.run("unsilence deploy/api -n checkout").await;
    assert!(said.code == 0 && said.out.contains("Told, of what is wrong now:\n"), "{said:?}");
    assert_eq!(terminal.annotation("Deployment", "checkout", "api"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_only_shows() {
    let terminal = terminal().await;
    let said = terminal.run("silence ns/checkout 90m --dry-run").await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("checkout/api") && said.out.contains("checkout/web"), "{}", said.out);
    assert_eq!(terminal.annotation("Namespace", "", "checkout"), None);
    let said = terminal.run("silence node/worker-3 1h --dry-run").await;
    assert!(said.out.contains("critical    20m  worker-3  Node  not ready"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_are_listed_with_those_that_do_not_hold() {
    let terminal = terminal().await;
    assert_eq!(terminal.run("silence --list").await.out, "Nothing is silenced by annotation.\n");
    for words in ["silence deploy/api -n checkout 2h --reason moving", "silence node/worker-3 90m"] {
        assert_eq!(terminal.run(words).await.code, 0);
    }
    let annotate = |name: &str, text: &str| {
        let annotated = deployment("checkout", name, 0);
        let mut annotated = annotated;
        annotated["metadata"]["annotations"] = serde_json::json!({ANNOTATION: text});
        terminal.cluster.apply(annotated).unwrap();
    };
    annotate("old", "until=2026-01-01T00:00:00Z, done");
    annotate("odd", "until=tomorrow");
    let said = terminal.run("silence --list").await;
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("Node worker-3            until 2") && lines[0].contains(", for   1h"),
        "{}",
        said.out
    );
    assert!(lines[1].starts_with("Deployment checkout/api  until 2") && lines[1].ends_with("  moving"), "{}", said.out);
    assert_eq!(lines[2], "Deployment checkout/old  over since 2026-01-01 00:00 UTC  done");
    assert!(lines[3].starts_with("Deployment checkout/odd: `until=tomorrow` is not understood"), "{}", said.out);
    let said = terminal.run("silence --list -n checkout").await;
    assert!(!said.out.contains("worker-3") && said.out.contains("checkout/api"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_its_remedy() {
    let terminal = terminal().await;
    let said = terminal.run("silence deploy/apo -n checkout 2h").await;
    assert_eq!((said.code, said.err.as_str()), (2, "kpulse: there is no Deployment/apo in checkout\n"));
    let said = terminal.run("silence rs/api 2h").await;
    assert!(said.code == 2 && said.err.contains("kpulse does not know `rs`"), "{}", said.err);
    let said = terminal.run("silence deploy/api -n checkout --until 2020-01-01T00:00:00Z").await;
    assert!(said.code == 2 && said.err.contains("would be over already"), "{}", said.err);
    assert_eq!(terminal.run("silence deploy/api").await.code, 2);
    terminal.cluster.forbid(("patch", "deployments"));
    let said = terminal.run("silence deploy/api -n checkout 2h").await;
    assert!(said.err.starts_with("kpulse: may not change Deployment/api in checkout"), "{}", said.err);
}
