//! `kpulse check` as people run it: the real program, its exit code and what it prints.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A directory with a configuration and secrets.
struct Place {
    directory: PathBuf,
}

impl Place {
    fn new(name: &str, config: &str, secrets: &[(&str, &str)]) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("check").join(name);
        fs::remove_dir_all(&directory).ok();
        fs::create_dir_all(directory.join("secrets")).unwrap();
        fs::write(directory.join("config.yaml"), config).unwrap();
        for (key, value) in secrets {
            fs::write(directory.join("secrets").join(key), value).unwrap();
        }
        Self { directory }
    }

    /// The exit code, and what was printed with this directory as `DIR`.
    fn check(&self, dashes: &str, environment: &[(&str, &str)]) -> (i32, String) {
        let directory = self.directory.display().to_string();
        let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
        kpulse.env_clear().envs(environment.iter().copied()).arg("check");
        kpulse.arg(format!("{dashes}config")).arg(self.directory.join("config.yaml"));
        kpulse.arg(format!("{dashes}secrets")).arg(self.directory.join("secrets"));
        let output = kpulse.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(printed).unwrap().replace(&directory, "DIR"))
    }
}

#[track_caller]
fn check(name: &str, config: &str, secrets: &[(&str, &str)], expect: (i32, &[&str])) {
    let place = Place::new(name, config, secrets);
    for dashes in ["-", "--"] {
        let (code, printed) = place.check(dashes, &[]);
        assert_eq!(code, expect.0, "{printed}");
        for line in expect.1 {
            assert!(printed.lines().any(|printed| printed == *line), "no line `{line}` in:\n{printed}");
        }
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }
}

const GOOD: &str = "
cluster: {name: prod-eu}
channels:
  webhook:
    ops: {url_from_secret: HOOK, headers: {Authorization: Bearer $TOKEN}}
    night: {url: https://hooks.example/T0/s3cr3t, default: true}
namespaces: {exclude: [kube-*]}
routing:
  - match: {severity: critical}
    channels: [ops]
";

const SECRETS: [(&str, &str); 2] = [("HOOK", "https://hooks.example/s3cr3t\n"), ("TOKEN", "s3cr3t")];

#[test]
fn a_good_configuration_is_summed_up() {
    let lines = [
        "DIR/config.yaml is good",
        "  cluster     prod-eu",
        "  channels    ops, night",
        "  namespaces  all but kube-*",
        "  routes      1; what none of them matches goes to night",
    ];
    check("good", GOOD, &SECRETS, (0, &lines));
}

#[test]
fn a_typo_is_shown_where_it_stands() {
    let lines = [
        "DIR/config.yaml:5:11: channels.webhook.ops.url_from_secrt: unknown key",
        "5 |     ops: {url_from_secrt: HOOK, headers: {Authorization: Bearer $TOKEN}}",
        "  |           ^^^^^^^^^^^^^^",
        "1 problem in DIR/config.yaml",
    ];
    let typo = GOOD.replace("url_from_secret", "url_from_secrt");
    check("typo", &typo, &SECRETS, (2, &lines));
    let (_, printed) = Place::new("nearest", &typo, &SECRETS).check("--", &[]);
    assert!(printed.contains("  = did you mean `url_from_secret`? known in `channels.webhook.ops`: "), "{printed}");
}

#[test]
fn a_wrong_type_is_told() {
    let config = GOOD.replace("default: true", "default: night");
    let lines =
        ["DIR/config.yaml:6:60: channels.webhook.night.default: expected true or false, found the text `night`"];
    check("type", &config, &SECRETS, (2, &lines));
}

#[test]
fn a_missing_secret_is_told() {
    let lines = [
        "DIR/config.yaml:5:28: channels.webhook.ops.url_from_secret: secret HOOK is missing",
        "  = add the key HOOK to the Secret that is mounted as the secrets directory",
        "DIR/config.yaml:5:59: channels.webhook.ops.headers.Authorization: secret TOKEN is missing",
        "2 problems in DIR/config.yaml",
    ];
    check("secret", GOOD, &[], (2, &lines));
}

#[test]
fn a_bad_address_is_told_and_not_shown() {
    let lines = [
        "DIR/config.yaml:6:18: channels.webhook.night.url: is not an http or https URL",
        "6 |     night: {url: htps://hooks.example/*********, default: true}",
    ];
    check("address", &GOOD.replace("https:", "htps:"), &SECRETS, (2, &lines));
}

#[test]
fn a_bad_address_in_a_secret_is_told_and_not_shown() {
    let lines = ["DIR/config.yaml:5:28: channels.webhook.ops.url_from_secret: the value of secret HOOK is not a URL"];
    check("address-in-secret", GOOD, &[("HOOK", "s3cr3t"), ("TOKEN", "t")], (2, &lines));
}

#[test]
fn a_route_to_an_unknown_channel_is_told() {
    let lines = [
        "DIR/config.yaml:10:16: routing[0].channels[0]: there is no channel `opps`",
        "   = did you mean `ops`? configured under `channels`: ops, night",
    ];
    check("route", &GOOD.replace("channels: [ops]", "channels: [opps]"), &SECRETS, (2, &lines));
}

#[test]
fn the_environment_is_checked_too() {
    let place = Place::new("environment", GOOD, &SECRETS);
    let (code, printed) = place.check("--", &[("KPULSE_CLUSTER__NAME", "test"), ("KPULSE_VERSION", "1.2.3")]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("  cluster     test\n"), "{printed}");
    let (code, printed) = place.check("--", &[("KPULSE_LOG__LEVEL", "loud")]);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("environment variable KPULSE_LOG__LEVEL: log.level: unknown value `loud`\n"), "{printed}");
}

#[test]
fn an_unreadable_file_is_told() {
    let place = Place::new("unreadable", "", &[]);
    fs::remove_file(place.directory.join("config.yaml")).unwrap();
    fs::remove_dir(place.directory.join("secrets")).unwrap();
    let (code, printed) = place.check("--", &[]);
    assert_eq!(code, 2, "{printed}");
    for line in [
        "DIR/config.yaml: cannot be read: No such file or directory (os error 2)",
        "  = create it, or name another file with --config",
        "note: there is no secrets directory DIR/secrets: name another one with --secrets DIR",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "no line `{line}` in:\n{printed}");
    }
}

#[test]
fn what_is_in_force_is_printed_with_its_origins_and_without_secrets() {
    let place = Place::new("print", GOOD, &[("TOKEN", "s3cr3t")]);
    let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
    kpulse.env_clear().env("KPULSE_DEDUPE__WINDOW", "1h").args(["check", "--print", "--config", "config.yaml"]);
    let output = kpulse.args(["--secrets", "secrets"]).current_dir(&place.directory).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    for (value, origin) in [
        ("  name: prod-eu", "config.yaml:2"),
        ("  window: 1h", "KPULSE_DEDUPE__WINDOW"),
        ("      url: https://hooks.example/[not shown]", "config.yaml:6"),
        ("    pending_grace: 2m", "default"),
    ] {
        let is_there = |line: &str| line.starts_with(&format!("{value}  ")) && line.ends_with(&format!("# {origin}"));
        assert!(out.lines().any(is_there), "no line `{value}` from {origin} in:\n{out}");
    }
    assert!(!out.contains("s3cr3t"), "{out}");
    assert!(err.contains("secret HOOK is missing") && output.status.code() == Some(2), "{err}");
}
