//! Which kubelets could not be read, in few words: why most of them, and which one for example.

use std::collections::BTreeMap;

use kpulse_core::{KubeletSight, Name};

use super::nodes::Node;

/// Kubelets that could not be read in a round, and why.
pub(super) type Missed = BTreeMap<Name, String>;

/// How many cannot be read of those that should answer: not those of nodes that are gone by now, or not ready. The
/// example is the first by name, so that the same faults are the same words.
pub(super) fn sight(nodes: &[Node], missed: &Missed) -> KubeletSight {
    let expected = nodes.iter().filter(|node| !node.is_unready);
    let mut causes: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for (name, cause) in expected.filter_map(|node| missed.get_key_value(&node.name)) {
        causes.entry(cause).or_default().push(name);
    }
    let most = causes.iter().max_by_key(|(_, names)| names.len());
    let example = most.and_then(|(cause, names)| Some((cause, names.iter().min()?)));
    KubeletSight {
        nodes: nodes.len(),
        refused: false,
        unreadable: causes.values().map(Vec::len).sum(),
        why: example.map_or_else(String::new, |(cause, name)| format!("{cause} (for example {name})")),
    }
}
