//! What holds where the user says nothing: the table of the specification, key by key.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::collections::BTreeSet;

use kpulse_core::settings::{Dedupe, Monitors, Namespaces, Resolution};
use serde_json::{Value, json};

/// The monitors' own settings. Each has `enabled: true` and `severity` besides.
fn table() -> Value {
    json!({
        "pod_crashes": {
            "reasons": [
                "CrashLoopBackOff", "RunContainerError", "OOMKilled",
                "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable",
                "SignatureValidationFailed", "ErrImageNeverPull", "InvalidImageName",
                "CreateContainerError", "CreateContainerConfigError",
                "FailedScheduling", "FailedMount", "Evicted",
            ],
            "include_recent_logs": true,
            "max_log_lines": 50,
            "pending_grace": "2m",
            "settle": "0s",
            "stable_for": "2m",
        },
        "pod_restarts": { "threshold": 5, "window": "15m" },
        "warning_events": {
            "reasons_ignore": [
                "FailedGracefulShutdown", "Unhealthy", "Failed", "BackOff", "BackoffLimitExceeded", "InvalidDiskCapacity",
            ],
        },
        "pvc_usage": { "warn_at": 80, "crit_at": 90, "interval": "10m" },
        "node_conditions": { "alert_on": ["DiskPressure", "MemoryPressure", "PIDPressure", "NotReady"], "grace": "5m" },
        "node_disk": { "warn_at": 85, "crit_at": 92, "interval": "10m" },
        "tls_cert_expiry": { "warn_days": 14, "crit_days": 3, "interval": "6h", "by_lifetime": false },
        "rollout_stuck": { "threshold": "15m" },
        "job_failed": {},
        "cronjob_missed": { "miss_threshold": 2 },
        "hpa_at_max": { "duration": "30m" },
        "daemonset_unscheduled": { "threshold": "10m" },
        // Beyond the earlier program's twelve.
        "pod_stuck_terminating": { "threshold": "10m" },
        "pvc_pending": { "threshold": "10m" },
        "pdb_blocked": { "threshold": "15m" },
    })
}

/// What an empty map means, written out.
fn parsed<T: serde::de::DeserializeOwned + serde::Serialize>() -> Value {
    serde_json::to_value(serde_json::from_value::<T>(json!({})).unwrap()).unwrap()
}

fn keys(map: &Value) -> BTreeSet<&str> {
    map.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_setting_of_a_monitor_has_the_default_of_the_specification() {
    let (table, mut monitors) = (table(), parsed::<Monitors>());
    assert_eq!(keys(&monitors), keys(&table), "the monitors there are");
    for (name, expected) in table.as_object().unwrap() {
        let settings = monitors[name].as_object_mut().unwrap();
        assert_eq!(settings.remove("enabled"), Some(json!(true)), "{name}.enabled");
        assert_eq!(settings.remove("severity"), Some(Value::Null), "{name}.severity");
        assert_eq!(keys(&monitors[name]), keys(expected), "the settings of {name}");
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&monitors[name][key], value, "{name}.{key}");
        }
    }
}

#[test]
fn an_empty_block_means_the_same_as_none() {
    let empty: serde_json::Map<String, Value> =
        keys(&table()).into_iter().map(|name| (name.to_owned(), json!({}))).collect();
    let monitors: Monitors = serde_json::from_value(Value::Object(empty)).unwrap();
    assert_eq!(monitors, Monitors::default());
}

#[test]
fn what_holds_for_all_monitors_has_the_default_of_the_specification() {
    let namespaces = parsed::<Namespaces>();
    assert_eq!(namespaces["include"], json!(["*"]));
    assert_eq!(namespaces["exclude"], json!(["kube-system", "kube-public", "kpulse"]));
    assert_eq!(namespaces["selector"], json!({}));
    assert_eq!(parsed::<Dedupe>()["window"], "30m");
    assert_eq!(parsed::<Resolution>()["enabled"], true);
}
