//! The lines that belong to one expectation, in order, and what is wrong with them.

use jiff::{SignedDuration, Timestamp};

use super::{Ended, Expectation, Said};

/// The fault of an expectation that nothing was said about.
pub(super) const NEVER_SAID: &str = "never said";

/// How often the same group may be told while it fires, unless the truth says otherwise.
const UPDATES: usize = 6;

#[derive(Debug)]
pub(super) struct Track<'e> {
    pub(super) expected: &'e Expectation,
    begin: Timestamp,
    lines: Vec<Said>,
}

impl<'e> Track<'e> {
    pub(super) fn new(expected: &'e Expectation, begin: Timestamp) -> Self {
        Self { expected, begin, lines: Vec::new() }
    }

    pub(super) fn take(&mut self, line: &Said) {
        self.lines.push(line.clone());
    }

    pub(super) fn is_firing(&self) -> bool {
        self.lines.last().is_some_and(|line| line.state == "firing")
    }

    pub(super) fn was_said(&self) -> bool {
        !self.lines.is_empty()
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = self.faults_of(&self.lines);
        // Told as one group, or each object by itself: both are true.
        if self.expected.per_object && !faults.is_empty() {
            let mut objects: Vec<&str> = self.lines.iter().map(|line| line.object.as_str()).collect();
            objects.sort_unstable();
            objects.dedup();
            let of = |object: &str| -> Vec<Said> {
                self.lines.iter().filter(|line| line.object == object).cloned().collect()
            };
            if !objects.is_empty() && objects.iter().all(|object| self.faults_of(&of(object)).is_empty()) {
                faults.clear();
            }
        }
        let first = self.lines.iter().find(|line| line.state == "firing").map(|line| line.at);
        if let (Some(at), Some(window)) = (first, &self.expected.fired) {
            faults.extend(self.outside(at, window).map(|when| format!("fired {when}")));
        }
        faults
    }

    fn faults_of(&self, lines: &[Said]) -> Vec<String> {
        let firing = lines.iter().filter(|line| line.state == "firing");
        let times = firing.clone().count();
        if times == 0 {
            return vec![NEVER_SAID.to_owned()];
        }
        let mut faults = Vec::new();
        let most = self.expected.updates.unwrap_or(UPDATES);
        if times > most {
            faults.push(format!("said {times} times, at most {most} expected"));
        }
        if let Some(severity) = &self.expected.severity
            && let Some(wrong) = firing.clone().find(|line| line.severity != *severity)
        {
            faults.push(format!("severity {}, expected {severity}", wrong.severity));
        }
        faults.extend(self.order_faults(lines));
        faults.extend(self.ending_faults(lines));
        faults
    }

    fn order_faults(&self, lines: &[Said]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut last: Option<&Said> = None;
        let mut resolved = false;
        for line in lines {
            let was_firing = last.is_some_and(|last| last.state == "firing");
            if line.state == "resolved" {
                if !was_firing {
                    faults.push(format!("resolved {} but not firing", self.after(line.at)));
                }
                resolved = true;
            } else if resolved {
                faults.push(format!("fires again {} after it was resolved", self.after(line.at)));
            } else if was_firing && last.is_some_and(|last| Said { at: last.at, ..line.clone() } == *last) {
                faults.push(format!("the same thing said twice, again {}", self.after(line.at)));
            }
            last = Some(line);
        }
        faults
    }

    fn ending_faults(&self, lines: &[Said]) -> Vec<String> {
        let resolves: Vec<&Said> = lines.iter().filter(|line| line.state == "resolved").collect();
        match &self.expected.ended {
            Ended::Word(word) if word == "any" => Vec::new(),
            Ended::Never | Ended::Word(_) => {
                resolves.iter().map(|line| format!("resolved {}, but it never ended", self.after(line.at))).collect()
            }
            Ended::How { how, at } if resolves.is_empty() => {
                vec![format!("never resolved, expected {} between {} and {}", how.join(" or "), at.0, at.1)]
            }
            Ended::How { how, at } => {
                let mut faults = Vec::new();
                for line in resolves {
                    let ending = line.ending.clone().unwrap_or_default();
                    if !how.contains(&ending) {
                        faults.push(format!("ending {ending}, expected {}", how.join(" or ")));
                    }
                    faults.extend(self.outside(line.at, at).map(|when| format!("resolved {when}")));
                }
                faults
            }
        }
    }

    fn outside(&self, at: Timestamp, (from, to): &(String, String)) -> Option<String> {
        let after = at.duration_since(self.begin);
        let inside = span(from).is_some_and(|from| after >= from) && span(to).is_some_and(|to| after <= to);
        (!inside).then(|| format!("{}, expected between {from} and {to}", self.after(at)))
    }

    fn after(&self, at: Timestamp) -> String {
        format!("at {:.1}s", at.duration_since(self.begin).as_secs_f64())
    }
}

fn span(text: &str) -> Option<SignedDuration> {
    text.parse().ok()
}
