//! `dev/doctor.sh`: what it finds missing, and the command it names.

use super::checkout::{Checkout, Ran};

const TOOLS: [&str; 8] = ["cargo", "cc", "docker", "kubectl", "tilt", "k3d", "curl", "lsof"];

/// A machine that has everything, with these rules before those that make it so.
fn machine(without: &[&str], rules: &[(&str, u8, &str)]) -> Ran {
    let tools: Vec<&str> = TOOLS.into_iter().filter(|tool| !without.contains(tool)).collect();
    let mut checkout = Checkout::new(&tools);
    let good = [
        ("cargo --version", 0, "cargo 1.95.0 (f2d3ce0bd 2026-03-21)"),
        ("docker --version", 0, "Docker version 28.2.2, build e6534b4"),
        ("kubectl version*", 0, "Client Version: v1.32.4"),
        ("kubectl config current-context", 0, "k3d-kpulse-test"),
        ("tilt version", 0, "v0.35.0, built 2025-06-01"),
        ("k3d version", 0, "k3d version v5.8.3"),
        ("k3d cluster list*", 0, "kpulse-test 1/1 0/0 true"),
        ("curl*", 7, ""),
    ];
    for (pattern, code, prints) in rules.iter().chain(&good) {
        checkout = checkout.rule(pattern, *code, prints);
    }
    checkout.run_alone("doctor.sh", &[])
}

/// The fault it names, and the remedy on the line below.
#[track_caller]
fn check(ran: &Ran, fault: &str, remedy: &str) {
    let expected = format!("to mend  {fault}\n           {remedy}\n");
    assert!(!ran.success && ran.stdout.contains(&expected), "expected {expected} in: {}{}", ran.stdout, ran.stderr);
}

#[test]
fn nothing_is_missing_where_everything_is_there() {
    let ran = machine(&[], &[]);
    assert!(ran.success && ran.stdout.ends_with("All is there: tilt up\n"), "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("to mend") && ran.stderr.is_empty(), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn what_is_missing_is_named_with_where_to_get_it() {
    check(&machine(&["tilt"], &[]), "tilt is missing", "https://docs.tilt.dev/install.html");
    check(&machine(&["cc"], &[]), "cc is missing", "sudo apt-get install gcc libc6-dev");
    let ran = machine(&["docker", "k3d"], &[]);
    assert!(ran.stdout.ends_with("2 to mend for tilt up. `just dev` needs cargo and cc only.\n"), "{}", ran.stdout);
}

#[test]
fn what_is_too_old_is_named() {
    let remedy = "rustup update stable, or see https://rustup.rs";
    check(&machine(&[], &[("cargo --version", 0, "cargo 1.89.0")]), "cargo is 1.89.0; 1.90 is needed", remedy);
    let k3d = machine(&[], &[("k3d version", 0, "k3d version v4.4.8")]);
    check(&k3d, "k3d is 4.4.8; 5.2 is needed", "https://k3d.io/stable/#installation");
}

#[test]
fn an_engine_or_a_cluster_that_does_not_run_is_named() {
    let engine = machine(&[], &[("docker version*", 1, "")]);
    let remedy = "sudo systemctl start docker && sudo usermod -aG docker \"$(id -un)\", then log in again";
    check(&engine, "the Docker engine does not answer", remedy);
    let none = machine(&[], &[("k3d cluster list*", 0, "other 1/1 0/0 true")]);
    check(&none, "there is no cluster kpulse-test", "k3d cluster create kpulse-test");
    let stopped = machine(&[], &[("k3d cluster list*", 0, "kpulse-test 0/1 0/0 true")]);
    check(&stopped, "cluster kpulse-test is stopped", "k3d cluster start kpulse-test");
}

#[test]
fn a_context_that_is_not_k3d_is_named_with_the_one_that_is() {
    let wrong = [("kubectl config current-context", 0, "prod-eu")];
    let fault = "the current context is \"prod-eu\", which is not a k3d cluster";
    check(&machine(&[], &wrong), fault, "kubectl config use-context k3d-kpulse-test");
    let and_no_cluster = [wrong[0], ("k3d cluster list*", 0, "")];
    check(&machine(&[], &and_no_cluster), fault, "k3d cluster create kpulse-test");
    let silent = machine(&[], &[("kubectl*readyz*", 1, "")]);
    let remedy = "k3d kubeconfig merge kpulse-test --kubeconfig-merge-default --kubeconfig-switch-context";
    check(&silent, "context k3d-kpulse-test does not answer", remedy);
}

#[test]
fn a_port_that_is_taken_is_named_with_who_has_it() {
    let taken = [("curl*127.0.0.1:8080/", 0, ""), ("lsof*:8080*", 0, "COMMAND PID USER")];
    let unknown = machine(&[], &taken);
    let remedy = "sudo lsof -nP -iTCP:8080 -sTCP:LISTEN";
    check(&unknown, "port 8080 is taken by a program of another user", remedy);
    let holder =
        |name: &str| machine(&[], &[taken[0], ("lsof*:8080*", 0, &format!("COMMAND PID USER\\n{name} 4711 me"))]);
    check(&holder("java"), "port 8080 is taken by java, process 4711", "kill 4711");
    let own = holder("tilt");
    assert!(own.success && own.stdout.contains("ok       port 8080 has tilt"), "{}", own.stdout);
}

#[test]
fn a_mac_also_needs_a_linker_for_linux() {
    let mac = [("uname -s", 0, "Darwin"), ("uname -m", 0, "arm64"), ("rustup*", 0, "aarch64-apple-darwin")];
    let checkout = |tools: &[&str]| {
        let mut checkout = Checkout::new(tools);
        for (pattern, code, prints) in mac {
            checkout = checkout.rule(pattern, code, prints);
        }
        checkout.run_alone("doctor.sh", &[])
    };
    let ran = checkout(&["uname", "rustup"]);
    check(&ran, "zig is missing", "brew install zig");
    check(&ran, "cargo-zigbuild is missing", "cargo install --locked cargo-zigbuild");
    let target = "aarch64-unknown-linux-musl";
    check(&ran, &format!("Rust cannot build for {target}"), &format!("rustup target add {target}"));
}
