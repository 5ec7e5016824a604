//! `kpulse test-route`: which route an alert would take, by the real program.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::path::PathBuf;
use std::process::Command;

const CONFIG: &str = "\
cluster: {name: prod}
channels: {slack: {webhook_url_from_secret: S}, webhook: {url: http://hooks.example}, stdout: {}}
routing:
  - match: {severity: critical}
    channels: [webhook]
    continue: true
  - match: {namespace: \"shop-*\", labels: {team: checkout}}
    channels: [stdout]
  - match: {namespace: \"shop-*\"}
    channels: [slack]
";

fn test_route(config: &str, words: &str) -> (i32, String) {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("test-route");
    std::fs::create_dir_all(&directory).unwrap();
    let name = format!("{}.yaml", words.len());
    std::fs::write(directory.join(&name), config).unwrap();
    let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
    kpulse.current_dir(&directory).env_clear().args(["test-route", "--config", &name]).args(words.split_whitespace());
    let output = kpulse.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text.replace(&name, "kpulse.yaml"))
}

#[test]
fn each_route_says_whether_it_fits_and_why_not() {
    let (code, said) = test_route(CONFIG, "ns=shop-eu severity=warning labels.team=blog");
    let expect = "\
an alert: warning pod_crashes CrashLoopBackOff, namespace shop-eu, label team=blog
  routing[0] (kpulse.yaml:4)  does not fit: severity
  routing[1] (kpulse.yaml:7)  does not fit: labels.team
  routing[2] (kpulse.yaml:9)  fits: slack
told: slack
";
    assert_eq!((code, said.as_str()), (0, expect));
    let (_, said) = test_route(CONFIG, "ns=shop-eu labels.team=checkout");
    assert!(
        said.contains("routing[0] (kpulse.yaml:4)  fits: webhook, and the next routes are asked (continue)"),
        "{said}"
    );
    assert!(said.contains("routing[2] (kpulse.yaml:9)  not asked: routing[1] decided"), "{said}");
    assert!(said.ends_with("told: webhook, stdout\n"), "{said}");
    let (_, said) = test_route(CONFIG, "monitor=node_disk severity=warning node=gpu-3");
    assert!(said.ends_with("told: slack\n"), "what none matches goes to the default channel: {said}");
}

#[test]
fn where_nobody_would_be_told_the_exit_code_says_so() {
    let (code, said) = test_route("cluster: {name: prod}\n", "severity=warning");
    assert!(code == 1 && said.contains("nobody is told"), "{said}");
    for (words, fault) in
        [("colour=red", "`colour` is nothing"), ("monitor=x", "no monitor `x`"), ("severity=bad", "write critical")]
    {
        let (code, said) = test_route(CONFIG, words);
        assert!(code == 2 && said.contains(fault), "{words}: {said}");
    }
}
