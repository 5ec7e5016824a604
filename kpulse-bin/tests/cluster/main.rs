//! kpulse, what is under `deploy/`, and a real API server. `just cluster` runs this; it wants
//!
//! - a cluster to throw away, with a Ready node or two, as the current context of kubectl, whose name begins with `k3d-`;
//! - `kubectl` on the PATH, and `helm` for the chart;
//! - optionally the audit log of its API server: `KPULSE_AUDIT_LOG=FILE`.
//!
//! Where nodes are played, their player finds annotations on the Pods that say how these are to go; elsewhere the
//! annotations say nothing, and the Pods do what their commands say.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod agent;
mod kubectl;

use std::time::{Duration, Instant};

use agent::Agent;
use kubectl::{Cluster, deploy, output};
use serde_json::{Value, json};

/// What the specification allows a trouble and its end to take.
const SOON: Duration = Duration::from_secs(30);

const TRIGGERS: [(&str, &str); 4] =
    [("crash-loop", "crash-loop"), ("missing-image", "image-pull"), ("oom-kill", "oom-loop"), ("failing-job", "fail")];

/// The triggers of the development loop, each with how a played node lets it go.
fn triggers() -> Vec<Value> {
    let mut documents = documents(&std::fs::read_to_string(deploy("dev/triggers.yaml")).unwrap());
    for document in &mut documents {
        let behaviour = TRIGGERS.iter().find(|(name, _)| document["metadata"]["name"] == *name);
        if let Some((_, behaviour)) = behaviour {
            document["spec"]["template"]["metadata"]["annotations"] =
                json!({"puppet/behaviour": behaviour, "puppet/backoff": "2"});
        }
    }
    documents
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn secret(cluster: &Cluster) -> Value {
    cluster.get("kpulse", "secret", "kpulse-secrets")["data"].clone()
}

const PATCH: &str = r#"{"stringData":{"SLACK_WEBHOOK_URL":"https://hooks.example/patched","LATER":"x"}}"#;

fn patched() -> Value {
    json!({"SLACK_WEBHOOK_URL": "aHR0cHM6Ly9ob29rcy5leGFtcGxlL3BhdGNoZWQ=", "LATER": "eA=="})
}

#[tokio::test]
#[ignore = "needs a cluster: just cluster"]
async fn the_release_is_applied_twice_and_keeps_credentials() {
    let cluster = Cluster::empty().await;
    let release = deploy("kpulse.yaml");
    let first = cluster.apply(&["-f", &release]);
    assert!(first.lines().all(|line| line.ends_with(" created")), "{first}");
    let second = cluster.apply(&["-f", &release]);
    assert!(second.lines().all(|line| line.ends_with(" unchanged")), "{second}");
    let install = |variables: &[(&str, &str)]| {
        output(cluster.command("sh").arg(deploy("install.sh")).envs(variables.iter().copied()))
    };
    let said = install(&[]);
    assert!(said.contains("secret/kpulse-secrets created"), "{said}");
    assert_eq!(secret(&cluster), Value::Null, "a stub");
    cluster.kubectl(&["-n", "kpulse", "patch", "secret", "kpulse-secrets", "-p", PATCH]);
    cluster.kubectl(&[
        "-n",
        "kpulse",
        "patch",
        "configmap",
        "kpulse-config",
        "-p",
        r#"{"data":{"config.yaml":"mine"}}"#,
    ]);
    let said = install(&[("KPULSE_VERSION", "0.0.9")]);
    assert!(said.contains("Your configuration is kept") && said.contains("kpulse runs kpulse/kpulse:0.0.9."), "{said}");
    assert_eq!(secret(&cluster), patched(), "after install.sh");
    assert_eq!(cluster.get("kpulse", "configmap", "kpulse-config")["data"]["config.yaml"], "mine");
    cluster.apply(&["-f", &release]);
    assert_eq!(secret(&cluster), patched(), "after kubectl apply");
}

#[tokio::test]
#[ignore = "needs a cluster: just cluster"]
async fn where_install_sh_cannot_it_says_what_to_do_and_touches_nothing() {
    let cluster = Cluster::empty().await;
    let install = |kubeconfig: &str, context: &str| {
        let file = std::env::temp_dir().join(format!("kpulse-install-{}", std::process::id()));
        std::fs::write(&file, kubeconfig).unwrap();
        let mut script = cluster.command("sh");
        script.arg(deploy("install.sh")).env("KUBECONFIG", &file).env("KPULSE_CONTEXT", context);
        let output = script.output().unwrap();
        std::fs::remove_file(file).unwrap();
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    };
    let own = cluster.kubeconfig();
    let context = own["current-context"].as_str().unwrap();

    let said = install(&own.to_string(), "elsewhere");
    assert!(said.contains("kubectl has no context elsewhere\n  Choose one of these"), "{said}");

    let mut offline = own.clone();
    offline["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    let said = install(&offline.to_string(), context);
    assert!(said.contains("cannot reach the cluster of context") && said.contains("cluster-info"), "{said}");

    let mut unknown = own.clone();
    unknown["users"][0]["user"] = json!({"token": "nobody"});
    let said = install(&unknown.to_string(), context);
    assert!(said.contains("does not know you") && said.contains("Log in again"), "{said}");

    cluster.kubectl(&["create", "namespace", "team-a"]);
    let said = install(&cluster.kubeconfig_of("team-a", "default"), context);
    assert!(said.contains("you may not do this") && said.contains("create namespaces, clusterroles"), "{said}");
    assert!(said.contains("overlays/namespaced"), "{said}");

    let left =
        cluster.kubectl(&["get", "namespaces,clusterroles", "-l", "app.kubernetes.io/name=kpulse", "-o", "name"]);
    assert_eq!(left, "");
}

#[tokio::test]
#[ignore = "needs a cluster: just cluster"]
async fn an_upgrade_of_the_chart_keeps_credentials() {
    let cluster = Cluster::empty().await;
    let helm = |arguments: &[&str]| {
        let chart = deploy("helm/kpulse");
        output(cluster.command("helm").args(arguments).args(["kpulse", &chart, "--namespace", "kpulse"]))
    };
    let made = "secret.create=true,secret.data.SLACK_WEBHOOK_URL=https://hooks.example/first";
    helm(&["install", "--create-namespace", "--set", made]);
    cluster.kubectl(&["-n", "kpulse", "patch", "secret", "kpulse-secrets", "-p", PATCH]);
    helm(&["upgrade", "--set", made]);
    assert_eq!(secret(&cluster), patched(), "after an upgrade with the values of before");
    helm(&["upgrade", "--set", &format!("{made},secret.data.NEW=n")]);
    let mut more = patched();
    more["NEW"] = json!("bg==");
    assert_eq!(secret(&cluster), more, "a new key is added");
    helm(&["upgrade", "--set", "secret.create=false"]);
    assert_eq!(secret(&cluster), more, "after an upgrade that asks for no Secret any more");
    output(cluster.command("helm").args(["uninstall", "kpulse", "--namespace", "kpulse"]));
    assert_eq!(secret(&cluster), more, "after an uninstall");
}

#[tokio::test]
#[ignore = "needs a cluster: just cluster"]
async fn with_the_rights_of_the_release_the_four_triggers_are_told_and_end() {
    let cluster = Cluster::empty().await;
    cluster.apply(&["-f", &deploy("kpulse.yaml")]);
    cluster.kubectl(&["-n", "kpulse", "create", "secret", "generic", "kpulse-secrets"]);
    let dev = documents(&std::fs::read_to_string(deploy("dev/kpulse.dev.yaml")).unwrap());
    let map = |name: &str| dev.iter().find(|it| it["kind"] == "ConfigMap" && it["metadata"]["name"] == name).unwrap();
    let config = map("kpulse-config")["data"]["config.yaml"].as_str().unwrap();
    let mut agent = Agent::start(&cluster, config).await;
    // Every channel but Slack leads to the sink from the beginning.
    for (key, value) in map("kpulse-sink")["data"].as_object().unwrap() {
        if key != "SLACK_WEBHOOK_URL" {
            agent.put_secret(key, value.as_str().unwrap());
        }
    }
    agent.until_ready().await;
    cluster.apply_documents(&triggers());
    let begun = Instant::now();
    for (name, _) in TRIGGERS {
        let told = agent.told("webhook", |told| told["state"] == "firing" && is_about(told, name)).await;
        eprintln!("{:>5.1}s {}", begun.elapsed().as_secs_f64(), told["title"]);
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    // Somebody brings the missing address: what Slack is owed reaches it, and nobody restarts anything.
    assert_eq!(agent.count("slack"), 0);
    let address = format!(r#"{{"stringData":{{"SLACK_WEBHOOK_URL":"{}"}}}}"#, agent.sink_url("slack"));
    cluster.kubectl(&["-n", "kpulse", "patch", "secret", "kpulse-secrets", "-p", &address]);
    agent.mount(&secret(&cluster));
    agent.until("Slack is told", |agent| agent.count("slack") >= TRIGGERS.len()).await;
    for (name, _) in TRIGGERS {
        let kind = if name == "failing-job" { "job" } else { "deployment" };
        let begun = Instant::now();
        cluster.kubectl(&["-n", "triggers", "delete", kind, name]);
        let told = agent.told("webhook", |told| told["state"] == "resolved" && is_about(told, name)).await;
        eprintln!("{:>5.1}s {}", begun.elapsed().as_secs_f64(), told["title"]);
        assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
    }
    let blind: Vec<Value> =
        agent.messages("webhook").into_iter().filter(|told| told["monitor"] == "blindness").collect();
    eprintln!("of itself it said: {:#?}", blind.iter().map(|told| &told["title"]).collect::<Vec<_>>());
    assert!(blind.len() <= 1, "{blind:#?}");
    agent.end(&cluster).await;
}

#[tokio::test]
#[ignore = "needs a cluster: just cluster"]
async fn with_roles_in_two_namespaces_it_runs_and_says_once_what_it_does_not_see() {
    let cluster = Cluster::empty().await;
    for namespace in ["kpulse", "team-a", "team-b", "team-c"] {
        cluster.kubectl(&["create", "namespace", namespace]);
    }
    let overlay = deploy("overlays/namespaced");
    cluster.apply(&["-k", &overlay]);
    let second = cluster.apply(&["-k", &overlay]);
    assert!(second.lines().all(|line| line.ends_with(" unchanged")), "{second}");
    let mut config: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(deploy("overlays/namespaced/config.yaml")).unwrap()).unwrap();
    config["channels"] = json!({"webhook": {"url": "http://echo-sink:8081/webhook"}});
    config["monitors"]["pod_crashes"] = json!({"settle": "0s"});
    let mut agent = Agent::start(&cluster, &config.to_string()).await;
    agent.until_ready().await;
    let told = agent.told("webhook", |told| told["monitor"] == "blindness").await;
    eprintln!("{}\n{}", told["title"], told["body"]);
    for unseen in ["namespaces", "nodes"] {
        assert!(told["body"].as_str().unwrap().contains(unseen), "{told:#}");
    }
    let crash = triggers().into_iter().find(|it| it["metadata"]["name"] == "crash-loop").unwrap();
    for namespace in ["team-c", "team-a", "team-b"] {
        let mut crash = crash.clone();
        crash["metadata"]["namespace"] = json!(namespace);
        cluster.apply_documents(&[crash]);
    }
    for namespace in ["team-a", "team-b"] {
        agent.told("webhook", |told| told["namespace"] == namespace && is_about(told, "crash-loop")).await;
    }
    let messages = agent.messages("webhook");
    assert!(messages.iter().all(|told| told["namespace"] != "team-c"), "{messages:#?}");
    assert_eq!(messages.iter().filter(|told| told["monitor"] == "blindness").count(), 1, "{messages:#?}");
    agent.end(&cluster).await;
}

fn is_about(told: &Value, name: &str) -> bool {
    let about = |key: &str| told[key].as_str().is_some_and(|text| text.ends_with(&format!("/{name}")));
    about("workload") || told["name"] == name
}
