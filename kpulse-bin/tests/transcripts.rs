//! The transcripts in docs/commands.md are what the program prints: each command of a `console` block is run, and what
//! follows it is compared. `UPDATE_DOCS=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod terminal;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use kpulse_testkit::builders::{daemon_set, deployment, namespace, node, pod};
use kpulse_testkit::cluster::FakeCluster;
use regex::Regex;
use serde_json::json;
use terminal::{Terminal, ago};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");

/// The cluster of the page.
async fn scene() -> Terminal {
    let cluster = FakeCluster::new();
    let mut objects = vec![
        namespace("checkout"),
        namespace("shop"),
        namespace("kube-system"),
        deployment("checkout", "api", 3),
        deployment("shop", "web", 1),
        daemon_set("shop", "agent", 3, ago("1h")).rolling(1, 3, 3, 1, ago("1h")).json(),
        node("worker-1", ago("30h")).json(),
        node("worker-2", ago("30h")).not_ready(ago("20m")).json(),
        pod("shop", "import-1").unschedulable(ago("30s"), "0/2 nodes are available: 2 Insufficient memory.").json(),
        pod("shop", "old-1").annotation("kpulse.io/ignore", "true").crash_looping(3, ago("90s")).json(),
        pod("kube-system", "dns-1").waiting("ImagePullBackOff", "Back-off pulling image \"dns:2\"").json(),
    ];
    for number in 1..=3 {
        let api = pod("checkout", &format!("api-6b9c-{number}")).of_deployment("api", "6b9c").container("api");
        objects.push(api.crash_looping(5, ago("270s")).json());
    }
    for object in objects {
        cluster.apply(object).unwrap();
    }
    for name in ["worker-1", "worker-2"] {
        let disk = json!({"capacityBytes": 1000, "availableBytes": 600, "usedBytes": 400});
        cluster.set_summary(name, json!({"node": {"nodeName": name, "fs": disk}}));
    }
    let terminal = Terminal::open(cluster).await;
    for (file, text) in FILES {
        terminal.write(file, text);
    }
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kpulse-testkit/recordings/rollout-stuck.jsonl");
    std::fs::copy(recording, terminal.directory.join("rollout-stuck.jsonl")).unwrap();
    std::fs::create_dir(terminal.directory.join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kpulse"), terminal.directory.join("bin/kpulse")).unwrap();
    terminal
}

const FILES: &[(&str, &str)] = &[
    ("prod.yaml", PROD),
    ("typo.yaml", "cluster: {name: prod-eu}\nchannels: {stdout: {}}\nmonitors:\n  pod_crashes: {setle: 60s}\n"),
    ("quick.yaml", "dedupe: {digest: {enabled: false}}\nmonitors: {rollout_stuck: {threshold: 2m}}\n"),
    ("patient.yaml", "dedupe: {digest: {enabled: false}}\nmonitors: {rollout_stuck: {threshold: 15m}}\n"),
    ("secrets/SLACK_WEBHOOK_URL", "https://hooks.slack.example/services/T0/B0/x"),
];

const PROD: &str = "\
cluster: {name: prod-eu}
channels:
  slack: {webhook_url_from_secret: SLACK_WEBHOOK_URL, default: true}
  stdout: {log: {}}
routing:
  - match: {severity: critical}
    channels: [slack, log]
  - match: {labels: {team: payments}}
    channels: [log]
";

/// What a shell prints for a line of the page.
async fn printed(terminal: &Terminal, line: &str) -> String {
    let mut shell = Command::new("sh");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", terminal.directory.join("bin").display());
    shell.current_dir(&terminal.directory).env_clear().env("PATH", path).args(["-c", &format!("{line} 2>&1")]);
    shell.env("KUBECONFIG", terminal.directory.join("kubeconfig")).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
    terminal.plain(&String::from_utf8(output.stdout).unwrap())
}

/// Without what differs from run to run: times, ages and ports.
fn masked(text: &str) -> String {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        let times = [
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC)",
            r"\bfor +\d+[smhd]",
            r" +\d+\.\d+s\b",
            r" *\b(in )?\d+[smhd]\b",
            r"127\.0\.0\.1:\d+",
            r" +\d\d-\d\d \d\d:\d\d:\d\d",
        ];
        Regex::new(&times.join("|")).unwrap()
    });
    TIMES.replace_all(text, "<time>").lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transcript_is_what_the_program_prints() {
    let terminal = scene().await;
    let page = std::fs::read_to_string(PAGE).unwrap();
    let mut written = String::new();
    let mut lines = page.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        written.push_str(&format!("{line}\n"));
        inside = if inside { line != "```" } else { line == "```console" };
        let Some(command) = line.strip_prefix("$ ").filter(|_| inside) else { continue };
        let mut before = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ") && *line != "```") {
            before.push_str(&format!("{line}\n"));
        }
        let mut said = printed(&terminal, command).await;
        // A busy machine may tell of one act of the story after the next.
        for _ in 0..3 {
            if command.starts_with("kpulse demo") && masked(&said) != masked(&before) {
                said = printed(&terminal, command).await;
            }
        }
        let same = masked(said.trim_end()) == masked(before.trim_end());
        written.push_str(&format!("{}\n", if same { &before } else { &said }.trim_end()));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &written).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    assert_eq!(masked(&page), masked(&written), "UPDATE_DOCS=1 cargo test -p kpulse-bin --test transcripts");
}
