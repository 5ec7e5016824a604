//! What `tilt up` applies: `dev/kpulse.dev.yaml`, `dev/sink.yaml`, `dev/triggers.yaml`.

use std::path::{Path, PathBuf};

use kpulse_notify::ChannelSettings;
use serde_json::{Value, json};

use crate::{documents, find, keep, kpulse, read, release, typed};

const KPULSE: &str = "dev/kpulse.dev.yaml";
const SINK: &str = "dev/sink.yaml";
const TRIGGERS: &str = "dev/triggers.yaml";

fn parsed(path: &str) -> Vec<Value> {
    documents(&read(path))
}

fn config() -> Value {
    serde_saphyr::from_str(text_of(&find(&parsed(KPULSE), "ConfigMap", "kpulse-config")["data"]["config.yaml"]))
        .unwrap()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The configuration, and the secrets that the sink's ConfigMap stands for, as kpulse finds them in its Pod.
fn mounted(name: &str) -> (PathBuf, PathBuf) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(directory.join("secrets")).unwrap();
    let manifest = parsed(KPULSE);
    let config = directory.join("config.yaml");
    std::fs::write(&config, text_of(&find(&manifest, "ConfigMap", "kpulse-config")["data"]["config.yaml"])).unwrap();
    for (key, value) in find(&manifest, "ConfigMap", "kpulse-sink")["data"].as_object().unwrap() {
        std::fs::write(directory.join("secrets").join(key), text_of(value)).unwrap();
    }
    (config, directory.join("secrets"))
}

fn pod_of<'a>(manifest: &'a [Value], kind: &str, name: &str) -> &'a Value {
    &find(manifest, kind, name)["spec"]["template"]["spec"]
}

/// What the restricted Pod security standard asks of a Pod.
#[track_caller]
fn is_restricted(name: &str, pod: &Value) {
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
    for container in pod["containers"].as_array().unwrap() {
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(context["capabilities"]["drop"], json!(["ALL"]), "{name}");
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        assert!(volume["configMap"].is_object() || volume["projected"].is_object(), "{name}: {volume}");
    }
}

#[test]
fn it_grants_what_its_configuration_needs() {
    let (config, _) = mounted("dev-rights");
    let rights = kpulse(&["rbac", "--namespace", "kpulse", "--config", config.to_str().unwrap()]);
    let (first_line, rest) = rights.split_once('\n').unwrap();
    let end = "---\napiVersion: v1\nkind: ConfigMap\n";
    keep(KPULSE, &release::replaced(&read(KPULSE), &format!("{first_line}\n"), end, rest));
}

#[test]
fn its_configuration_is_good_and_every_channel_leads_to_the_sink() {
    let (config_file, secrets) = mounted("dev-config");
    kpulse(&["check", "--config", config_file.to_str().unwrap(), "--secrets", secrets.to_str().unwrap()]);
    let config = config();
    let sink = find(&parsed(SINK), "Service", "echo-sink").clone();
    assert_eq!(sink["spec"]["ports"][0]["port"], 8081);
    let channels = config["channels"].as_object().unwrap();
    for (kind, settings) in channels {
        let key =
            ["webhook_url_from_secret", "api_url", "url"].into_iter().find(|key| settings[key].is_string()).unwrap();
        let said = text_of(&settings[key]);
        let address = if key.ends_with("_from_secret") {
            std::fs::read_to_string(secrets.join(said)).unwrap()
        } else {
            said.to_owned()
        };
        assert_eq!(address, format!("http://echo-sink:8081/{kind}"));
    }
    // Every kind there is, but for mail, which is not spoken over HTTP, and kpulse's own log.
    let told: Vec<&String> = channels.keys().collect();
    for kind in ChannelSettings::KINDS.iter().filter(|kind| !["email", "stdout"].contains(kind)) {
        assert!(channels.contains_key(*kind), "{kind} cannot be developed with the sink");
    }
    let routed: Vec<String> = serde_json::from_value(config["routing"][0]["channels"].clone()).unwrap();
    assert!(told.iter().all(|channel| routed.contains(channel)), "{routed:?}");
}

#[test]
fn nothing_waits_for_a_digest_and_crashes_are_told_at_once() {
    let config = config();
    assert_eq!(config["dedupe"]["digest"]["enabled"], false);
    assert_eq!(config["monitors"]["pod_crashes"]["settle"], "0s");
}

#[test]
fn a_cluster_takes_all_of_it_and_no_secret_is_in_it() {
    for path in [KPULSE, SINK, TRIGGERS] {
        typed::check(&parsed(path));
        assert!(parsed(path).iter().all(|document| document["kind"] != "Secret"), "{path}");
    }
}

#[test]
fn it_runs_the_image_that_was_imported_and_is_replaced_at_once() {
    for (path, name, image) in [(KPULSE, "kpulse", "kpulse:dev"), (SINK, "echo-sink", "kpulse-sink:dev")] {
        let manifest = parsed(path);
        assert_eq!(find(&manifest, "Deployment", name)["spec"]["strategy"], json!({"type": "Recreate"}));
        let pod = pod_of(&manifest, "Deployment", name);
        let container = &pod["containers"][0];
        assert_eq!((&container["image"], &container["imagePullPolicy"]), (&json!(image), &json!("Never")));
        assert_eq!(container["readinessProbe"]["periodSeconds"], 1);
        assert!(pod["terminationGracePeriodSeconds"].as_i64().unwrap() <= 5);
        is_restricted(name, pod);
    }
}

#[test]
fn a_credential_may_come_later_and_then_wins_over_the_sink() {
    let manifest = parsed(KPULSE);
    let volumes = pod_of(&manifest, "Deployment", "kpulse")["volumes"].as_array().unwrap();
    let secrets = volumes.iter().find(|volume| volume["name"] == "secrets").unwrap();
    let sources = [
        json!({"configMap": {"name": "kpulse-sink"}}),
        json!({"secret": {"name": "kpulse-secrets", "optional": true}}),
    ];
    assert_eq!(secrets["projected"]["sources"], json!(sources));
}

#[test]
fn four_things_break_each_can_be_deleted_and_all_are_restricted() {
    let manifest = parsed(TRIGGERS);
    let namespace = find(&manifest, "Namespace", "triggers");
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    let triggers = [
        ("Deployment", "crash-loop"),
        ("Deployment", "missing-image"),
        ("Deployment", "oom-kill"),
        ("Job", "failing-job"),
    ];
    assert_eq!(manifest.len(), triggers.len() + 1);
    for (kind, name) in triggers {
        let object = find(&manifest, kind, name);
        assert_eq!(object["metadata"]["namespace"], "triggers");
        assert_eq!(object["metadata"]["labels"], json!({"trigger": name}));
        is_restricted(name, pod_of(&manifest, kind, name));
    }
    let memory = &pod_of(&manifest, "Deployment", "oom-kill")["containers"][0]["resources"]["limits"]["memory"];
    assert_eq!(memory, "32Mi");
    let job = &find(&manifest, "Job", "failing-job")["spec"];
    assert_eq!((&job["backoffLimit"], &job["template"]["spec"]["restartPolicy"]), (&json!(0), &json!("Never")));
}
