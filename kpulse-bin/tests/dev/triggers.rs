//! kpulse with the configuration of `deploy/dev/kpulse.dev.yaml`, between a fake cluster and the sink: what
//! `tilt up -- triggers` promises.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kpulse_testkit::builders::{Death, deployment, job, pod};
use kpulse_testkit::sink::Message;
use serde_json::Value;

use super::read;
use super::stage::Stage;

/// How soon each must have reached the sink.
const SOON: Duration = Duration::from_secs(30);
/// Without Telegram, which takes a message in three seconds.
const CHANNELS: [&str; 9] =
    ["webhook", "slack", "discord", "teams", "mattermost", "googlechat", "ntfy", "pagerduty", "alertmanager"];

/// The data of a ConfigMap of the manifest, with the sink where this test has it.
fn data(stage: &Stage, name: &str) -> serde_json::Map<String, Value> {
    let sink = stage.serving.url();
    let text = read("deploy/dev/kpulse.dev.yaml").replace("http://echo-sink:8081", sink.trim_end_matches('/'));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let is_it = |document: &&Value| document["kind"] == "ConfigMap" && document["metadata"]["name"] == name;
    documents.iter().find(is_it).unwrap()["data"].as_object().unwrap().clone()
}

async fn develop() -> Stage {
    let mut stage = Stage::build().await;
    std::fs::write(stage.config_file(), data(&stage, "kpulse-config")["config.yaml"].as_str().unwrap()).unwrap();
    for (key, value) in data(&stage, "kpulse-sink") {
        stage.put_secret(&key, value.as_str().unwrap());
    }
    stage.start();
    stage.wait_until_watching().await;
    stage
}

/// Waits until each kind of channel was told of each of these, by a message that fits.
async fn told_everywhere(stage: &Stage, of: &[&str], fits: impl Fn(&Message, &str) -> bool) {
    let begin = Instant::now();
    loop {
        let accepted = stage.sink.accepted();
        let told = |kind: &str, name: &str| {
            accepted.iter().any(|message| message.kind.as_str() == kind && fits(message, name))
        };
        let pairs = CHANNELS.iter().flat_map(|kind| of.iter().map(move |name| (*kind, *name)));
        let missing: Vec<_> = pairs.filter(|(kind, name)| !told(kind, name)).collect();
        if missing.is_empty() {
            return;
        }
        assert!(begin.elapsed() < SOON, "not told: {missing:?}: {}", stage.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_reach_every_channel_and_so_does_the_end_of_each() {
    let stage = develop().await;
    let now = Timestamp::now();
    let of = |name: &str| pod("triggers", &format!("{name}-x-1")).of_deployment(name, "x").container(name);
    for name in ["crash-loop", "missing-image", "oom-kill"] {
        stage.cluster.apply(deployment("triggers", name, 1)).unwrap();
    }
    let message = "failed to pull image: not found";
    let pods = [
        of("crash-loop").ended(1, Death::Exit(1), now),
        of("missing-image").waiting("ErrImagePull", message),
        of("oom-kill").ended(0, Death::OutOfMemory, now),
    ];
    for pod in pods {
        stage.cluster.apply(pod.json()).unwrap();
    }
    stage.cluster.apply(job("triggers", "failing-job", now).failed(now).json()).unwrap();
    let triggers = ["crash-loop", "missing-image", "oom-kill", "failing-job"];
    told_everywhere(&stage, &triggers, |message, name| message.told().contains(name)).await;
    let before = stage.sink.messages().last().unwrap().id;
    for name in ["crash-loop", "missing-image", "oom-kill"] {
        stage.cluster.delete("Deployment", "triggers", name).unwrap();
        stage.cluster.delete("Pod", "triggers", &format!("{name}-x-1")).unwrap();
    }
    stage.cluster.delete("Job", "triggers", "failing-job").unwrap();
    told_everywhere(&stage, &triggers, |message, name| {
        // An incident is ended by its key alone.
        message.id > before && (message.text().contains(name) || message.text().contains("\"resolve\""))
    })
    .await;
    let ended = stage.sink.messages_of("pagerduty").iter().filter(|message| message.id > before).count();
    assert_eq!(ended, triggers.len());
}
