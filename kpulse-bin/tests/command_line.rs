//! What needs no cluster: help, version, completions, and words that are not understood.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::process::Command;

use serde_json::Value;

/// The exit code, and what was printed on both ways out.
fn kpulse(words: &str) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_kpulse")).args(words.split_whitespace()).env_clear().output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn the_version_says_what_a_report_of_a_fault_needs() {
    let (code, json) = kpulse("version -o json");
    let version: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, version["version"].as_str()), (0, Some(env!("CARGO_PKG_VERSION"))));
    assert!(version["rustc"].as_str().unwrap().starts_with("rustc 1."), "{json}");
    assert!(version["channels"].as_array().unwrap().iter().any(|kind| kind == "slack"), "{json}");
    assert!(kpulse("version").1.starts_with(concat!("kpulse ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script) = kpulse(&format!("completions {shell}"));
        assert!(code == 0 && script.contains("fail-on"), "{shell}");
    }
}

#[test]
fn a_mistyped_command_or_flag_is_guessed() {
    for (words, guess) in [("scna", "'scan'"), ("chekc", "'check'"), ("scan --namespce x", "'--namespace'")] {
        let (code, said) = kpulse(words);
        assert!(code == 2 && said.contains(guess), "{words}: {said}");
    }
}

#[test]
fn the_first_page_of_help_fits_a_terminal() {
    let (code, help) = kpulse("--help");
    assert_eq!(code, 0);
    for line in help.lines() {
        assert!(line.chars().count() <= 100, "too long: {line}");
    }
    assert!(help.lines().count() < 60, "{help}");
}
