//! `kpulse run --dry-run`: it says what it would have said, and leaves the channels and the cluster alone.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod terminal;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use jiff::Timestamp;
use kpulse_testkit::builders::pod;
use kpulse_testkit::cluster::FakeCluster;
use terminal::Terminal;

const CONFIG: &str = "
cluster: {name: test}
channels: {slack: {webhook_url_from_secret: NOT_THERE}}
dedupe: {digest: {enabled: false}}
# The first summary waits for a round of the kubelets otherwise.
monitors: {node_disk: {enabled: false}, pvc_usage: {enabled: false}}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_said_is_printed_and_nothing_is_written() {
    let cluster = FakeCluster::new();
    let terminal = Terminal::open(cluster.clone()).await;
    terminal.write("kpulse.yaml", CONFIG);
    let mut command = terminal.command(Path::new(env!("CARGO_BIN_EXE_kpulse")));
    command.args(["run", "--dry-run", "--config", "kpulse.yaml", "--secrets", "nowhere", "--http", "127.0.0.1:0"]);
    let mut kpulse = command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
    let out = BufReader::new(kpulse.stdout.take().unwrap());
    cluster.watched("pods").await;
    cluster.apply(pod("shop", "web").crash_looping(3, Timestamp::now()).json()).unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let mut lines = out.lines().map(Result::unwrap);
        // Alone, or in the summary of what was broken before the first look.
        lines.any(|line| line == "To slack:") && lines.any(|line| line.contains("shop/web: crash-looping"))
    });
    assert!(said.await.unwrap());
    let ended = std::process::Command::new("kill").args(["-TERM", &kpulse.id().to_string()]).status().unwrap();
    assert!(ended.success() && kpulse.wait().unwrap().success());
    assert_eq!(cluster.list("ConfigMap").len(), 0);
    let only_read = |verb: &str| ["get", "list", "watch", ""].contains(&verb);
    let written: Vec<_> = cluster.requests().into_iter().filter(|request| !only_read(&request.verb)).collect();
    assert!(written.iter().all(|request| request.resource.starts_with("selfsubject")), "{written:?}");
}
