//! `kpulse status`: what fires and who was told, from the state of a real agent.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod stage;

use std::process::Command;

use jiff::Timestamp;
use kpulse_testkit::builders::pod;
use serde_json::Value;
use stage::Stage;

async fn status(stage: &Stage, words: &str) -> (i32, String) {
    let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
    kpulse.env_clear().args(["status", "--kubeconfig"]).arg(stage.kubeconfig()).args(words.split_whitespace());
    let output = tokio::task::spawn_blocking(move || kpulse.output()).await.unwrap().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_told_is_shown_from_its_state() {
    let mut stage = Stage::build().await;
    let (code, said) = status(&stage, "-n other").await;
    assert!(code == 2 && said.contains("there is no ConfigMap kpulse-state in other"), "{said}");
    stage.start();
    stage.wait_until_watching().await;
    stage.cluster.apply(pod("shop", "web").crash_looping(3, Timestamp::now()).json()).unwrap();
    stage.accepted(1).await;
    let end = std::time::Instant::now() + stage::PATIENCE;
    // It is saved soon after it was told.
    let said = loop {
        let (code, said) = status(&stage, "").await;
        if code == 1 && said.contains("told webhook ") {
            break said;
        }
        assert!(std::time::Instant::now() < end, "{said}");
    };
    assert!(said.starts_with("kpulse in namespace kpulse: 1 alert fires\n\n"), "{said}");
    assert!(said.contains("shop/web  Pod  crash-looping CrashLoopBackOff\n"), "{said}");
    let (_, json) = status(&stage, "-o json").await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["firing"][0]["told"][0]["channel"], "webhook");
    stage.cluster.delete("Pod", "shop", "web").unwrap();
    stage.accepted(2).await;
    while status(&stage, "").await != (0, "kpulse in namespace kpulse: nothing fires\n".to_owned()) {
        assert!(std::time::Instant::now() < end);
    }
}
