//! The Helm chart: without Helm, that its parts fit each other; with Helm on the PATH, what it renders.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use kpulse_core::monitors::MonitorName;
use serde_json::{Value, json};

use crate::{deploy, documents, find, keep, kpulse, read, typed};

const CHART: &str = "helm/kpulse";

fn parsed(path: &str) -> Value {
    serde_saphyr::from_str(&read(&format!("{CHART}/{path}"))).unwrap()
}

fn templates() -> String {
    let directory = deploy(CHART).join("templates");
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn it_is_of_this_version() {
    let chart = parsed("Chart.yaml");
    assert_eq!((&chart["version"], &chart["appVersion"]), (&json!(env!("CARGO_PKG_VERSION")), &chart["version"]));
}

#[test]
fn the_schema_knows_each_value_and_no_other() {
    let schema: Value = serde_json::from_str(&read(&format!("{CHART}/values.schema.json"))).unwrap();
    fits("", &schema, &parsed("values.yaml"));
}

/// A value is of its schema's type, and where the schema closes an object both have the same keys.
fn fits(path: &str, schema: &Value, value: &Value) {
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    let one_of = schema["enum"].as_array();
    assert!(schema["type"] == kind || one_of.is_some_and(|words| words.contains(value)), "{path}: {schema}");
    let Some(properties) = schema["properties"].as_object() else { return };
    assert_eq!(schema["additionalProperties"], false, "{path}");
    // These two are Helm's own, where the chart is part of another.
    let known = properties.keys().filter(|key| !(path.is_empty() && ["global", "enabled"].contains(&key.as_str())));
    let value = value.as_object().unwrap();
    assert_eq!(known.collect::<BTreeSet<_>>(), value.keys().collect(), "{path}");
    value.iter().for_each(|(key, value)| fits(&format!("{path}.{key}"), &properties[key], value));
}

#[test]
fn the_templates_use_each_value_and_no_other() {
    let values = parsed("values.yaml");
    let templates = templates();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let used: BTreeSet<&str> = templates
        .split(".Values.")
        .skip(1)
        .map(|rest| rest.split(|c| !is_name(c)).next().unwrap().trim_end_matches('.'))
        .collect();
    for path in &used {
        let found = values.pointer(&format!("/{}", path.replace('.', "/")));
        assert!(found.is_some(), "values.yaml has no {path}");
    }
    for (key, value) in values.as_object().unwrap() {
        let inner = value.as_object().into_iter().flatten().map(|(inner, _)| format!("{key}.{inner}"));
        assert!(used.contains(key.as_str()) || value.is_object() && inner.clone().count() > 0, "{key} is not used");
        for path in inner.filter(|_| !used.contains(key.as_str())) {
            assert!(used.contains(path.as_str()), "{path} is not used");
        }
    }
}

#[test]
fn the_files_that_are_rendered_are_there() {
    let templates = templates();
    let named = templates.split("Files.Get \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let named: BTreeSet<&str> = named.collect();
    assert_eq!(named, BTreeSet::from(["files/config.yaml", "files/rights.yaml", "files/rules.yaml"]));
    for file in named {
        parsed(file);
    }
}

/// The monitors that need a right are those whose rights include it when they alone are on.
#[test]
fn which_monitor_needs_what_is_as_kpulse_says() {
    let alone: Vec<(&str, BTreeSet<(String, String)>)> = MonitorName::ALL
        .iter()
        .filter(|monitor| **monitor != MonitorName::Blindness)
        .map(|monitor| (monitor.as_str(), watched(&only(monitor.as_str())).into_iter().collect()))
        .collect();
    let always = watched(&only(""));
    let in_a_namespace = watched("namespaces: {include: [shop]}");
    let mut groups: Vec<(String, String)> = Vec::new();
    for right in watched("{}") {
        let (group, resource) = &right;
        let monitors = alone.iter().filter(|(_, rights)| !always.contains(&right) && rights.contains(&right));
        let monitors = monitors.map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let namespaced = in_a_namespace.contains(&right);
        let line = format!("      - {{name: {resource}, namespaced: {namespaced}, monitors: [{monitors}]}}\n");
        match groups.last_mut().filter(|(known, _)| known == group) {
            Some((_, lines)) => lines.push_str(&line),
            None => groups.push((group.clone(), line)),
        }
    }
    let mut text =
        "# Which monitors need which right to list and watch; always needed where none is named.\n".to_owned();
    text.push_str("# Follows from the program: UPDATE_DEPLOY=1 cargo test -p kpulse-bin --test manifests\nwatched:\n");
    for (group, lines) in groups {
        text.push_str(&format!("  - group: {:?}\n    resources:\n{lines}", group));
    }
    keep(&format!("{CHART}/files/rights.yaml"), &text);
}

/// A configuration in which only this monitor is on.
fn only(name: &str) -> String {
    let off = MonitorName::ALL.iter().filter(|other| other.as_str() != name && **other != MonitorName::Blindness);
    let off: Vec<String> = off.map(|other| format!("{other}: {{enabled: false}}")).collect();
    format!("monitors: {{{}}}", off.join(", "))
}

/// Group and resource of all that is listed and watched with this configuration, but for Secrets, in the order of
/// `kpulse rbac`.
fn watched(config: &str) -> Vec<(String, String)> {
    let mut watched = Vec::new();
    for role in documents(&rights_of(config)) {
        for rule in role["rules"].as_array().into_iter().flatten() {
            let group = rule["apiGroups"][0].as_str().unwrap();
            for resource in rule["resources"].as_array().unwrap() {
                if rule["verbs"] == json!(["list", "watch"]) && resource != "secrets" {
                    watched.push((group.to_owned(), resource.as_str().unwrap().to_owned()));
                }
            }
        }
    }
    watched
}

fn rights_of(config: &str) -> String {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("rights-{:?}.yaml", std::thread::current().id());
    let file = directory.join(name);
    std::fs::write(&file, config).unwrap();
    kpulse(&["rbac", "--namespace", "kpulse", "--config", file.to_str().unwrap()])
}

/// What `helm template` prints for these values, or what it says; nothing where there is no Helm.
fn rendered(values: &Value) -> Option<Result<Vec<Value>, String>> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("values-{:?}.json", std::thread::current().id()));
    std::fs::write(&file, values.to_string()).unwrap();
    let helm = Command::new("helm")
        .args(["template", "kpulse"])
        .arg(deploy(CHART))
        .args(["--namespace", "kpulse", "--values"])
        .arg(file)
        .output();
    let Ok(output) = helm else {
        // Not by a macro, which the test runner would keep to itself.
        let _told = writeln!(std::io::stderr(), "helm is not on the PATH: what the chart renders is not looked at");
        return None;
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some(if output.status.success() { Ok(documents(&text(output.stdout))) } else { Err(text(output.stderr)) })
}

/// Documents by kind, namespace and name, without labels of their own.
fn by_name(documents: Vec<Value>) -> BTreeMap<String, Value> {
    let named = documents.into_iter().map(|mut document| {
        document["metadata"].as_object_mut().unwrap().remove("labels");
        let metadata = &document["metadata"];
        let place = metadata["namespace"].as_str().unwrap_or_default();
        (format!("{} {place}/{}", document["kind"], metadata["name"]), document)
    });
    named.collect()
}

#[test]
fn its_defaults_are_the_release_manifest_but_for_labels() {
    let Some(chart) = rendered(&json!({})) else { return };
    let chart = chart.unwrap();
    typed::check(&chart);
    let mut release = by_name(documents(&read("kpulse.yaml")));
    // Helm makes it by itself: --create-namespace.
    assert!(release.remove("\"Namespace\" /\"kpulse\"").is_some());
    let chart = by_name(chart);
    assert_eq!(chart.keys().collect::<Vec<_>>(), release.keys().collect::<Vec<_>>());
    for (name, document) in &release {
        assert_eq!(&chart[name], document, "{name}");
    }
}

#[test]
fn it_grants_what_kpulse_says_whatever_is_configured() {
    let off = |monitor: &str| format!("monitors: {{{monitor}: {{enabled: false}}}}");
    let mut configs: Vec<String> = MonitorName::ALL.iter().map(|monitor| only(monitor.as_str())).collect();
    configs.extend(["pod_crashes", "warning_events", "tls_cert_expiry", "node_disk"].map(off));
    configs.extend(
        [
            "kubelet: {via_api_server: true}",
            "monitors: {pod_crashes: {include_recent_logs: false}}",
            "monitors: {pod_crashes: {max_log_lines: 0}}",
            "namespaces: {include: [team-b, team-a, kpulse, team-a], exclude: ['k*']}",
            "namespaces: {include: [team-a, 'team-b?'], exclude: []}",
        ]
        .map(str::to_owned),
    );
    let is_right = |name: &String| name.contains("Role");
    for config in configs {
        let values: Value = serde_saphyr::from_str(&config).unwrap();
        let Some(chart) = rendered(&json!({ "config": values })) else { return };
        let chart: BTreeMap<_, _> = by_name(chart.unwrap()).into_iter().filter(|(name, _)| is_right(name)).collect();
        // Laid over the shipped configuration, which says nothing that matters here.
        assert_eq!(chart, by_name(documents(&rights_of(&config))), "{config}");
    }
}

#[test]
fn everything_that_can_be_asked_for_is_valid() {
    let values = json!({
        "replicas": 2, "config": {"replicas": {"lease": true}},
        "secret": {"create": true, "data": {"SLACK_WEBHOOK_URL": "https://hooks.example"}},
        "networkPolicy": {"enabled": true, "egress": [{"ports": [{"port": 25}]}]},
        "serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true, "labels": {"prometheus": "main"}},
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "tolerations": [{"operator": "Exists"}], "podLabels": {"team": "ops"}, "podAnnotations": {"a": "b"},
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/kpulse/ca"}],
        "nodeSelector": {"a": "b"}, "priorityClassName": "high", "imagePullSecrets": [{"name": "pull"}],
        "image": {"pullPolicy": "Always", "tag": "edge"}, "service": {"type": "NodePort"},
        "serviceAccount": {"annotations": {"a": "b"}},
    });
    let Some(chart) = rendered(&values) else { return };
    let chart = chart.unwrap();
    typed::check(&chart);
    for kind in ["NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "ServiceMonitor"] {
        find(&chart, kind, "kpulse");
    }
    let secret = find(&chart, "Secret", "kpulse-secrets");
    assert_eq!(secret["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    assert_eq!(secret["data"], json!({"SLACK_WEBHOOK_URL": "aHR0cHM6Ly9ob29rcy5leGFtcGxl"}));
    let deployment = &find(&chart, "Deployment", "kpulse")["spec"];
    assert_eq!(deployment["replicas"], 2);
    assert_eq!(deployment["strategy"], Value::Null, "with a Lease one goes on while the other is replaced");
    let spread = &deployment["template"]["spec"]["topologySpreadConstraints"][0];
    assert_eq!(spread["labelSelector"]["matchLabels"], deployment["selector"]["matchLabels"]);
    let rights = find(&chart, "Role", "kpulse-state")["rules"].to_string();
    assert!(rights.contains("leases"), "{rights}");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    for (values, reason) in [
        (json!({"replicas": 2}), "set config.replicas.lease to true"),
        (json!({"secret": {"create": true}, "existingSecret": "mine"}), "secret.create must be false"),
        (json!({"replicsa": 2}), "replicsa"),
        (json!({"image": {"pullPolicy": "Sometimes"}}), "pullPolicy"),
    ] {
        let Some(chart) = rendered(&values) else { return };
        let said = chart.unwrap_err();
        assert!(said.contains(reason), "{values}: {said}");
    }
}

#[test]
fn channels_and_routing_are_replaced_and_the_rest_is_laid_over() {
    let values = json!({"config": {
        "cluster": {"name": "prod"},
        "channels": {"telegram": {"bot_token_from_secret": "TOKEN", "chat_id": -1_001_234_567_890_i64}},
        "monitors": {"pod_crashes": {"settle": "5s"}},
    }});
    let Some(chart) = rendered(&values) else { return };
    let chart = chart.unwrap();
    let text = find(&chart, "ConfigMap", "kpulse-config")["data"]["config.yaml"].as_str().unwrap();
    let config: Value = serde_saphyr::from_str(text).unwrap();
    let expected = json!({
        "cluster": {"name": "prod"},
        "channels": {"telegram": {"bot_token_from_secret": "TOKEN", "chat_id": -1_001_234_567_890_i64}},
        "namespaces": {"exclude": ["kube-public", "kpulse"]},
        "monitors": {"pod_crashes": {"settle": "5s", "pending_grace": "5m"}, "tls_cert_expiry": {"by_lifetime": true}},
    });
    assert_eq!(config, expected);
}
