//! Who is in trouble, told or not, by workload and by node: what explains what is found in a step or two. It holds
//! troubled objects only.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use crate::monitors::{LOST, MonitorName};
use crate::{Kind, Name, ObjectRef, TroubleKey, Workload};

/// What is wrong with one object, and where it belongs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    pub(crate) workload: Option<Workload>,
    pub(crate) node: Option<Name>,
    pub(crate) troubles: BTreeSet<(MonitorName, TroubleKey)>,
}

impl Shown {
    /// Whether a monitor has something to say of it.
    pub(crate) fn has(&self, monitor: MonitorName, trouble: impl Fn(&str) -> bool) -> bool {
        self.troubles.iter().any(|(by, key)| *by == monitor && trouble(&key.trouble))
    }
}

/// Who is in trouble.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    objects: BTreeMap<ObjectRef, Shown>,
    /// By namespace and workload; an object that others may belong to is among its own.
    workloads: BTreeMap<(Name, Workload), BTreeSet<ObjectRef>>,
    nodes: BTreeMap<Name, BTreeSet<ObjectRef>>,
    counts: BTreeMap<(Name, Workload), Counts>,
    changed: Changed,
}

/// How many objects of a workload have troubles that explain others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// Pods that fail.
    failing: usize,
    /// Pods that a dead node left behind.
    lost: usize,
    /// Anything but Events.
    troubled: usize,
}

/// Where what explains others began or ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) workloads: BTreeSet<(Name, Workload)>,
    pub(crate) nodes: BTreeSet<Name>,
}

impl Presence {
    /// What is wrong with an object.
    pub(crate) fn of(&self, object: &ObjectRef) -> Option<&Shown> {
        self.objects.get(object)
    }

    /// The troubled objects of a workload, and the workload itself if it is troubled.
    pub(crate) fn of_workload(
        &self,
        namespace: &Name,
        workload: &Workload,
    ) -> impl Iterator<Item = (&ObjectRef, &Shown)> {
        let objects = self.workloads.get(&(namespace.clone(), workload.clone())).into_iter().flatten();
        objects.filter_map(|object| self.objects.get_key_value(object))
    }

    /// The troubled objects on a node.
    pub(crate) fn on_node(&self, node: &Name) -> impl Iterator<Item = (&ObjectRef, &Shown)> {
        let objects = self.nodes.get(node).into_iter().flatten();
        objects.filter_map(|object| self.objects.get_key_value(object))
    }

    pub(super) fn show(
        &mut self,
        object: &ObjectRef,
        subject: &Subject,
        troubles: impl FnOnce() -> BTreeSet<(MonitorName, TroubleKey)>,
    ) {
        let shown = Shown { workload: subject.workload.clone(), node: subject.node.clone(), troubles: troubles() };
        if self.objects.get(object) == Some(&shown) {
            return;
        }
        self.drop(object);
        if shown.troubles.is_empty() {
            return;
        }
        for place in places(object, &shown) {
            self.workloads.entry(place.clone()).or_default().insert(object.clone());
            self.count(place, &shown, |count| count + 1);
        }
        if let Some(node) = &shown.node {
            self.nodes.entry(node.clone()).or_default().insert(object.clone());
        }
        self.note_node(object);
        self.objects.insert(object.clone(), shown);
    }

    pub(super) fn drop(&mut self, object: &ObjectRef) {
        let Some(shown) = self.objects.remove(object) else { return };
        for place in places(object, &shown) {
            remove(&mut self.workloads, &place, object);
            self.count(place, &shown, |count| count.saturating_sub(1));
        }
        if let Some(node) = &shown.node {
            remove(&mut self.nodes, node, object);
        }
        self.note_node(object);
    }

    pub(super) fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// Only the first and the last one to explain others change anything for them.
    fn count(&mut self, place: (Name, Workload), shown: &Shown, step: impl Fn(usize) -> usize) {
        let counts = self.counts.entry(place.clone()).or_default();
        let before = *counts;
        if shown.has(MonitorName::PodCrashes, |trouble| trouble != LOST) {
            counts.failing = step(counts.failing);
        }
        if shown.has(MonitorName::PodCrashes, |trouble| trouble == LOST) {
            counts.lost = step(counts.lost);
        }
        if shown.troubles.iter().any(|(monitor, _)| *monitor != MonitorName::WarningEvents) {
            counts.troubled = step(counts.troubled);
        }
        let after = *counts;
        if after == Counts::default() {
            self.counts.remove(&place);
        }
        let begins_or_ends = |count: fn(&Counts) -> usize| (count(&before) > 0) != (count(&after) > 0);
        if begins_or_ends(|counts| counts.failing)
            || begins_or_ends(|counts| counts.lost)
            || begins_or_ends(|counts| counts.troubled)
        {
            self.changed.workloads.insert(place);
        }
    }

    fn note_node(&mut self, object: &ObjectRef) {
        if object.kind == Kind::Node {
            self.changed.nodes.insert(object.name.clone());
        }
    }
}

fn places(object: &ObjectRef, shown: &Shown) -> impl Iterator<Item = (Name, Workload)> {
    let namespace = object.namespace.clone();
    let of = shown.workload.clone().into_iter().chain([Workload::from(object)]);
    of.map(move |workload| (namespace.clone(), workload))
}

fn remove<K: Ord>(index: &mut BTreeMap<K, BTreeSet<ObjectRef>>, key: &K, object: &ObjectRef) {
    if let Some(objects) = index.get_mut(key) {
        objects.remove(object);
        if objects.is_empty() {
            index.remove(key);
        }
    }
}
