//! `kpulse scan` as people run it: the real program against a fake cluster.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod terminal;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use kpulse_testkit::builders::{Death, daemon_set, deployment, namespace, node, pod};
use kpulse_testkit::cluster::{Denial, FakeCluster, Fault};
use serde_json::{Value, json};
use terminal::{Said, Terminal, ago};

const KPULSE: &str = env!("CARGO_BIN_EXE_kpulse");

fn broken(namespace: &str, name: &str) -> Value {
    pod(namespace, name).container("web").ended(3, Death::Exit(1), ago("4m")).json()
}

fn disk(node: &str, available: u64) -> Value {
    json!({"node": {"nodeName": node, "fs": {"capacityBytes": 1000, "availableBytes": available, "usedBytes": 1000 - available}}})
}

/// A cluster in which all is well.
fn healthy() -> FakeCluster {
    let cluster = FakeCluster::new();
    let objects = [
        namespace("checkout"),
        namespace("shop"),
        namespace("kube-system"),
        deployment("checkout", "api", 3),
        pod("shop", "web-0").running(ago("2h")).json(),
        node("worker-1", ago("30h")).json(),
    ];
    for object in objects {
        cluster.apply(object).unwrap();
    }
    cluster.set_summary("worker-1", disk("worker-1", 900));
    cluster
}

async fn scan(objects: impl IntoIterator<Item = Value>, words: &str) -> Said {
    let cluster = healthy();
    for object in objects {
        cluster.apply(object).unwrap();
    }
    Terminal::open(cluster).await.run(&format!("scan {words}")).await
}

