//! The scripts under `dev/`: which commands they run, and what they say when one of them fails.

use std::fs;
use std::time::{Duration, SystemTime};

use super::checkout::{Checkout, Ran};

const CONTEXT: &str = "k3d-kpulse-test";

/// What a built program is, to the scripts.
const PROGRAM: &[u8] = b"\x7fELF";

fn loader() -> Checkout {
    let checkout = Checkout::new(&["docker", "k3d", "kubectl"]);
    checkout.write("target/image/kpulse", PROGRAM);
    checkout.write("target/image/echo-sink", PROGRAM);
    checkout.write("target/image/.kpulse.took", b"4137");
    checkout
}

/// A text with each figure of seconds but the first as `n`.
fn without_figures(text: &str) -> String {
    let (first, rest) = text.split_once(" · ").unwrap();
    let mut shown = String::new();
    for part in rest.split_inclusive(' ') {
        let figure = part.trim_end().trim_end_matches('s');
        shown.push_str(&if figure.parse::<f64>().is_ok() { part.replace(figure, "n") } else { part.to_owned() });
    }
    format!("{first} · {shown}")
}

#[test]
fn a_reload_makes_the_image_imports_it_rolls_and_says_what_each_took() {
    let ran = loader().run("load.sh", &["kpulse", CONTEXT]);
    assert!(ran.success, "{}", ran.stderr);
    assert_eq!(without_figures(&ran.stdout), "build 4.1 · image n · import n · roll n = ns\n");
    let expected = [
        "docker build --quiet --file Dockerfile.dev --build-arg PROGRAM=kpulse --tag kpulse:dev target/image",
        "k3d image import --mode auto --cluster kpulse-test kpulse:dev",
        "kubectl --context k3d-kpulse-test --namespace kpulse get deployment kpulse",
        "kubectl --context k3d-kpulse-test --namespace kpulse rollout restart deployment kpulse",
        "kubectl --context k3d-kpulse-test --namespace kpulse rollout status deployment kpulse --timeout 60s",
        "docker image prune --force --filter label=kpulse.io/image=dev",
    ];
    assert_eq!(ran.calls, expected);
}

#[test]
fn the_sink_has_an_image_and_a_deployment_of_its_own() {
    let ran = loader().run("load.sh", &["echo-sink", "k3d-mine"]);
    assert!(ran.calls[0].ends_with("--build-arg PROGRAM=echo-sink --tag kpulse-sink:dev target/image"));
    assert_eq!(ran.calls[1], "k3d image import --mode auto --cluster mine kpulse-sink:dev");
    assert_eq!(ran.calls[3], "kubectl --context k3d-mine --namespace kpulse rollout restart deployment echo-sink");
}

#[test]
fn the_first_time_there_is_nothing_to_roll() {
    let ran = loader().rule("kubectl*get deployment*", 1, "").run("load.sh", &["kpulse", CONTEXT]);
    assert!(ran.success, "{}", ran.stderr);
    assert_eq!(without_figures(&ran.stdout), "build 4.1 · image n · import n = ns\n");
    assert!(!ran.calls.iter().any(|call| call.contains("rollout")), "{:?}", ran.calls);
}

#[test]
fn a_reload_that_fails_says_where_to_look() {
    let failed = |pattern: &str, prints: &str| -> Ran {
        let ran = loader().rule(pattern, 1, prints).run("load.sh", &["kpulse", CONTEXT]);
        assert!(!ran.success, "{pattern}");
        ran
    };
    assert!(!failed("docker build*", "").calls.iter().any(|call| call.starts_with("k3d")), "nothing to import");
    let import = failed("k3d*", "no nodes found for given cluster");
    assert!(
        import.stderr.contains("no nodes found") && import.stderr.contains("sh dev/doctor.sh"),
        "{}",
        import.stderr
    );
    let roll = failed("kubectl*rollout status*", "");
    let remedy = "kubectl --context k3d-kpulse-test -n kpulse logs deployment/kpulse";
    assert!(roll.stderr.contains("does not get ready") && roll.stderr.contains(remedy), "{}", roll.stderr);
    let checkout = loader();
    fs::remove_file(checkout.path("target/image/kpulse")).unwrap();
    let missing = checkout.run("load.sh", &["kpulse", CONTEXT]);
    assert!(missing.stderr.contains("target/image/kpulse is missing: sh dev/build.sh kpulse"), "{}", missing.stderr);
}

