//! `kpulse replay --against`: what two configurations would have said differently, by the real program.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

struct Place(PathBuf);

impl Place {
    fn new(name: &str, configs: &[(&str, &str)]) -> Self {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("replay").join(name);
        std::fs::create_dir_all(&place).unwrap();
        for (file, text) in configs {
            std::fs::write(place.join(file), format!("dedupe: {{digest: {{enabled: false}}}}\n{text}\n")).unwrap();
        }
        Self(place)
    }

    /// Plays a recording, with these words after it: the exit code and what was printed.
    fn replay(&self, recording: &str, words: &str) -> (i32, String) {
        let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kpulse-testkit/recordings");
        let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
        kpulse.arg("replay").arg(recordings.join(recording)).args(words.split_whitespace());
        let output = kpulse.current_dir(&self.0).env_clear().output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }
}

const USUAL: &str = "monitors: {rollout_stuck: {threshold: 15m}}";
const QUICK: &str = "monitors: {rollout_stuck: {threshold: 2m}}";

#[test]
fn lowering_one_threshold_shows_exactly_what_is_said_more() {
    let place = Place::new("lower", &[("a.yaml", USUAL), ("b.yaml", QUICK)]);
    let (code, said) = place.replay("rollout-stuck.jsonl", "--config a.yaml --against b.yaml");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((code, lines.len()), (1, 3), "{said}");
    assert!(lines[0].starts_with("+ ") && lines[0].contains("  replay  warning   rollout-stuck/web"), "{said}");
    assert!(
        lines[1].starts_with("+ ") && lines[1].contains("  replay  resolved  rollout-stuck/web recovered"),
        "{said}"
    );
    assert!(lines[2].starts_with("2 more, 0 fewer, 0 at another time, "), "{said}");
    // The other way round the same two disappear.
    let (_, said) = place.replay("rollout-stuck.jsonl", "--config b.yaml --against a.yaml");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("- ") && lines[1].starts_with("- "), "{said}");
    assert!(lines[2].starts_with("0 more, 2 fewer, "), "{said}");
}

#[test]
fn what_is_said_at_another_time_is_shown_with_both_times() {
    let quicker = "monitors: {rollout_stuck: {threshold: 1m}}";
    let place = Place::new("moved", &[("a.yaml", QUICK), ("b.yaml", quicker)]);
    let words = "--config a.yaml --against b.yaml";
    let (code, said) = place.replay("rollout-stuck.jsonl", words);
    assert!(code == 1 && said.starts_with("~ ") && said.contains("(1m earlier)"), "{said}");
    let (_, said) = place.replay("rollout-stuck.jsonl", &format!("{words} -o json"));
    let line: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((line["change"].as_str(), line["monitor"].as_str()), (Some("moves"), Some("rollout_stuck")));
    assert!(line["instead_of"].as_str() > line["at"].as_str(), "{said}");
}

#[test]
fn two_configurations_that_say_the_same_differ_in_nothing() {
    let place = Place::new("same", &[("a.yaml", QUICK), ("b.yaml", QUICK)]);
    let (code, said) = place.replay("rollout-stuck.jsonl", "--config a.yaml --against b.yaml");
    assert!(code == 0 && said.starts_with("0 more, 0 fewer, 0 at another time, "), "{said}");
}
