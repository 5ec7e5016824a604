//! The rights that `kpulse rbac` prints, held against what the real program asks of an API server: they are enough, and
//! none is idle.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod stage;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kpulse_testkit::builders::{Death, pod};
use kpulse_testkit::cluster::{Denial, RecordedRequest};
use serde_json::{Value, json};
use stage::{PATIENCE, Stage};

/// What one rule lets one verb do with one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    /// Empty: everywhere.
    namespace: String,
    verb: String,
    group: String,
    resource: String,
    /// Empty: any.
    name: String,
}

impl Right {
    fn covers(&self, request: &RecordedRequest) -> bool {
        let group = match request.path.strip_prefix("/apis/") {
            Some(rest) => rest.split('/').next().unwrap_or_default(),
            None => "",
        };
        (self.namespace.is_empty() || self.namespace == request.namespace)
            && (&*self.verb, &*self.group, &*self.resource) == (&request.verb, group, &request.resource)
            && (self.name.is_empty() || self.name == request.name)
    }

    /// A server that streams its lists is sent watches only; others need `list` for the same.
    fn is_used_by(&self, request: &RecordedRequest) -> bool {
        let watch = Self { verb: "watch".to_owned(), ..self.clone() };
        self.covers(request)
            || self.verb == "list" && request.query.contains("sendInitialEvents") && watch.covers(request)
    }
}

/// What `kpulse rbac` prints, taken apart.
fn rights(config: &Path) -> BTreeSet<Right> {
    let printed = Command::new(env!("CARGO_BIN_EXE_kpulse"))
        .args(["rbac", "--namespace", "kpulse", "--config"])
        .arg(config)
        .env_clear()
        .output()
        .unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8(printed.stdout).unwrap()).unwrap();
    let mut rights = BTreeSet::new();
    for role in &documents {
        let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
        for rule in role["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        let names = texts(&rule["resourceNames"]);
                        let names = if names.is_empty() { vec![String::new()] } else { names };
                        rights.extend(names.into_iter().map(|name| Right {
                            namespace: namespace.to_owned(),
                            verb: verb.clone(),
                            group: group.clone(),
                            resource: resource.clone(),
                            name,
                        }));
                    }
                }
            }
        }
    }
    rights
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Every authenticated account may ask what it may, and which version this is.
fn is_free(request: &RecordedRequest) -> bool {
    request.resource.is_empty() || request.resource.starts_with("selfsubject")
}

/// Waits until no right is idle, and has every request found among the rights.
async fn hold_against_rights(stage: &Stage) {
    let rights = rights(&stage.config_file());
    let end = Instant::now() + PATIENCE;
    loop {
        let asked: Vec<RecordedRequest> = stage.cluster.requests().into_iter().filter(|it| !is_free(it)).collect();
        for request in &asked {
            assert!(rights.iter().any(|right| right.covers(request)), "not granted: {request:?}");
            assert_ne!(request.status, Some(403), "{request:?}");
        }
        let idle: Vec<_> =
            rights.iter().filter(|right| !asked.iter().any(|request| right.is_used_by(request))).collect();
        if idle.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "granted and never used: {idle:#?}; {}", stage.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A crash with a log in each of these namespaces, told one after the other so that each is saved.
async fn crash_in(stage: &Stage, namespaces: &[&str], told_before: usize) {
    for (number, namespace) in (1..).zip(namespaces) {
        stage.cluster.set_log(namespace, "api", "main", true, "no database");
        stage.cluster.apply(pod(namespace, "api").ended(1, Death::Exit(1), Timestamp::now()).json()).unwrap();
        stage.accepted(told_before + number).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_rights_are_enough_and_none_is_idle() {
    let mut stage = Stage::build().await;
    stage.is_new();
    stage.configure(&format!("{}\nkubelet: {{via_api_server: true}}", stage.webhook()));
    // Each has its own time within the first minute: of twenty, some come soon.
    for number in 0..20 {
        let name = format!("node-{number}");
        stage.cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})).unwrap();
        stage.cluster.set_summary(&name, json!({"node": {"nodeName": name}, "pods": []}));
    }
    stage.start();
    stage.wait_until_ready().await;
    crash_in(&stage, &["shop", "blog"], 0).await;
    hold_against_rights(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_roles_in_two_namespaces_nothing_else_is_asked_and_what_is_not_seen_is_said_once() {
    let mut stage = Stage::build().await;
    stage.is_new();
    stage.configure(&format!("{}\nnamespaces: {{include: [shop, blog]}}", stage.webhook()));
    stage.cluster.forbid(Denial::of("*", "*").cluster_wide());
    stage.start();
    stage.wait_until_ready().await;
    let told = stage.accepted(1).await;
    assert_eq!(told[0].title, "kpulse cannot see kubelet summaries, namespaces, nodes");
    crash_in(&stage, &["shop", "blog"], 1).await;
    hold_against_rights(&stage).await;
    let (code, ready) = stage.get("/readyz?verbose").await;
    assert_eq!(code, 200);
    assert!(ready.contains("cannot see nodes: may not list and watch nodes in the whole cluster"), "{ready}");
    assert!(ready.contains("cannot read kubelets: may not list nodes"), "{ready}");
    assert_eq!(stage.told().len(), 3, "{:?}", stage.told());
}
