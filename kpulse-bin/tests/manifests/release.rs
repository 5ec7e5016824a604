//! `kpulse.yaml`, the release manifest.

use serde_json::{Value, json};

use crate::{deploy, documents, find, keep, kpulse, read, rights, secrets, typed};

const RELEASE: &str = "kpulse.yaml";
/// The configuration as a file of its own: the chart renders it, and the release manifest holds it.
const CONFIG: &str = "helm/kpulse/files/config.yaml";

fn release() -> Vec<Value> {
    documents(&read(RELEASE))
}

fn pod_spec(release: &[Value]) -> &Value {
    &find(release, "Deployment", "kpulse")["spec"]["template"]["spec"]
}

/// `text` with what stands between two marks replaced. Both stay.
#[track_caller]
pub(crate) fn replaced(text: &str, begin: &str, end: &str, by: &str) -> String {
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin:?}"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("no {end:?} after {begin:?}"));
    format!("{before}{begin}{by}{end}{after}")
}

#[test]
fn it_grants_what_its_configuration_needs() {
    let rights = rights(CONFIG);
    let (first_line, rest) = rights.split_once('\n').unwrap();
    let end = "---\napiVersion: v1\nkind: ConfigMap\n";
    keep(RELEASE, &replaced(&read(RELEASE), &format!("{first_line}\n"), end, rest));
}

#[test]
fn its_configuration_is_the_charts_and_is_good() {
    let config = read(CONFIG);
    let indented = config.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    keep(RELEASE, &replaced(&read(RELEASE), "  config.yaml: |\n", "---\n", &indented.collect::<String>()));
    let map = find(&release(), "ConfigMap", "kpulse-config").clone();
    assert_eq!(map["data"], json!({ "config.yaml": config }));
    let secrets = secrets("release-secrets", &["SLACK_WEBHOOK_URL"]);
    let said = kpulse(&["check", "--config", deploy(CONFIG).to_str().unwrap(), "--secrets", secrets.to_str().unwrap()]);
    assert!(said.contains("namespaces  all but kube-public, kpulse\n"), "{said}");
    let config: Value = serde_saphyr::from_str(&config).unwrap();
    let monitors = json!({
        "pod_crashes": {"settle": "60s", "pending_grace": "5m"},
        "tls_cert_expiry": {"by_lifetime": true},
    });
    assert_eq!((&config["monitors"], &config["cluster"]["name"]), (&monitors, &json!("REPLACE_ME")));
}

#[test]
fn a_cluster_takes_it_and_no_secret_is_in_it() {
    typed::check(&release());
    let kinds: Vec<Value> = release().into_iter().map(|document| document["kind"].clone()).collect();
    assert!(!kinds.contains(&json!("Secret")), "applying it again would take credentials away");
    assert_eq!(kinds.first(), Some(&json!("Namespace")), "it must be there before what is in it");
    let secrets = json!({"secretName": "kpulse-secrets", "optional": true, "defaultMode": 0o440});
    assert_eq!(pod_spec(&release())["volumes"][1]["secret"], secrets);
}

#[test]
fn its_image_is_of_this_version() {
    let image = pod_spec(&release())["containers"][0]["image"].clone();
    assert_eq!(image, format!("kpulse/kpulse:{}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn nothing_in_its_pod_may_more_than_it_needs() {
    let release = release();
    let pod = pod_spec(&release);
    let container = &pod["containers"][0];
    assert_eq!(
        pod["securityContext"],
        json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        })
    );
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        })
    );
    assert!(container["resources"]["requests"].is_object() && container["resources"]["limits"].is_object());
    for mount in container["volumeMounts"].as_array().unwrap() {
        assert_eq!(mount["readOnly"], true, "{mount}");
    }
}

#[test]
fn it_is_probed_where_it_answers_and_leaves_a_dead_node_soon() {
    let release = release();
    let pod = pod_spec(&release);
    let container = &pod["containers"][0];
    let port = json!([{"name": "http", "containerPort": 8080}]);
    assert_eq!(container["ports"], port);
    assert_eq!(container["livenessProbe"]["httpGet"], json!({"path": "/healthz", "port": "http"}));
    assert_eq!(container["readinessProbe"]["httpGet"], json!({"path": "/readyz", "port": "http"}));
    let tolerated: Vec<(&str, &Value)> = pod["tolerations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|toleration| (toleration["key"].as_str().unwrap(), &toleration["tolerationSeconds"]))
        .collect();
    let half_a_minute = json!(30);
    assert_eq!(
        tolerated,
        [("node.kubernetes.io/not-ready", &half_a_minute), ("node.kubernetes.io/unreachable", &half_a_minute)]
    );
    // The variables that Kubernetes makes for a Service called kpulse look like settings.
    assert_eq!(pod["enableServiceLinks"], false);
}

#[test]
fn its_service_finds_its_pod() {
    let release = release();
    let deployment = &find(&release, "Deployment", "kpulse")["spec"];
    let labels = &deployment["template"]["metadata"]["labels"];
    assert_eq!(&deployment["selector"]["matchLabels"], labels);
    assert_eq!(&find(&release, "Service", "kpulse")["spec"]["selector"], labels);
    let mounted = &deployment["template"]["spec"]["volumes"][0]["configMap"]["name"];
    find(&release, "ConfigMap", mounted.as_str().unwrap());
    find(&release, "ServiceAccount", deployment["template"]["spec"]["serviceAccountName"].as_str().unwrap());
}
