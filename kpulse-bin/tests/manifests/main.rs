//! What is under `deploy/`: that a cluster takes it, that kpulse reads the configuration in it, and that it grants what
//! this configuration needs and nothing else.
//!
//! What follows from something else is written anew by `UPDATE_DEPLOY=1 cargo test -p kpulse-bin --test manifests`; a
//! second run has what follows from that.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod chart;
mod dev;
mod overlay;
mod release;
mod typed;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

fn read(path: &str) -> String {
    let file = deploy(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(text).unwrap().into_iter().filter(|document| !document.is_null()).collect()
}

/// The only document of this kind and name.
#[track_caller]
fn find<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found: Vec<&Value> =
        documents.iter().filter(|document| document["kind"] == kind && document["metadata"]["name"] == name).collect();
    assert_eq!(found.len(), 1, "{kind}/{name}");
    found[0]
}

/// Has the file be what it follows to be.
#[track_caller]
fn keep(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_DEPLOY").is_some() {
        std::fs::write(deploy(path), expected).unwrap();
    }
    let written = read(path);
    let first = written.lines().zip(expected.lines()).find(|(written, expected)| written != expected);
    assert!(written == expected, "deploy/{path} is not up to date ({first:?}): run this test with UPDATE_DEPLOY=1");
}

/// What the program prints; nothing of the environment reaches it.
fn kpulse(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kpulse")).args(arguments).env_clear().output().unwrap();
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "kpulse {}: {out}{error}", arguments.join(" "));
    out
}

/// What `kpulse rbac` prints for a configuration under `deploy/`.
fn rights(config: &str) -> String {
    kpulse(&["rbac", "--namespace", "kpulse", "--config", deploy(config).to_str().unwrap()])
}

/// A directory of secrets with these keys.
fn secrets(name: &str, keys: &[&str]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    for key in keys {
        std::fs::write(directory.join(key), "https://hooks.example/services/T0/B0/x").unwrap();
    }
    directory
}
