//! The real program: what reaches people when channels fail, secrets are late, and the agent is asked to end.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod stage;

use std::time::Duration;

use jiff::Timestamp;
use kpulse_testkit::builders::{Death, deployment, pod};
use kpulse_testkit::sink::{Behaviour, RetryAfter};
use serde_json::json;
use stage::Stage;

/// Makes a Pod crash-loop: its second failure in a row.
fn crash(stage: &Stage, name: &str) {
    stage.cluster.apply(pod("shop", name).ended(1, Death::Exit(1), Timestamp::now()).json()).unwrap();
}

async fn watching() -> Stage {
    let mut stage = Stage::build().await;
    stage.start();
    stage.wait_until_watching().await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_that_is_never_called_one_is_told_and_ends_when_it_runs() {
    let stage = watching().await;
    let now = Timestamp::now;
    stage.cluster.apply(deployment("shop", "api", 1)).unwrap();
    let api = || pod("shop", "api-x-1").of_deployment("api", "x").container("api");
    for life in
        [api().running(now()), api().ended(0, Death::Exit(1), now()), api().running_after(1, Death::Exit(1), now())]
    {
        stage.cluster.apply(life.json()).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(stage.told().is_empty(), "one failure is no alert");
    let failed = std::time::Instant::now();
    stage.cluster.apply(api().ended(1, Death::Exit(1), now()).json()).unwrap();
    let told = stage.accepted(1).await;
    assert!(failed.elapsed() < Duration::from_secs(10));
    assert_eq!(told[0].line(), "firing shop/api");
    stage.cluster.apply(api().running_after(2, Death::Exit(1), now()).json()).unwrap();
    let told = stage.accepted(2).await;
    assert_eq!((told[1].line().as_str(), told[1].ending.as_deref()), ("resolved shop/api", Some("recovered")));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_channel_answers_503_detection_goes_on_and_everything_arrives_in_order() {
    let stage = watching().await;
    stage.sink.from_now_on("webhook", Behaviour::status(503));
    crash(&stage, "first");
    stage.sink.wait_for_count(1, |_| true, stage::PATIENCE).await.unwrap();
    crash(&stage, "second");
    crash(&stage, "third");
    stage.cluster.delete("Pod", "shop", "third").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(stage.get("/readyz").await.0, 200);
    assert!(stage.get("/readyz?verbose").await.1.contains("channel webhook: "), "the failing channel is shown");
    stage.sink.heal();
    let told = stage.accepted(2).await;
    let lines: Vec<String> = told.iter().map(stage::Told::line).collect();
    // The third came and went while nobody could be told: that is no news any more.
    assert_eq!(lines, ["firing shop/first", "firing shop/second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_asks_for_a_pause_gets_it() {
    let stage = watching().await;
    stage.sink.script("webhook", [Behaviour::retry_after(RetryAfter::Seconds(3))]);
    let begin = std::time::Instant::now();
    crash(&stage, "first");
    stage.accepted(1).await;
    assert!(begin.elapsed() >= Duration::from_secs(3), "told after {:?}", begin.elapsed());
    assert_eq!(stage.sink.count(), 2, "one attempt, and one after the pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_hangs_gets_the_message_once_it_recovers() {
    let stage = watching().await;
    stage.sink.script("webhook", [Behaviour::Hang]);
    crash(&stage, "first");
    stage.sink.wait_for_count(1, |_| true, stage::PATIENCE).await.unwrap();
    crash(&stage, "second");
    let told = stage.accepted(2).await;
    let lines: Vec<String> = told.iter().map(stage::Told::line).collect();
    assert_eq!(lines, ["firing shop/first", "firing shop/second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_its_secret_is_in_fault_until_the_key_appears() {
    let mut stage = Stage::build().await;
    stage.configure("{webhook: {url_from_secret: WEBHOOK_URL}}");
    stage.start();
    stage.wait_until_watching().await;
    crash(&stage, "first");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (_, ready) = stage.get("/readyz?verbose").await;
    assert!(ready.contains("WEBHOOK_URL"), "the fault is shown: {ready}");
    stage.put_secret("WEBHOOK_URL", &stage.serving.url_of("webhook"));
    assert_eq!(stage.accepted(1).await[0].line(), "firing shop/first");
    let (_, ready) = stage.get("/readyz?verbose").await;
    assert!(!ready.contains("WEBHOOK_URL"), "the fault is over: {ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_ends_well_and_a_restart_says_nothing() {
    let mut stage = watching().await;
    assert_eq!(stage.get("/healthz").await, (200, "ok".to_owned()));
    crash(&stage, "first");
    stage.accepted(1).await;
    assert!(stage.terminate().await.success(), "{}", stage.log());
    stage.start();
    let end = std::time::Instant::now() + stage::PATIENCE;
    while stage.cluster.open_watches("pods") == 0 {
        assert!(std::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.told().len(), 1, "a restart is silent");
    stage.cluster.delete("Pod", "shop", "first").unwrap();
    assert_eq!(stage.accepted(2).await[1].ending.as_deref(), Some("gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_forbidden_is_named_everywhere_and_comes_back_when_granted() {
    let mut stage = Stage::build().await;
    for verb in ["list", "watch"] {
        stage.cluster.forbid((verb, "cronjobs"));
    }
    stage.cluster.hide_group("autoscaling/v2");
    stage.start();
    stage.wait_until_watching().await;
    let told = stage.accepted(1).await;
    assert_eq!(told[0].title, "kpulse cannot see cronjobs, horizontalpodautoscalers");
    let (code, ready) = stage.get("/readyz?verbose").await;
    assert_eq!(code, 200, "what is refused is no reason to be restarted");
    assert!(ready.contains("cannot see cronjobs") && ready.contains("cannot see horizontalpodautoscalers"), "{ready}");
    let (_, metrics) = stage.get("/metrics").await;
    assert!(metrics.contains("kpulse_watch_blind{watch=\"cronjobs\"} 1"), "{metrics}");
    stage.cluster.allow_all();
    stage.cluster.show_group("autoscaling/v2");
    let told = stage.accepted(2).await;
    assert_eq!((told[1].state.as_str(), told[1].ending.as_deref()), ("resolved", Some("recovered")));
    let (_, ready) = stage.get("/readyz?verbose").await;
    assert_eq!(ready, "ok\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_is_told_by_way_of_its_kubelet() {
    let mut stage = Stage::build().await;
    stage.configure(&format!("{}\nkubelet: {{via_api_server: true}}", stage.webhook()));
    // Each has its own time within the first minute: of twenty, some come soon.
    for number in 0..20 {
        let name = format!("node-{number}");
        stage.cluster.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})).unwrap();
        let disk = json!({"capacityBytes": 1000, "availableBytes": 50, "usedBytes": 950});
        stage.cluster.set_summary(&name, json!({"node": {"nodeName": name, "fs": disk}}));
    }
    stage.start();
    stage.wait_until_watching().await;
    let told = stage.accepted(1).await;
    assert_eq!(told[0].state, "firing");
    assert!(told[0].title.contains("disk 95% full"), "{}", told[0].title);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_tells_what_is_broken_already_in_one_message() {
    let mut stage = Stage::build().await;
    stage.is_new();
    stage.configure_all("monitors: {node_disk: {enabled: false}, pvc_usage: {enabled: false}}");
    crash(&stage, "first");
    crash(&stage, "second");
    stage.start();
    stage.wait_until_watching().await;
    let told = stage.sink.wait_for_count(1, |_| true, stage::PATIENCE).await.unwrap();
    let summary = told[0].json().unwrap();
    assert_eq!(summary["monitor"], "summary");
    assert_eq!(summary["title"], "kpulse started: 2 things are broken already");
}
