//! The configuration as it is in force, as `kpulse check --print` shows it.

use super::*;

#[track_caller]
fn load(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let environment = environment.iter().copied().collect();
    Config::parse("/etc/kpulse/config.yaml", text, &environment, Purpose::Rehearsal)
        .unwrap_or_else(|error| panic!("{error}"))
}

const TEXT: &str = "
cluster: {name: \"123\"}
channels:
  webhook:
    zebra: {url_from_secret: HOOK}
    ant: {url: https://hooks.example/T0/s3cr3t, headers: {X-Key: s3cr3t, Authorization: Bearer $TOKEN}}
  slack: {webhook_url_from_secret: SLACK}
monitors:
  pod_crashes: {severity: {OOMKilled: warning}, settle: 90s}
routing:
  - match: {severity: critical, labels: {team: [a, \"*\"]}}
    channels: [zebra]
  - channels: [ant, slack]
";

#[test]
fn each_value_stands_with_where_it_comes_from() {
    let printed = load(TEXT, &[("KPULSE_DEDUPE__WINDOW", "1h"), ("KPULSE_LOG__LEVEL", "debug")]).effective();
    for (value, origin) in [
        ("  name: \"123\"", "config.yaml:2"),
        ("      url_from_secret: HOOK", "config.yaml:5"),
        ("      url: https://hooks.example/[not shown]", "config.yaml:6"),
        ("        Authorization: Bearer $TOKEN", "config.yaml:6"),
        ("        X-Key: \"[not shown]\"", "config.yaml:6"),
        ("    settle: 1m30s", "config.yaml:9"),
        ("      OOMKilled: warning", "config.yaml:9"),
        ("    pending_grace: 2m", "default"),
        ("  window: 1h", "KPULSE_DEDUPE__WINDOW"),
        ("        team: [a, \"*\"]", "config.yaml:11"),
        ("  - channels: [ant, slack]", "config.yaml:13"),
        ("  exclude: [kube-system, kube-public, kpulse]", "default"),
    ] {
        let found = printed.lines().find(|line| line.split("  #").next().map(str::trim_end) == Some(value));
        let found = found.unwrap_or_else(|| panic!("no line `{value}` in:\n{printed}"));
        assert!(found.ends_with(&format!("# {origin}")), "{found}");
    }
    assert!(!printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn what_is_printed_means_the_same() {
    let open = TEXT.replace("https://hooks.example/T0/s3cr3t", "https://hooks.example").replace("X-Key: s3cr3t, ", "");
    let loaded = load(&open, &[("KPULSE_LOG__LEVEL", "debug")]);
    assert_eq!(load(&loaded.effective(), &[]).config, loaded.config, "{}", loaded.effective());
    let shipped = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config.example.yaml"));
    let loaded = load(shipped, &[]);
    assert_eq!(load(&loaded.effective(), &[]).config, loaded.config, "{}", loaded.effective());
}
