//! Whole configurations: the defaults, the earlier program's, the one that is shipped.

use kpulse_core::settings::Span;
use serde::Deserialize;
use serde_json::Value as Json;

use super::*;
use crate::config::document::Part;
use crate::config::schema::{SHIPPED, all_in_force};

/// The defaults of the earlier program, as it documents them.
const EARLIER: &str = r#"
cluster: { name: "prod" }
channels:
  slack:   { webhook_url_from_secret: "", default: false }
  email:   { smtp_host: "", smtp_port: 0, from: "", reply_to: "", to: [], user_from_secret: "", pass_from_secret: "" }
  webhook: { url: "", headers: {} }
  discord: { webhook_url_from_secret: "" }
  teams:   { webhook_url_from_secret: "" }
namespaces: { include: ["*"], exclude: [kube-system, kube-public, kpulse] }
monitors:
  pod_crashes: { enabled: true, reasons: [CrashLoopBackOff, OOMKilled, ImagePullBackOff, ErrImagePull, CreateContainerConfigError, FailedScheduling, FailedMount, Evicted], include_recent_logs: true, max_log_lines: 50 }
  pod_restarts: { enabled: true, threshold: 5, window: 15m }
  warning_events: { enabled: true, reasons_ignore: [FailedGracefulShutdown, Unhealthy, Failed, BackOff, BackoffLimitExceeded, InvalidDiskCapacity] }
  pvc_usage: { enabled: true, warn_at: 80, crit_at: 90, interval: 10m }
  node_conditions: { enabled: true, alert_on: [DiskPressure, MemoryPressure, PIDPressure, NotReady], grace: 5m }
  node_disk: { enabled: true, warn_at: 85, crit_at: 92, interval: 10m }
  tls_cert_expiry: { enabled: true, warn_days: 14, crit_days: 3, interval: 6h }
  rollout_stuck: { enabled: true, threshold: 15m }
  job_failed: { enabled: true }
  cronjob_missed: { enabled: true, miss_threshold: 2 }
  hpa_at_max: { enabled: true, duration: 30m }
  daemonset_unscheduled: { enabled: true, threshold: 10m }
dedupe: { window: 30m, digest: { enabled: true, interval: 10m, severities: [info, warning] } }
resolution: { enabled: true }
ui: { enabled: false }
routing: []
"#;

fn layers(text: &str) -> Layers {
    Layers { document: Document::parse("kpulse.yaml", text).unwrap(), environment: Environment::default() }
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in ["", "# nothing yet\n", "---\n", "cluster:\nchannels:\nmonitors:\n  pod_crashes:\n"] {
        assert_eq!(Config::from_str(text, "kpulse.yaml").unwrap().config, Config::default(), "{text:?}");
    }
}

#[test]
fn the_defaults_are_those_that_are_documented() {
    let config = Config::default();
    assert_eq!(config.cluster.name, "");
    assert_eq!(config.channels.iter().count(), 0);
    assert_eq!(config.dedupe.window, Span::minutes(30));
    assert!(config.resolution.enabled && config.routing.is_empty());
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Info));
    let pod_crashes = &config.monitors.pod_crashes;
    assert!(pod_crashes.enabled);
    assert_eq!((pod_crashes.pending_grace, pod_crashes.settle), (Span::minutes(2), Span::ZERO));
    assert_eq!(config.settings(), Settings::default());
}

#[test]
fn the_earlier_programs_defaults_spelled_out_are_ours() {
    let earlier = Config::parse("kpulse.yaml", EARLIER, &Environment::default(), Purpose::Telling);
    let earlier = earlier.unwrap_or_else(|error| panic!("{error}")).config;
    let ours = Config::default();
    assert_eq!(earlier.channels, ours.channels, "empty blocks are no channels");
    assert!(!earlier.ui.enabled, "it had a page only where that was asked for");
    // It knew fewer reasons than there are.
    let reasons = ours.monitors.pod_crashes.reasons.clone();
    let pod_crashes = kpulse_core::monitors::PodCrashes { reasons, ..earlier.monitors.pod_crashes.clone() };
    let monitors = Monitors { pod_crashes, ..earlier.monitors.clone() };
    let alike = Config { cluster: ours.cluster.clone(), routing: Vec::new(), ui: ours.ui, monitors, ..earlier };
    assert_eq!(alike, ours);
}

#[test]
fn a_whole_configuration_of_the_earlier_program_is_understood_and_would_work() {
    let keys =
        ["SLACK_WEBHOOK_URL", "DISCORD_WEBHOOK_URL", "TEAMS_WEBHOOK_URL", "SMTP_USER", "SMTP_PASS", "WEBHOOK_TOKEN"];
    let secrets: Secrets = keys.into_iter().map(|key| (key, "https://hooks.example/s3cr3t")).collect();
    let text = include_str!("earlier.yaml");
    let loaded = Config::parse("config.yaml", text, &Environment::default(), Purpose::Checking(&secrets));
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.notes, [""; 0]);
    let settings = loaded.config.settings();
    let names: Vec<&str> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["slack", "email", "webhook", "discord", "teams"]);
    assert_eq!(settings.default_channel().map(Name::as_str), Some("slack"));
    assert_eq!(settings.routing.len(), 3);
    assert_eq!(loaded.config.dedupe, Dedupe::default(), "`warn` is a warning");
}

#[test]
fn whole_pages_can_be_commented_out() {
    let text = format!("channels:\n{}  stdout: {{}}\n", "  #webhook: {url: x}\n".repeat(500));
    assert_eq!(Config::from_str(&text, "kpulse.yaml").unwrap().config.channels.iter().count(), 1);
}