#[test]
fn a_secret_that_is_there_is_never_touched() {
    let checkout = Checkout::new(&["kubectl"]).rule("kubectl*get secret*", 0, "secret/kpulse-secrets");
    checkout.write(".env.kpulse", b"SLACK_WEBHOOK_URL=https://hooks.example/s3cr3t\n");
    let ran = checkout.run("secret.sh", &[CONTEXT]);
    assert!(ran.success && ran.stdout.contains("stays as it is"), "{}", ran.stdout);
    assert_eq!(
        ran.calls,
        [
            "kubectl --context k3d-kpulse-test --namespace kpulse get secret kpulse-secrets --ignore-not-found --output name"
        ]
    );
}

#[test]
fn a_secret_that_is_missing_is_made_of_the_file_and_its_values_are_on_no_command_line() {
    let checkout = Checkout::new(&["kubectl"]);
    checkout.write(".env.kpulse", b"SLACK_WEBHOOK_URL=https://hooks.example/s3cr3t\n");
    let ran = checkout.run("secret.sh", &[CONTEXT]);
    let create = "kubectl --context k3d-kpulse-test --namespace kpulse create secret generic kpulse-secrets";
    assert_eq!(ran.calls[1], format!("{create} --from-env-file=.env.kpulse"));
    assert!(!ran.calls.concat().contains("s3cr3t") && !ran.stdout.contains("s3cr3t"));
    fs::remove_file(checkout.path(".env.kpulse")).unwrap();
    let ran = checkout.run("secret.sh", &[CONTEXT]);
    assert_eq!(ran.calls[1], create);
    assert!(ran.stdout.contains(".env.kpulse"), "{}", ran.stdout);
}

#[test]
fn an_api_server_that_does_not_answer_is_no_missing_secret() {
    let ran = Checkout::new(&["kubectl"]).rule("kubectl*get secret*", 1, "").run("secret.sh", &[CONTEXT]);
    assert!(!ran.success);
    assert_eq!(ran.calls.len(), 1, "{:?}", ran.calls);
}

