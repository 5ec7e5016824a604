//! Whether every trouble of the story was told once and ended once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kpulse_testkit::story::{Act, TROUBLES, Trouble};

use super::stage::Told;

/// What happened and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Score {
    begun: HashMap<Trouble, Instant>,
    ended: HashMap<Trouble, Instant>,
    firing: HashMap<Trouble, usize>,
    resolved: HashMap<Trouble, usize>,
    /// What was told and is not in the story, or ended in another way.
    wrong: Vec<String>,
}

impl Score {
    /// Something happened in the cluster.
    pub(super) fn happened(&mut self, act: &Act, at: Instant) {
        self.begun.extend(act.begins.map(|trouble| (trouble, at)));
        self.ended.extend(act.ends.iter().map(|trouble| (*trouble, at)));
    }

    /// Something was told; how long after its cause.
    pub(super) fn told(&mut self, told: &Told) -> Option<Duration> {
        let Some(trouble) = TROUBLES.into_iter().find(|trouble| told.is_about(trouble)) else {
            self.wrong.push(told.text.clone());
            return None;
        };
        let resolved = told.ending.is_some();
        let (counts, causes) =
            if resolved { (&mut self.resolved, &self.ended) } else { (&mut self.firing, &self.begun) };
        *counts.entry(trouble).or_default() += 1;
        if told.ending.as_deref().is_some_and(|ending| ending != trouble.ending) {
            self.wrong.push(told.text.clone());
        }
        causes.get(&trouble).map(Instant::elapsed)
    }

    /// Whether everything that should be told was.
    pub(super) fn is_complete(&self) -> bool {
        TROUBLES.iter().all(|trouble| self.firing.contains_key(trouble) && self.resolved.contains_key(trouble))
    }

    /// Whether each trouble was told once and ended once, and nothing else was said.
    pub(super) fn is_perfect(&self) -> bool {
        let once = |counts: &HashMap<Trouble, usize>| TROUBLES.iter().all(|trouble| counts.get(trouble) == Some(&1));
        once(&self.firing) && once(&self.resolved) && self.wrong.is_empty()
    }

    /// The result for a person.
    pub(super) fn summary(&self) -> String {
        let total = |counts: &HashMap<Trouble, usize>| counts.values().sum::<usize>();
        let (told, ended) = (total(&self.firing), total(&self.resolved));
        let mut text = format!("{} troubles, {told} told, {ended} ended.", TROUBLES.len());
        for wrong in &self.wrong {
            text.push_str(&format!("\nNot as it should be: {wrong}"));
        }
        text
    }
}
