//! `kpulse record` as people run it, and what `kpulse replay` says of the recording.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kpulse_testkit::builders::{Death, deployment, namespace, pod};
use kpulse_testkit::cluster::{ClusterServer, Denial, FakeCluster};
use serde_json::{Value, json};

/// Stands for everything that must not be in a recording.
const SECRET: &str = "s3cr3t-4f9c";
const PATIENCE: Duration = Duration::from_secs(30);

struct Place {
    cluster: FakeCluster,
    _server: ClusterServer,
    directory: PathBuf,
}

impl Place {
    async fn new(name: &str) -> Self {
        let cluster = FakeCluster::new();
        let server = cluster.serve().await.unwrap();
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("record").join(name);
        std::fs::remove_dir_all(&directory).ok();
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("kubeconfig"), server.kubeconfig()).unwrap();
        Self { cluster, _server: server, directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("it.jsonl")
    }

    fn kpulse(&self, arguments: &[&str]) -> Child {
        let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
        kpulse.env_clear().arg("record").arg("--kubeconfig").arg(self.directory.join("kubeconfig")).args(arguments);
        kpulse.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn until_watched(&self) {
        let end = Instant::now() + PATIENCE;
        while ["pods", "deployments", "secrets"].iter().any(|resource| self.cluster.open_watches(resource) == 0) {
            assert!(Instant::now() < end, "nobody watches");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A Pod that fails twice, with private values all about it.
    fn break_down(&self) {
        let tls = json!({ "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "namespace": "shop", "name": "web" }, "data": { "tls.crt": "Yw==", "tls.key": SECRET } });
        for object in [namespace("shop"), tls, deployment("shop", "api", 1)] {
            self.cluster.apply(object).unwrap();
        }
        for restarts in 0..2 {
            let failed = pod("shop", "api-x-1").of_deployment("api", "x").container("api");
            let mut failed = failed.ended(restarts, Death::Exit(1), Timestamp::now()).json();
            failed["spec"]["containers"][0]["env"] = json!([{ "name": "PASSWORD", "value": SECRET }]);
            failed["spec"]["containers"][0]["args"] = json!([format!("--password={SECRET}")]);
            self.cluster.apply(failed).unwrap();
        }
    }
}

fn interrupt(kpulse: &Child) {
    assert!(Command::new("kill").args(["-INT", &kpulse.id().to_string()]).status().unwrap().success());
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_ended_by_hand_replays_as_what_happened() {
    let place = Place::new("replay").await;
    let file = place.file();
    let recorder = place.kpulse(&["--output", file.to_str().unwrap()]);
    place.until_watched().await;
    place.break_down();
    tokio::time::sleep(Duration::from_millis(500)).await;
    interrupt(&recorder);
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.ends_with('\n') && text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("PASSWORD") && text.contains("tls.crt"), "{text}");
    let lines = format!("kpulse: {} lines in ", text.lines().count());
    assert!(said(&output).contains(&lines) && said(&output).contains("it.jsonl"), "{}", said(&output));

    let replay = Command::new(env!("CARGO_BIN_EXE_kpulse")).env_clear().arg("replay").arg(&file).output().unwrap();
    let told: Vec<Value> =
        String::from_utf8(replay.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let crash = told.iter().filter(|told| told["monitor"] == "pod_crashes" && told["state"] == "firing");
    assert_eq!(crash.map(|told| told["workload"].clone()).collect::<Vec<_>>(), ["Deployment/api"], "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_its_time_is_over_and_writes_to_standard_output() {
    let place = Place::new("duration").await;
    place.break_down();
    for name in ["shop", "bank"] {
        place.cluster.apply(pod(name, &format!("only-in-{name}")).json()).unwrap();
    }
    let output = place.kpulse(&["--duration", "1s", "-n", "shop", "-n", "vault"]).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("only-in-shop") && !text.contains("only-in-bank"), "{text}");
    assert!(said(&output).contains(&format!(" {} lines in 1 s, in standard output", text.lines().count())));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_reading_ends_it_quietly() {
    let place = Place::new("pipe").await;
    let mut recorder = place.kpulse(&[]);
    place.break_down();
    let mut first = String::new();
    BufReader::new(recorder.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(serde_json::from_str::<Value>(&first).is_ok(), "{first}");
    // It notices at the next line it writes.
    let end = Instant::now() + PATIENCE;
    for number in 0.. {
        if recorder.try_wait().unwrap().is_some() {
            break;
        }
        assert!(Instant::now() < end, "it goes on for nobody");
        place.cluster.apply(pod("shop", &format!("another-{number}")).json()).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success() && !said(&output).contains("roken pipe"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_it_from_recording_is_told_with_a_remedy() {
    let place = Place::new("refused").await;
    let output = place.kpulse(&["-o", "/nowhere/it.jsonl"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let remedy = "kpulse: /nowhere/it.jsonl: cannot be written; name another file with --output: No such file";
    assert!(said(&output).contains(remedy), "{}", said(&output));

    let output = place.kpulse(&["--context", "nowhere"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("context nowhere"), "{}", said(&output));

    for verb in ["list", "watch"] {
        place.cluster.forbid(Denial::of(verb, "*"));
    }
    let output = place.kpulse(&[]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("grant kpulse list and watch on them"), "{}", said(&output));
    assert!(said(&output).contains("kpulse: http://127.0.0.1:"), "{}", said(&output));
}
