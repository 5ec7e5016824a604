//! What else is said of a group: what a node that is not ready holds back, and what happened while kpulse was blind.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use crate::group::Group;
use crate::monitors::{MonitorName, blindness};
use crate::notification::Why;
use crate::{Kind, Workload};

/// How many groups fired and ended, and how many had when sight was lost.
#[derive(Debug, Default)]
pub(super) struct Meanwhile {
    pub(super) fired: usize,
    pub(super) ended: usize,
    /// The counts when the blindness began that is told now, or was told last.
    before: Option<(usize, usize)>,
}

impl Meanwhile {
    /// All that could be seen is lost from sight.
    pub(super) fn begin(&mut self) {
        self.before = Some((self.fired, self.ended));
    }
}

impl Engine {
    /// What else there is to say of a group.
    pub(super) fn aside(&self, group: &Group, why: Why) -> Option<String> {
        match (group.key.monitor, why) {
            (MonitorName::Blindness, Why::Resolved) if *group.key.trouble.trouble == *blindness::AWAY => {
                let (fired, ended) = self.meanwhile.before?;
                // The blindness itself is one of those that ended.
                let ended = self.meanwhile.ended.saturating_sub(ended + 1);
                Some(format!("meanwhile +{} −{ended}", self.meanwhile.fired.saturating_sub(fired + 1)))
            }
            (MonitorName::NodeConditions, _) if why != Why::Resolved => self.held_back(group),
            _ => None,
        }
    }

    /// What the nodes of a group explain while they are not ready.
    fn held_back(&self, group: &Group) -> Option<String> {
        let presence = self.tracker.presence();
        let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut workloads: BTreeSet<(&str, &Workload)> = BTreeSet::new();
        for node in group.members.keys() {
            let evicted = *group.key.trouble.trouble != *"not_ready";
            let is_its = |trouble: &str| (trouble == "evicted") == evicted;
            let pods = presence.on_node(&node.name).filter(|(object, _)| object.kind == Kind::Pod);
            for (object, shown) in pods.filter(|(_, shown)| shown.has(MonitorName::PodCrashes, is_its)) {
                *kinds.entry("Pod").or_default() += 1;
                workloads.extend(shown.workload.as_ref().map(|workload| (&*object.namespace, workload)));
            }
        }
        for (namespace, workload) in workloads {
            let Some(kind) = Kind::named(&workload.kind) else { continue };
            let itself = crate::ObjectRef::new(kind, namespace, &workload.name);
            let short = [MonitorName::RolloutStuck, MonitorName::DaemonsetUnscheduled];
            if presence.of(&itself).is_some_and(|shown| short.iter().any(|monitor| shown.has(*monitor, |_| true))) {
                *kinds.entry(kind.as_str()).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = kinds.into_iter().collect();
        counts.sort_by_key(|(kind, _)| *kind != "Pod");
        let words =
            counts.into_iter().map(|(kind, count)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" }));
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| format!("held back while this lasts: {}", words.join(", ")))
    }
}