/// Which of these the scan found, by the name of the object.
fn firing(said: &Said) -> Vec<String> {
    let picture: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    picture["firing"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_cluster_is_one_line_and_good() {
    let said = scan([], "").await;
    let expect = "fake (https://10.0.0.1:6443): nothing is broken in 1 Pod, 1 workload, 1 node\n\n\
                  Left out: namespace kube-system; -A looks there too\n\
                  Not judged: pod_restarts, which one look cannot tell; --watch can\n";
    assert_eq!((said.out.as_str(), said.err.as_str(), said.code), (expect, "", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_shown_worst_first_and_by_workload() {
    let api = |number: u32| {
        let api = pod("checkout", &format!("api-6b9c-{number}")).of_deployment("api", "6b9c").container("api");
        api.crash_looping(5, ago("4m")).json()
    };
    let agent = daemon_set("shop", "agent", 3, ago("1h")).rolling(1, 3, 3, 1, ago("1h")).json();
    let failed = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "shop", "name": "import"},
        "status": {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit", "lastTransitionTime": ago("3h").to_string()}]}});
    let said = scan([api(1), api(2), api(3), agent, failed], "").await;
    assert_eq!(said.code, 1);
    let lines: Vec<&str> = said.out.lines().take(11).map(str::trim_end).collect();
    let expect = [
        "fake (https://10.0.0.1:6443): 1 critical, 1 warning in 4 Pods, 3 workloads, 1 node",
        "",
        "SEVERITY  SINCE  WHERE                     WHAT",
        "critical     4m  checkout/api  Deployment  3 Pods crash-looping CrashLoopBackOff",
        "                                           api exits 1 after 2s, 5 restarts",
        "                                           kubectl -n checkout logs deploy/api -c api --previous",
        "warning      3h  shop/import   Job         failed BackoffLimitExceeded",
        "                                           Job has reached the specified backoff limit (1 Pod failed)",
        "                                           kubectl -n shop describe job import",
        "",
        "Not due yet: kpulse would tell of these if they last",
    ];
    assert_eq!(lines, expect, "{}", said.out);
    assert!(said.out.contains("  shop/agent  DaemonSet  not ready on all its nodes\n"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_is_for_scripts() {
    let warning = || pod("shop", "web-1").annotation("kpulse.io/max-severity", "warning").crash_looping(3, ago("4m"));
    assert_eq!(scan([broken("shop", "web-1")], "--fail-on critical").await.code, 1);
    assert_eq!(scan([warning().json()], "--fail-on critical").await.code, 0);
    assert_eq!(scan([warning().json()], "").await.code, 1);
    let event = json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "DNSConfigForming",
        "metadata": {"namespace": "shop", "name": "e1"}, "lastTimestamp": ago("5m").to_string(),
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-0"}, "message": "too many nameservers"});
    let said = scan([event.clone()], "").await;
    assert!(
        said.out.contains("Lately: Warning Events of the last 15 minutes\ninfo         5m  shop/web-0  Pod"),
        "{}",
        said.out
    );
    assert_eq!(said.code, 0);
    assert_eq!(scan([event], "--fail-on info").await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_to_look_is_obeyed_and_what_is_left_out_is_said() {
    let objects = || [broken("shop", "a"), broken("checkout", "b"), broken("kube-system", "c")];
    let said = scan(objects(), "-o json").await;
    assert_eq!(firing(&said), ["b", "a"]);
    let picture: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(picture["excluded"], json!([{"namespace": "kube-system", "troubles": 1}]));
    assert_eq!(firing(&scan(objects(), "-o json -A").await), ["b", "c", "a"]);
    let said = scan(objects(), "-o json -n kube-system -n shop").await;
    assert_eq!(firing(&said), ["c", "a"]);
    let picture: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(picture["excluded"], json!([]), "what was not asked for is not left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_namespace_the_rights_of_its_users_are_enough() {
    let cluster = healthy();
    cluster.forbid(Denial::of("*", "*").cluster_wide());
    cluster.forbid(("*", "nodes"));
    cluster.apply(broken("shop", "a")).unwrap();
    let terminal = Terminal::open(cluster).await;
    let said = terminal.run("scan -n shop").await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("critical     4m  shop/a  Pod  crash-looping CrashLoopBackOff\n"), "{}", said.out);
    assert!(said.out.contains("Not seen: how full disks and volumes are: may not list nodes; "), "{}", said.out);
    let said = terminal.run("scan").await;
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("could not look at https://10.0.0.1:6443: pods: the API server answered 403"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_choose_objects_those_too_that_only_kubelets_speak_of() {
    let cluster = healthy();
    let labelled = |mut object: Value, team: &str| {
        object["metadata"]["labels"]["team"] = json!(team);
        object
    };
    cluster.apply(labelled(broken("shop", "a"), "shop")).unwrap();
    cluster.apply(labelled(broken("shop", "b"), "blog")).unwrap();
    for (name, team) in [("worker-2", "shop"), ("worker-3", "blog")] {
        cluster.apply(labelled(node(name, ago("30h")).json(), team)).unwrap();
        cluster.set_summary(name, disk(name, 10));
    }
    let terminal = Terminal::open(cluster).await;
    let said = terminal.run("scan -o json -l team=shop").await;
    let mut found = firing(&said);
    found.sort();
    assert_eq!(found, ["a", "worker-2"]);
    let said = terminal.run("scan -l team=").await;
    assert_eq!(said.code, 0, "{}", said.out);
    assert_eq!(terminal.run("scan -l =").await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_is_never_taken_for_well() {
    let cluster = healthy();
    cluster.forbid(("list", "secrets"));
    cluster.hide_group("autoscaling/v2");
    let terminal = Terminal::open(cluster.clone()).await;
    let said = terminal.run("scan").await;
    assert!(
        said.out.contains("nothing is broken in 1 Pod, 1 workload, 1 node, as far as can be seen\n"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("Not seen: secrets (type=kubernetes.io/tls): the API server answered 403"),
        "{}",
        said.out
    );
    assert!(said.out.contains("this cluster has no horizontalpodautoscalers in autoscaling/v2\n"), "{}", said.out);
    assert_eq!(said.code, 0);
    assert_eq!(terminal.run("scan --strict").await.code, 2);
    cluster.inject(Fault::status(500).on("list", "pods").always());
    let said = terminal.run("scan").await;
    assert_eq!(said.code, 2);
    assert!(said.out.contains("Not seen: pods: the API server answered 500"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_answers_that_is_said_at_once() {
    let terminal = Terminal::open(healthy()).await;
    let kubeconfig = std::fs::read_to_string(terminal.directory.join("kubeconfig")).unwrap();
    let nowhere = kubeconfig.lines().map(|line| match line.split_once("server: ") {
        Some((indent, _)) => format!("{indent}server: http://127.0.0.1:1\n"),
        None => format!("{line}\n"),
    });
    terminal.write("nowhere", &nowhere.collect::<String>());
    let said = terminal.run("scan --kubeconfig nowhere").await;
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("kpulse: could not look at http://127.0.0.1:1: cannot speak to the API server"),
        "{}",
        said.err
    );
    let said = terminal.run("scan -n shpo").await;
    assert_eq!(
        (said.code, said.err.as_str()),
        (2, "kpulse: could not look at https://10.0.0.1:6443: there is no namespace shpo\n")
    );
    let said = terminal.run("scan --context other").await;
    assert!(said.code == 2 && said.err.contains("context other"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_runs_it_as_a_plugin() {
    let terminal = Terminal::open(healthy()).await;
    let plugin = terminal.directory.join("kubectl-kpulse");
    std::fs::copy(KPULSE, &plugin).unwrap();
    for words in ["", "-n shop", "scan -n shop"] {
        let said = terminal.run_as(&plugin, words).await;
        assert!(said.code == 0 && said.out.contains("nothing is broken"), "{words}: {said:?}");
    }
    assert!(terminal.run_as(&plugin, "--help").await.out.contains("kubectl kpulse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_shown_to_who_stays() {
    let cluster = healthy();
    let terminal = Terminal::open(cluster.clone()).await;
    let mut command = terminal.command(Path::new(KPULSE));
    command.args(["scan", "--watch", "-o", "json"]).stdout(Stdio::piped()).stdin(Stdio::null());
    let mut watching = command.spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || firing(&Said { code: 0, out: lines.next().unwrap().unwrap(), err: String::new() });
    assert_eq!(next(), [""; 0]);
    cluster.apply(broken("shop", "a")).unwrap();
    assert_eq!(next(), ["a"]);
    cluster.delete("Pod", "shop", "a").unwrap();
    assert_eq!(next(), [""; 0]);
    cluster.apply(broken("shop", "b")).unwrap();
    assert_eq!(next(), ["b"]);
    let ended = std::process::Command::new("kill").args(["-TERM", &watching.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(watching.wait().unwrap().code(), Some(1), "what is broken at the end decides");
}