#[test]
fn the_shipped_configuration_is_good() {
    let environment = Environment::default();
    let loaded = Config::parse("config.example.yaml", SHIPPED, &environment, Purpose::Telling);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.config.cluster.name, "REPLACE_ME");
    assert_eq!(loaded.notes, ["cluster.name is still REPLACE_ME: messages will say so"]);
}

#[test]
fn the_shipped_configuration_mentions_every_setting() {
    let text = all_in_force(SHIPPED);
    let layers = layers(&text);
    let reading = layers.read();
    assert_eq!(reading.faults, [], "what stands there commented out is understood too");
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut wanted = Vec::new();
    leaves(&defaults, &KeyPath::default(), &mut wanted);
    for block in ["routing.0", "routing.0.match"].map(|path| KeyPath::new(path.split('.'))) {
        wanted.extend(keys(&block));
    }
    for kind in keys(&KeyPath::new(["channels"])) {
        wanted.extend(keys(&kind));
    }
    wanted.extend(keys(&KeyPath::new(["monitors"])));
    // What every monitor takes is said once for all.
    wanted.retain(|path| !is_common(path, &defaults) || path.is_within(&KeyPath::new(["monitors", "pod_crashes"])));
    let missing: Vec<_> = wanted.iter().filter(|path| layers.document.place(path, Part::Key).is_none()).collect();
    let missing: Vec<_> = missing.into_iter().map(ToString::to_string).collect();
    assert_eq!(missing, [""; 0], "deploy/config.example.yaml does not mention these");
}

#[test]
fn every_setting_can_be_given_by_the_environment() {
    let text = all_in_force(SHIPPED);
    let (written, reading) = (layers(&text).document.values(), layers(&text).read());
    assert_eq!(reading.faults, []);
    let (written, in_file) = (Json::deserialize(&written).unwrap(), serde_json::to_value(reading.settings).unwrap());
    let at = |values: &Json, path: &KeyPath| path.steps().iter().try_fold(values, |block, key| block.get(key)).cloned();
    let mut paths = Vec::new();
    leaves(&written, &KeyPath::default(), &mut paths);
    assert!(paths.len() > 100, "{}", paths.len());
    for path in paths {
        // A key that the user made up may not fit into the name of a variable: then the block around it is set.
        let fits =
            |step: &String| step.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9'));
        let path = if path.steps().iter().all(fits) { path } else { path.parent().unwrap() };
        let variable = format!("KPULSE_{}", path.steps().join("__").to_ascii_uppercase());
        let value = match at(&written, &path).unwrap() {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let environment: Environment = [(variable.clone(), value.clone())].into_iter().collect();
        // Routes lead somewhere.
        let file = "channels: {webhook: {url: http://hooks.example}}";
        let loaded = Config::parse("kpulse.yaml", file, &environment, Purpose::Rehearsal);
        let loaded = loaded.unwrap_or_else(|error| panic!("{variable}={value}: {error}"));
        let set = serde_json::to_value(loaded.config).unwrap();
        assert_eq!(at(&set, &path), at(&in_file, &path), "{variable}={value}");
    }
}

/// Whether a key is one that every monitor has.
fn is_common(path: &KeyPath, defaults: &Json) -> bool {
    let [top, _, key] = path.steps() else { return false };
    let monitors = defaults.get(top).and_then(Json::as_object).into_iter().flatten();
    top == "monitors" && monitors.into_iter().all(|(_, monitor)| monitor.get(key).is_some())
}

#[test]
fn the_shipped_configuration_differs_from_the_defaults_only_where_it_says_so() {
    let shipped = Config::from_str(SHIPPED, "config.example.yaml").unwrap().config;
    let (shipped, defaults) =
        (serde_json::to_value(shipped).unwrap(), serde_json::to_value(Config::default()).unwrap());
    let at = |values: &Json, path: &KeyPath| path.steps().iter().try_fold(values, |block, key| block.get(key)).cloned();
    let mut paths = Vec::new();
    leaves(&defaults, &KeyPath::default(), &mut paths);
    let differ = paths.iter().filter(|path| at(&shipped, path) != at(&defaults, path)).map(ToString::to_string);
    assert_eq!(
        differ.collect::<Vec<_>>(),
        [
            "cluster.name",
            "monitors.pod_crashes.pending_grace",
            "monitors.pod_crashes.settle",
            "monitors.tls_cert_expiry.by_lifetime",
            "namespaces.exclude",
            "routing"
        ]
    );
}

fn leaves(defaults: &Json, path: &KeyPath, found: &mut Vec<KeyPath>) {
    match defaults {
        Json::Object(block) => block.iter().for_each(|(key, inner)| leaves(inner, &path.child(key), found)),
        _ => found.push(path.clone()),
    }
}

fn keys(block: &KeyPath) -> Vec<KeyPath> {
    read::keys_at::<Config>(block).unwrap_or_default().iter().map(|key| block.child(*key)).collect()
}

#[test]
fn a_file_cut_off_anywhere_is_a_configuration_or_an_error_with_its_place() {
    let text = all_in_force(SHIPPED);
    for end in (0..text.len()).step_by(17).filter(|end| text.is_char_boundary(*end)) {
        let text = text.get(..end).unwrap_or_default();
        let Err(error) = Config::from_str(text, "kpulse.yaml") else { continue };
        for problem in error.problems {
            let line = usize::try_from(problem.line.expect("a line")).unwrap();
            assert!((1..=text.lines().count() + 1).contains(&line), "{problem}\nin\n{text}");
        }
    }
}
