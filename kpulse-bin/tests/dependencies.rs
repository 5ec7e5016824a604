//! Architecture, held by the build: what each crate may not know, and what no crate may depend on.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::process::Command;

/// The names of all crates that `package` depends on in production.
fn tree(package: &str) -> Vec<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[track_caller]
fn check(package: &str, banned: &[&str]) {
    let tree = tree(package);
    assert!(tree.len() > 3, "no tree of {package}");
    let found: Vec<_> = banned.iter().filter(|name| tree.iter().any(|known| known == *name)).collect();
    assert!(found.is_empty(), "{package} depends on {found:?}");
}

#[test]
fn the_core_knows_no_runtime_no_network_and_no_kubernetes_client() {
    check("kpulse-core", &["tokio", "hyper", "kube", "kube-client", "reqwest", "tracing", "k8s-openapi"]);
}

#[test]
fn watch_and_notify_never_see_each_other() {
    check("kpulse-watch", &["kpulse-notify", "kpulse-testkit", "reqwest", "lettre"]);
    check("kpulse-notify", &["kpulse-watch", "kpulse-testkit", "kube", "k8s-openapi"]);
    check("kpulse-testkit", &["kpulse-watch", "kpulse-notify", "kube", "k8s-openapi", "reqwest"]);
}

#[test]
fn nothing_unmaintained_or_doubled_comes_in() {
    let banned =
        ["aws-lc-rs", "chrono", "native-tls", "openssl", "openssl-sys", "serde_yaml", "unsafe-libyaml", "serde_yml"];
    check("kpulse-bin", &banned);
}
