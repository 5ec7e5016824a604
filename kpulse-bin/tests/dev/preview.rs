//! `kpulse demo --sink`, which `just dev` runs on each save.

use std::process::{Child, Command, Stdio};

use kpulse_notify::example;
use kpulse_testkit::sink::EchoSink;

use super::stage::PATIENCE;

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_message_is_shown_first_then_the_story_is_told() {
    let sink = EchoSink::new();
    let serving = sink.serve("127.0.0.1:0").await.unwrap();
    let _demo = Demo(
        Command::new(env!("CARGO_BIN_EXE_kpulse"))
            .args(["demo", "--sink", &serving.url()])
            .env_clear()
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let examples = example::all().len();
    for kind in ["webhook", "slack", "discord", "teams", "telegram", "mattermost", "googlechat", "ntfy"] {
        let of_kind = |message: &kpulse_testkit::sink::Message| message.kind.as_str() == kind && message.accepted();
        sink.wait_for_count(examples, of_kind, PATIENCE).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    let told = |message: &kpulse_testkit::sink::Message| message.told().contains("shop/web: 1 Pod stuck");
    for kind in ["slack", "pagerduty", "alertmanager"] {
        let story = |message: &kpulse_testkit::sink::Message| message.kind.as_str() == kind && told(message);
        sink.wait_for(story, PATIENCE).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn a_sink_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_kpulse"))
        .args(["demo", "--sink", "http://127.0.0.1:9"])
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("the sink of --sink did not take a message"), "{said}");
}
