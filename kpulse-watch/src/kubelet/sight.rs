//! Which kubelets could not be read, in few words: why most of them, and which one for example.

use std::collections::BTreeMap;

use kpulse_core::{KubeletSight, Name};

use super::line::Fault;

/// What a round has shown so far.
#[derive(Debug)]
pub(super) struct Sight {
    nodes: usize,
    /// By what is the matter: how many, and the first one by name.
    causes: BTreeMap<String, (usize, Name)>,
}

impl Sight {
    /// So many are to be read.
    pub(super) fn of(nodes: usize) -> Self {
        Self { nodes, causes: BTreeMap::new() }
    }

    /// This one could not be.
    pub(super) fn miss(&mut self, node: &Name, fault: &Fault) {
        let (count, example) = self.causes.entry(fault.to_string()).or_insert_with(|| (0, node.clone()));
        *count += 1;
        if node < example {
            *example = node.clone();
        }
    }

    /// The whole in words. The example is the first by name, so that the same faults are the same words.
    pub(super) fn told(&self) -> KubeletSight {
        let most = self.causes.iter().max_by_key(|(_, (count, _))| *count);
        let why = most.map_or_else(String::new, |(cause, (_, example))| format!("{cause} (for example {example})"));
        KubeletSight { nodes: self.nodes, unreadable: self.causes.values().map(|(count, _)| count).sum(), why }
    }
}
