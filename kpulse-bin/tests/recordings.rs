//! What the real program says about recordings of a real cluster, judged by the truth files beside them.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::process::Command;

use kpulse_testkit::judge::{Recording, Said};

/// Plays a recording with the real binary, with the settings of its truth file.
fn replay(recording: &Recording) -> Vec<Said> {
    let file = format!("kpulse-replay-{}-{}.yaml", recording.name, std::process::id());
    let config = std::env::temp_dir().join(file);
    let mut settings = recording.config.clone();
    // The truth is about each trouble by itself.
    settings["dedupe"]["digest"]["enabled"] = false.into();
    std::fs::write(&config, settings.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kpulse"))
        .args(["replay", "--horizon", &recording.horizon, "--config"])
        .arg(&config)
        .arg(&recording.path)
        .env_clear()
        .output()
        .unwrap();
    std::fs::remove_file(&config).unwrap();
    assert!(output.status.success(), "{}: {}", recording.name, String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_recording_is_told_as_its_truth_file_says() {
    let recordings = Recording::all().unwrap();
    assert!(recordings.len() >= 22, "recordings are missing");
    let mut faults = Vec::new();
    for recording in recordings {
        let said = replay(&recording);
        faults.extend(recording.faults(&said).into_iter().map(|fault| format!("{}: {fault}", recording.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_judge_sees_what_is_missing_late_false_or_said_twice() {
    let recording = Recording::named("watch-gap").unwrap();
    let said = replay(&recording);
    assert_eq!(recording.faults(&said), Vec::<String>::new());
    assert!(!recording.faults(&[]).is_empty());
    assert!(!recording.faults(&said[..1]).is_empty());
    let mut late = said.clone();
    late[0].at += jiff::SignedDuration::from_secs(60);
    assert!(!recording.faults(&late).is_empty());
    let mut twice = said.clone();
    twice.insert(1, said[0].clone());
    assert!(!recording.faults(&twice).is_empty());
    let mut elsewhere = said;
    elsewhere[0].namespace = "other".to_owned();
    assert!(!recording.faults(&elsewhere).is_empty());
}