#[test]
fn each_trigger_can_be_broken_and_healed() {
    let kubectl = "kubectl --context k3d-kpulse-test --namespace triggers";
    let apply = |name: &str| {
        format!("{kubectl} apply --filename deploy/dev/triggers.yaml --selector trigger in (namespace, {name})")
    };
    let cases = [
        ("break", "crash-loop", true, format!("{kubectl} set env deployment/crash-loop BROKEN=yes")),
        ("break", "crash-loop", false, apply("crash-loop")),
        ("heal", "crash-loop", true, format!("{kubectl} set env deployment/crash-loop BROKEN=no")),
        ("break", "oom-kill", true, format!("{kubectl} set env deployment/oom-kill BROKEN=yes")),
        ("heal", "oom-kill", true, format!("{kubectl} set env deployment/oom-kill BROKEN=no")),
        ("break", "missing-image", false, apply("missing-image")),
        ("heal", "missing-image", true, format!("{kubectl} set image deployment/missing-image *=busybox:1.37")),
        ("break", "failing-job", true, apply("failing-job")),
        ("heal", "failing-job", true, format!("{kubectl} delete job failing-job --ignore-not-found")),
    ];
    for (what, name, exists, expected) in cases {
        let deployment = if exists { format!("deployment.apps/{name}") } else { String::new() };
        let checkout = Checkout::new(&["kubectl"]).rule("kubectl*get deployment*", 0, &deployment);
        let ran = checkout.run("trigger.sh", &[what, name, CONTEXT]);
        assert!(ran.success, "{what} {name}: {}", ran.stderr);
        assert_eq!(ran.calls.last(), Some(&expected), "{what} {name}");
    }
    let unknown = Checkout::new(&["kubectl"]).run("trigger.sh", &["break", "disk"]);
    assert!(
        !unknown.success && unknown.calls.is_empty() && unknown.stderr.contains("crash-loop"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn linux_builds_with_cargo_and_a_mac_with_a_linker_for_linux() {
    let selection = "--profile dev-image --package kpulse-bin --package kpulse-testkit --bin kpulse";
    let linux = Checkout::new(&["cargo", "uname"]).rule("uname -s", 0, "Linux");
    linux.write("target/dev-image/kpulse", PROGRAM);
    let ran = linux.run("build.sh", &["kpulse"]);
    assert!(ran.success && ran.stdout.starts_with("build 0."), "{}", ran.stderr);
    assert!(ran.calls.contains(&format!("cargo build {selection}")), "{:?}", ran.calls);
    assert_eq!(fs::read(linux.path("target/image/kpulse")).unwrap(), PROGRAM);

    let arm = Checkout::new(&["uname", "ld.lld"]).rule("uname -s", 0, "Linux").rule("uname -m", 0, "aarch64");
    arm.program("stubs/cargo", "#!/bin/sh\necho \"$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS\"\n");
    arm.write("target/dev-image/kpulse", PROGRAM);
    assert!(arm.run("build.sh", &["kpulse"]).stdout.starts_with("-C link-arg=-fuse-ld=lld\n"));

    let mac = || Checkout::new(&["cargo", "uname", "cargo-zigbuild"]).rule("uname -s", 0, "Darwin");
    for (machine, triple) in [("arm64", "aarch64-unknown-linux-musl"), ("x86_64", "x86_64-unknown-linux-musl")] {
        let checkout = mac().rule("uname -m", 0, machine);
        checkout.write(&format!("target/{triple}/dev-image/kpulse"), PROGRAM);
        let ran = checkout.run("build.sh", &["kpulse"]);
        assert!(ran.success, "{}", ran.stderr);
        assert!(ran.calls.contains(&format!("cargo zigbuild --target {triple} {selection}")), "{:?}", ran.calls);
    }
    let without = mac();
    fs::remove_file(without.path("stubs/cargo-zigbuild")).unwrap();
    let ran = without.run("build.sh", &["kpulse"]);
    assert!(!ran.success && ran.stderr.contains("brew install zig"), "{}", ran.stderr);
}

#[test]
fn what_did_not_change_is_not_carried_into_the_cluster_again() {
    let checkout = Checkout::new(&["cargo"]);
    checkout.write("target/dev-image/kpulse", PROGRAM);
    assert!(checkout.run("build.sh", &["kpulse"]).success);
    let laid = checkout.path("target/image/kpulse");
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().append(true).open(&laid).unwrap().set_modified(long_ago).unwrap();
    assert!(checkout.run("build.sh", &["kpulse"]).success);
    assert_eq!(fs::metadata(&laid).unwrap().modified().unwrap(), long_ago, "the same program was laid again");
    checkout.write("target/dev-image/kpulse", b"another");
    assert!(checkout.run("build.sh", &["kpulse"]).success);
    assert_eq!(fs::read(&laid).unwrap(), b"another");
    let failing = Checkout::new(&["cargo"]).rule("cargo*", 101, "");
    failing.write("target/dev-image/kpulse", b"stale");
    assert!(!failing.run("build.sh", &["kpulse"]).success);
    assert!(!failing.path("target/image/kpulse").exists(), "a failed build leaves what runs alone");
}

#[test]
fn a_recording_becomes_a_case_that_fails_until_the_truth_is_said() {
    let checkout = || {
        let checkout = Checkout::new(&["cargo"]).rule("cargo*draft-truth*", 0, "expect: [{monitor: say-what-is-true}]");
        checkout.write("kpulse-testkit/recordings/known.jsonl", b"{}");
        checkout.write("night.jsonl", b"{\"at\":1}\n");
        checkout
    };
    let made = checkout();
    let ran = made.run("new-case.sh", &["volume-lost", "night.jsonl"]);
    assert!(ran.success, "{}", ran.stderr);
    assert!(ran.calls[0].starts_with("cargo run --quiet --package kpulse-bin -- replay --horizon 5m --config "));
    let recordings = made.path("kpulse-testkit/recordings");
    assert_eq!(fs::read(recordings.join("volume-lost.jsonl")).unwrap(), b"{\"at\":1}\n");
    let truth = fs::read_to_string(recordings.join("volume-lost.truth.yaml")).unwrap();
    assert_eq!(truth, "expect: [{monitor: say-what-is-true}]\n");
    assert!(ran.stdout.contains("cargo test -p kpulse-bin --test recordings"), "{}", ran.stdout);

    let refused = [
        (&["Volume Lost", "night.jsonl"][..], "small letters, digits and - only"),
        (&["known", "night.jsonl"], "there is a case known already"),
        (&["morning"], "morning.jsonl is missing: kpulse record --output morning.jsonl"),
    ];
    for (arguments, fault) in refused {
        let ran = checkout().run("new-case.sh", arguments);
        assert!(!ran.success && ran.calls.is_empty() && ran.stderr.contains(fault), "{}", ran.stderr);
    }
    let unreadable = checkout().rule("none", 0, "");
    unreadable.write("stubs/rules", b"cargo*replay*|1|\n");
    assert!(!unreadable.run("new-case.sh", &["odd", "night.jsonl"]).success);
    assert!(!unreadable.path("kpulse-testkit/recordings/odd.jsonl").exists(), "what is no recording became a case");
}
