//! `kpulse init` as a program runs it: what is written, and that a test arrives.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kpulse_testkit::sink::EchoSink;

/// Runs in this directory: the exit code and what was printed.
async fn kpulse(directory: &std::path::Path, words: &str, environment: &[(&str, &str)]) -> (i32, String) {
    let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
    kpulse.current_dir(directory).env_clear().envs(environment.iter().copied()).stdin(Stdio::null());
    kpulse.args(words.split_whitespace());
    let output = tokio::task::spawn_blocking(move || kpulse.output()).await.unwrap().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("init").join(name);
    std::fs::remove_dir_all(&directory).ok();
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_configuration_works_and_a_test_arrives() {
    let sink = EchoSink::new();
    let serving = sink.serve("127.0.0.1:0").await.unwrap();
    let directory = directory("works");
    let environment = [("WEBHOOK_URL", &*serving.url_of("webhook"))];
    let (code, said) = kpulse(&directory, "init --name prod-eu --channel webhook", &environment).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(sink.accepted().len(), 1, "{said}");
    assert!(said.contains("webhook: sent; ") && said.contains("kpulse run --config kpulse.yaml"), "{said}");
    let secret = directory.join("secrets/WEBHOOK_URL");
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), serving.url_of("webhook"));
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (code, said) = kpulse(&directory, "check --config kpulse.yaml --secrets secrets", &[]).await;
    assert!(code == 0 && said.contains("  cluster     prod-eu\n"), "{said}");
    let (code, said) = kpulse(&directory, "init --name other --channel stdout", &[]).await;
    assert!(code == 2 && said.contains("kpulse.yaml is there already; --force"), "{said}");
    let (code, _) = kpulse(&directory, "init --name other --channel stdout --force --no-test", &[]).await;
    assert!(code == 0 && std::fs::read_to_string(directory.join("kpulse.yaml")).unwrap().contains("name: other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_does_not_arrive_is_told_and_what_was_written_stays() {
    let directory = directory("refused");
    let environment = [("WEBHOOK_URL", "http://127.0.0.1:1/s3cr3t")];
    let (code, said) = kpulse(&directory, "init --name prod-eu --channel webhook", &environment).await;
    assert!(code == 1 && said.contains("webhook: not sent: "), "{said}");
    assert!(directory.join("kpulse.yaml").exists() && !said.contains("s3cr3t"), "{said}");
    let (code, said) = kpulse(&directory, "init --channel slack --config other.yaml --name x", &[]).await;
    assert!(code == 2 && said.contains("put it into the environment variable SLACK_WEBHOOK_URL"), "{said}");
    assert!(!directory.join("other.yaml").exists(), "nothing is written before all is known");
}
