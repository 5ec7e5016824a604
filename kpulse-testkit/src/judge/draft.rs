//! The first draft of a truth file: what is said of a recording today, for somebody to say what ought to be.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;

use super::{JudgeError, Said, begin};

/// How many seconds sooner or later something may be told.
const SLACK: i64 = 6;

/// The beginning of every draft. Its first expectation is true of nothing, so that no draft passes as it is.
const HEAD: &str = "\
about: \"What happened, in a sentence.\"
config:
  dedupe: {digest: {enabled: false}}
horizon: 5m
expect:
  # Take this away once the rest is true.
  - {monitor: say-what-is-true}
";

/// A truth file that says what was said, and cannot be fulfilled before somebody has read it.
///
/// # Errors
///
/// Where the recording cannot be read, or does not begin with a line of a recording.
pub fn draft(recording: &Path, said: &[Said]) -> Result<String, JudgeError> {
    let lines = std::fs::read_to_string(recording)
        .map_err(|source| JudgeError::Unreadable { path: recording.to_owned(), source })?;
    let begin = begin(recording, &lines)?;
    let mut draft = HEAD.to_owned();
    if !said.is_empty() {
        draft.push_str(
            "  # What kpulse says today, counted from the first line of the recording. Make it what it ought to say.\n",
        );
    }
    let mut seen: Vec<[&str; 4]> = Vec::new();
    for line in said.iter().filter(|line| line.state == "firing") {
        let subject = subject(line);
        if !seen.contains(&subject) {
            seen.push(subject);
            let end = said.iter().find(|end| end.state == "resolved" && super::draft::subject(end) == subject);
            write_expectation(&mut draft, begin, line, end);
        }
    }
    draft.push_str("# What may be told as well, and need not be.\nallowed: []\n");
    Ok(draft)
}

/// What makes two lines be about the same.
fn subject(line: &Said) -> [&str; 4] {
    let of = line.workload.as_deref().unwrap_or(&line.object);
    [&line.monitor, &line.namespace, of, line.container.as_deref().unwrap_or_default()]
}

fn write_expectation(draft: &mut String, begin: Timestamp, line: &Said, end: Option<&Said>) {
    let window = |at: Timestamp| {
        let seconds = at.duration_since(begin).as_secs();
        format!("[{}s, {}s]", (seconds - SLACK).max(0), seconds + SLACK)
    };
    // Names of Kubernetes are plain in YAML. Writing to a string does not fail.
    write!(draft, "  - monitor: {}\n    severity: {}\n", line.monitor, line.severity).ok();
    if !line.namespace.is_empty() {
        writeln!(draft, "    namespace: {}", line.namespace).ok();
    }
    match &line.workload {
        Some(workload) => writeln!(draft, "    workload: {workload}").ok(),
        None => writeln!(draft, "    object: {}", line.object).ok(),
    };
    if let Some(container) = &line.container {
        writeln!(draft, "    container: {container}").ok();
    }
    write!(draft, "    reason: [{}]\n    fired: {}\n", line.reason, window(line.at)).ok();
    match end {
        Some(end) => {
            let how = end.ending.as_deref().unwrap_or("recovered");
            writeln!(draft, "    ended: {{how: [{how}], at: {}}}", window(end.at)).ok()
        }
        None => writeln!(draft, "    ended: never").ok(),
    };
}

#[cfg(test)]
mod tests {
    use super::super::{Recording, Truth};
    use super::*;

    fn line(at: &str, state: &str, ending: Option<&str>) -> Said {
        Said {
            at: at.parse().unwrap(),
            state: state.to_owned(),
            monitor: "pod_crashes".to_owned(),
            severity: "critical".to_owned(),
            namespace: "oom-once".to_owned(),
            object: "Pod/cache-d988cb457-7kf4s".to_owned(),
            container: Some("cache".to_owned()),
            workload: Some("Deployment/cache".to_owned()),
            reason: "OOMKilled".to_owned(),
            ending: ending.map(str::to_owned),
            title: String::new(),
            count: 1,
        }
    }

    /// The draft for what is said of a recording, as the truth about it.
    fn judged_by_its_draft(said: &[Said], without_mark: bool) -> Vec<String> {
        let mut recording = Recording::named("oom-once").unwrap();
        let draft = draft(&recording.path, said).unwrap();
        let truth: Truth = serde_saphyr::from_str(&draft).unwrap_or_else(|error| panic!("{draft}: {error}"));
        recording.expect = truth.expect.unwrap();
        recording.allowed = truth.allowed.unwrap();
        if without_mark {
            recording.expect.retain(|expected| expected.monitor != "say-what-is-true");
        }
        recording.faults(said)
    }

    #[test]
    fn a_draft_is_what_was_said_and_does_not_pass_as_it_is() {
        let said = [
            line("2026-11-22T16:57:09Z", "firing", None),
            line("2026-11-22T16:57:19Z", "firing", None),
            line("2026-11-22T16:59:09Z", "resolved", Some("recovered")),
        ];
        let said = [said[0].clone(), Said { count: 2, ..said[1].clone() }, said[2].clone()];
        assert_eq!(judged_by_its_draft(&said, true), Vec::<String>::new());
        assert_eq!(judged_by_its_draft(&said, false), ["say-what-is-true: never said"]);
        assert_eq!(judged_by_its_draft(&said[..1], true), Vec::<String>::new(), "it never ended");
        assert_eq!(judged_by_its_draft(&[], false), ["say-what-is-true: never said"], "silence is no truth either");
    }
}
