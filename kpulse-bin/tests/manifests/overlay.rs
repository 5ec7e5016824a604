//! `overlays/namespaced`: kpulse with rights in single namespaces only.

use serde_json::{Value, json};

use crate::{deploy, documents, keep, kpulse, read, rights, secrets, typed};

const CONFIG: &str = "overlays/namespaced/config.yaml";
const RIGHTS: &str = "overlays/namespaced/rights.yaml";
const MANIFEST: &str = "overlays/namespaced/kpulse.yaml";

/// Documents of the release manifest that the overlay has in its own way, or must not have.
const LEFT_OUT: [&str; 6] = ["Namespace", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ConfigMap"];

#[test]
fn it_grants_what_its_configuration_needs_and_nothing_in_the_whole_cluster() {
    keep(RIGHTS, &rights(CONFIG));
    let rights = documents(&read(RIGHTS));
    typed::check(&rights);
    for right in &rights {
        let kind = right["kind"].as_str().unwrap();
        assert!(["Role", "RoleBinding"].contains(&kind), "{right}");
    }
}

#[test]
fn the_rest_of_it_is_the_release_manifest() {
    let release = read("kpulse.yaml");
    let is_of = |document: &str, kind: &str| document.contains(&format!("\nkind: {kind}\n"));
    let is_comment = |document: &str| document.lines().all(|line| line.starts_with('#'));
    let is_kept = |document: &&str| !is_comment(document) && !LEFT_OUT.iter().any(|kind| is_of(document, kind));
    let kept: Vec<&str> = release.split("---\n").filter(is_kept).collect();
    keep(MANIFEST, &format!("# Follows from ../../kpulse.yaml.\n{}", kept.join("---\n")));
    let kinds: Vec<Value> = documents(&read(MANIFEST)).into_iter().map(|document| document["kind"].clone()).collect();
    assert_eq!(kinds, ["ServiceAccount", "Service", "Deployment"]);
}

#[test]
fn its_configuration_is_good_and_differs_from_the_release_in_its_namespaces_only() {
    let secrets = secrets("overlay-secrets", &["SLACK_WEBHOOK_URL"]);
    kpulse(&["check", "--config", deploy(CONFIG).to_str().unwrap(), "--secrets", secrets.to_str().unwrap()]);
    let [mut ours, mut release] = [CONFIG, "helm/kpulse/files/config.yaml"].map(|path| {
        let config: Value = serde_saphyr::from_str(&read(path)).unwrap();
        config
    });
    assert_eq!(ours["namespaces"].take(), json!({"include": ["team-a", "team-b"]}));
    release["namespaces"].take();
    assert_eq!(ours, release);
}

#[test]
fn kustomize_is_given_all_of_its_files() {
    let kustomization: Value = serde_saphyr::from_str(&read("overlays/namespaced/kustomization.yaml")).unwrap();
    assert_eq!(kustomization["resources"], json!(["kpulse.yaml", "rights.yaml"]));
    let map = &kustomization["configMapGenerator"][0];
    assert_eq!((&map["files"], &map["options"]["disableNameSuffixHash"]), (&json!(["config.yaml"]), &json!(true)));
    let mounted = documents(&read(MANIFEST))[2]["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"].clone();
    assert_eq!((&map["name"], &map["namespace"]), (&mounted, &json!("kpulse")));
}
