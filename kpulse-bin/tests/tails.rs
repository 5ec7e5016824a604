//! The real program: what a container said last comes with the message, and never instead of it.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod stage;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kpulse_testkit::builders::{Death, pod};
use kpulse_testkit::cluster::{Denial, Fault};
use serde_json::{Value, json};
use stage::Stage;

/// Two channels: `night` is told of missing images, `ops` of everything else; of what happens in `both`, both.
fn channels(stage: &Stage) -> String {
    let url = stage.serving.url_of("webhook");
    format!(
        "{{webhook: {{ops: {{url: {url:?}, headers: {{X-To: ops}}}}, night: {{url: {url:?}, headers: {{X-To: night}}}}}}}}\n\
         routing: [{{match: {{namespace: both}}, channels: [ops, night]}}, {{match: {{reason: ErrImagePull}}, channels: [night]}}]"
    )
}

async fn watching() -> Stage {
    let mut stage = Stage::build().await;
    stage.configure(&channels(&stage));
    stage.start();
    stage.wait_until_watching().await;
    stage
}

fn crash(stage: &Stage, namespace: &str) {
    stage.cluster.apply(pod(namespace, "api").ended(1, Death::Exit(1), Timestamp::now()).json()).unwrap();
}

/// The bodies of what was accepted, and the channel of each.
fn bodies(stage: &Stage) -> Vec<(String, Value)> {
    let to = |name: Option<&str>| name.unwrap_or_default().to_owned();
    stage.sink.accepted().iter().map(|message| (to(message.header("x-to")), message.json().unwrap())).collect()
}

fn fetches(stage: &Stage) -> usize {
    stage.cluster.requests().iter().filter(|request| request.resource == "pods/log").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_words_come_with_the_message_and_without_their_secrets() {
    let stage = watching().await;
    let log = "starting\nconnect postgres://app:s3cr3t@db/shop\n\u{1b}[31mFATAL\u{1b}[0m password=s3cr3t is wrong\n";
    stage.cluster.apply(pod("shop", "api").running(Timestamp::now()).json()).unwrap();
    stage.cluster.set_log("shop", "api", "main", true, log);
    crash(&stage, "shop");
    stage.accepted(1).await;
    let (_, body) = bodies(&stage).remove(0);
    assert_eq!(body["log"], json!(["starting", "connect postgres://app:***@db/shop", "FATAL password=*** is wrong"]));
    let said = body["body"].as_str().unwrap();
    assert!(said.contains("\n> FATAL password=*** is wrong\nkubectl "), "{said}");
    assert!(!body.to_string().contains("s3cr3t") && !stage.log().contains("s3cr3t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_or_a_broken_kubelet_only_costs_the_log() {
    let stage = watching().await;
    stage.cluster.forbid(Denial::of("get", "pods/log"));
    crash(&stage, "shop");
    stage.accepted(1).await;
    stage.cluster.allow_all();
    stage.cluster.inject(Fault::status(500).on("get", "pods/log").always());
    crash(&stage, "bank");
    stage.accepted(2).await;
    for (_, body) in bodies(&stage) {
        assert_eq!((&body["log"], body["state"].as_str()), (&json!([]), Some("firing")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_come_costs_two_seconds_and_other_channels_nothing() {
    let stage = watching().await;
    stage.cluster.inject(Fault::hang(Duration::from_secs(60)).on("get", "pods/log").always());
    let begin = Instant::now();
    crash(&stage, "shop");
    let image = pod("shop", "web").waiting("ErrImagePull", "not found").json();
    stage.cluster.apply(image).unwrap();
    stage.accepted(1).await;
    let image_after = begin.elapsed();
    assert_eq!(bodies(&stage)[0].0, "night");
    assert!(image_after < Duration::from_millis(1_500), "other channels waited {image_after:?}");
    stage.accepted(2).await;
    let crash_after = begin.elapsed();
    assert!((1_900..4_000).contains(&crash_after.as_millis()), "the crash waited {crash_after:?}");
    assert_eq!(bodies(&stage)[1].0, "ops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_fetched_once_for_all_channels() {
    let stage = watching().await;
    stage.cluster.apply(pod("both", "api").running(Timestamp::now()).json()).unwrap();
    stage.cluster.set_log("both", "api", "main", true, "no database");
    crash(&stage, "both");
    stage.accepted(2).await;
    assert_eq!(fetches(&stage), 1);
    let mut channels: Vec<String> = bodies(&stage).into_iter().map(|(channel, _)| channel).collect();
    channels.sort();
    assert_eq!(channels, ["night", "ops"]);
    assert!(bodies(&stage).iter().all(|(_, body)| body["log"] == json!(["no database"])));
    stage.cluster.delete("Pod", "both", "api").unwrap();
    stage.accepted(4).await;
    assert_eq!(fetches(&stage), 1, "an end has no last words");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_no_logs_gets_none_and_whoever_wants_few_gets_the_last() {
    let mut stage = Stage::build().await;
    let settings = ["include_recent_logs: false", "max_log_lines: 2"];
    for (told, (setting, expect)) in (1..).zip(settings.into_iter().zip([json!([]), json!(["b", "c"])])) {
        stage.configure_crashes(&stage.webhook(), setting);
        stage.start();
        stage.wait_until_watching().await;
        let name = format!("api-{told}");
        let api = || pod("shop", &name);
        stage.cluster.apply(api().running(Timestamp::now()).json()).unwrap();
        stage.cluster.set_log("shop", &name, "main", true, "a\nb\nc\n");
        stage.cluster.apply(api().ended(1, Death::Exit(1), Timestamp::now()).json()).unwrap();
        stage.accepted(told).await;
        assert_eq!(bodies(&stage)[told - 1].1["log"], expect, "{setting}");
        assert_eq!(fetches(&stage), told - 1);
        assert!(stage.terminate().await.success());
        let end = Instant::now() + stage::PATIENCE;
        while stage.cluster.open_watches("pods") > 0 {
            assert!(Instant::now() < end, "the watches of who ended stay");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
