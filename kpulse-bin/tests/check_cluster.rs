//! `kpulse check --cluster`: whether a configuration would work in a cluster, by the real program.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod terminal;

use kpulse_testkit::cluster::{Denial, FakeCluster};
use serde_json::json;
use terminal::Terminal;

const CONFIG: &str = "
cluster: {name: prod-eu}
channels: {webhook: {url_from_secret: HOOK}}
";

const CHECK: &str = "check --cluster --config kpulse.yaml --secrets nowhere";

async fn terminal() -> Terminal {
    let terminal = Terminal::open(FakeCluster::new()).await;
    terminal.write("kpulse.yaml", CONFIG);
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_where_all_is_ready_is_good() {
    let terminal = terminal().await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "kpulse", "name": "kpulse-secrets"},
        "data": {"HOOK": "aHR0cHM6Ly9ob29rcy5leGFtcGxlL3MzY3IzdA=="}});
    terminal.cluster.apply(secret).unwrap();
    let said = terminal.run(CHECK).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("\n  API server  https://10.0.0.1:6443 answers: Kubernetes v1."), "{}", said.out);
    assert!(said.out.contains("\n  rights      all "), "{}", said.out);
    assert!(said.out.contains("\n  secrets     Secret kpulse/kpulse-secrets holds HOOK\n"), "{}", said.out);
    assert!(!said.out.contains("s3cr3t"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_with_its_remedy() {
    let terminal = terminal().await;
    terminal.cluster.forbid(("list", "secrets"));
    terminal.cluster.forbid(Denial::of("update", "configmaps").in_namespace("kpulse"));
    let said = terminal.run(CHECK).await;
    assert_eq!(said.code, 2);
    assert!(said.out.contains("secret HOOK is missing"), "{}", said.out);
    let rights = said.out.split("\n  rights      ").nth(1).unwrap();
    let lines: Vec<&str> = rights.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("2 of ") && lines[0].ends_with(" are not granted:"), "{rights}");
    assert_eq!(lines[1..3], ["list secrets", "update configmaps kpulse-state in kpulse"]);
    assert_eq!(lines[3], "= grant them: kpulse rbac --config FILE | kubectl apply -f -");
    assert_eq!(lines[4], "secrets     there is no Secret kpulse/kpulse-secrets");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_can_be_asked_for_as_somebody_else() {
    let terminal = terminal().await;
    let said = terminal.run(&format!("{CHECK} --as system:serviceaccount:kpulse:kpulse")).await;
    assert!(said.out.contains("are granted to system:serviceaccount:kpulse:kpulse\n"), "{}", said.out);
    let reviews = terminal.cluster.requests().resource("selfsubjectaccessreviews");
    assert!(reviews.len() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_answers_that_is_told_beside_what_the_configuration_says() {
    let terminal = terminal().await;
    terminal.write("empty", "");
    let said = terminal.run(&format!("{CHECK} --kubeconfig empty")).await;
    assert_eq!(said.code, 2);
    assert!(said.out.contains("secret HOOK is missing") && said.out.contains("\n  API server  "), "{}", said.out);
}
