//! The tracker: from findings to the lives of alerts. It remembers troubled objects only, and keeps one queue of due
//! times for all of them; a healthy object leaves no trace.

mod lately;
mod presence;
#[cfg(test)]
mod tests;
mod track;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facts::{Evidence, Facts, Notes};
use crate::monitors::{MonitorName, subject_of};
use crate::{Alert, AlertKey, Ending, Findings, Kind, Name, ObjectRef, Scope, TroubleKey, Workload, workload_of};
use lately::Lately;
pub(crate) use presence::{Changed, Presence};
pub(crate) use track::Phase;
use track::{Step, Track};
use tracked::Tracked;

/// What an object is, beyond its troubles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subject {
    /// Empty while the object is known only by what others say of it.
    uid: Name,
    pub(crate) workload: Option<Workload>,
    pub(crate) node: Option<Name>,
    labels: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub(crate) notes: Notes,
}

impl Subject {
    pub(crate) fn new(object: &ObjectRef, facts: &Facts, node: Option<&Name>) -> Self {
        let meta = facts.meta();
        let workload = match facts {
            Facts::Event(event) => Some(subject_of(event)),
            _ => workload_of(object.kind, meta),
        };
        Self {
            uid: meta.uid.clone(),
            workload,
            node: node.cloned(),
            labels: meta.labels.clone(),
            notes: meta.notes.clone(),
        }
    }
}

/// Something happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: AlertKey,
    pub(crate) what: Turn,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It fires, or what it says changed.
    Fires,
    /// It is over.
    Ended(Ending),
}

/// What the tracker remembers, as it is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TrackerState(Vec<(ObjectRef, Tracked)>);

/// Remembers troubled objects.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// How long a resolved trouble is remembered.
    window: SignedDuration,
    objects: BTreeMap<ObjectRef, Tracked>,
    /// Nodes that are not ready, and whether each was seen since the nodes were last begun to be listed.
    silent: BTreeMap<Name, bool>,
    due: BTreeSet<(Timestamp, ObjectRef)>,
    lately: Lately,
    presence: Presence,
    changes: Vec<Change>,
    touched: bool,
}

impl Tracker {
    pub(crate) fn new(window: SignedDuration, state: TrackerState) -> Self {
        let mut tracker = Self {
            window,
            objects: state.0.into_iter().collect(),
            silent: BTreeMap::new(),
            due: BTreeSet::new(),
            lately: Lately::default(),
            presence: Presence::default(),
            changes: Vec::new(),
            touched: false,
        };
        for object in tracker.objects.keys().cloned().collect::<Vec<_>>() {
            tracker.requeue(&object);
        }
        tracker
    }

    pub(crate) fn state(&self) -> TrackerState {
        let kept = self.objects.iter().filter(|(_, tracked)| tracked.is_troubled());
        TrackerState(kept.map(|(object, tracked)| (object.clone(), tracked.clone())).collect())
    }

    pub(crate) fn set_window(&mut self, window: SignedDuration) {
        self.window = window;
    }

    /// An object was seen, and this is what the monitors say of it.
    pub(crate) fn see(
        &mut self,
        now: Timestamp,
        object: &ObjectRef,
        subject: impl FnOnce() -> Subject,
        uid: &Name,
        said: Vec<(MonitorName, Findings)>,
    ) {
        self.lately.see(object);
        if self.objects.get(object).is_some_and(|tracked| !tracked.is_known_as(uid)) {
            self.forget(object, Ending::Gone);
        }
        let well = said.iter().all(|(_, findings)| findings.present.is_empty());
        if well && !self.objects.contains_key(object) {
            return;
        }
        let tracked = self.objects.entry(object.clone()).or_insert_with(Tracked::new);
        tracked.seen = true;
        tracked.subject = subject();
        self.take(now, object, said);
    }

    /// This is what a monitor says of an object by way of another one: of a claim by its node's summary. The object
    /// itself need not have been seen; what its own monitors say of it stays as it is.
    pub(crate) fn report(&mut self, now: Timestamp, object: &ObjectRef, monitor: MonitorName, findings: Findings) {
        let well = findings.present.is_empty();
        if self.lately.has_deleted(now, object) || (well && !self.objects.contains_key(object)) {
            return;
        }
        // A listing that is going on may have passed the object when there was nothing to remember of it.
        self.objects.entry(object.clone()).or_insert_with(Tracked::new);
        self.take(now, object, vec![(monitor, findings)]);
    }

    /// An object was seen to be deleted.
    pub(crate) fn delete(&mut self, now: Timestamp, object: &ObjectRef, uid: &Name) {
        if object.kind == Kind::Node {
            self.see_node(now, &object.name, true);
        }
        self.lately.delete(now, object);
        if self.objects.get(object).is_some_and(|tracked| tracked.is_known_as(uid) || uid.is_empty()) {
            self.forget(object, Ending::Gone);
        }
    }

    /// Nothing can be seen through this watch until its objects are seen again.
    pub(crate) fn lose_sight(&mut self, scope: &Scope) {
        if scope.resource.kind() == Kind::Node {
            self.silent.values_mut().for_each(|seen| *seen = false);
        }
        for object in self.in_scope(scope) {
            if let Some(tracked) = self.objects.get_mut(&object) {
                tracked.seen = false;
            }
            self.leave_unknown(&object);
        }
    }

    /// What kpulse says of itself needs nobody to see it.
    pub(crate) fn see_own(&mut self, now: Timestamp, is_own: impl Fn(&ObjectRef) -> bool) {
        let own: Vec<ObjectRef> = self.objects.keys().filter(|object| is_own(object)).cloned().collect();
        for object in own {
            if let Some(tracked) = self.objects.get_mut(&object) {
                tracked.seen = true;
                tracked.troubles.values_mut().for_each(|track| track.show(now));
            }
            self.settle(now, &object);
        }
    }

    /// A node was seen. While it is not ready, what its Pods show is of before; once it is, what they were last seen to be
    /// counts from then on.
    pub(crate) fn see_node(&mut self, now: Timestamp, node: &Name, ready: bool) {
        let known = if ready { self.silent.remove(node) } else { self.silent.insert(node.clone(), true) };
        if known.is_some() != ready {
            return;
        }
        for object in self.on_node(node) {
            if !ready {
                let hidden = self.objects.get_mut(&object).into_iter();
                hidden.flat_map(|tracked| tracked.troubles.values_mut()).for_each(Track::hide);
            } else if let Some(tracked) = self.objects.get_mut(&object).filter(|tracked| tracked.seen) {
                tracked.troubles.values_mut().for_each(|track| track.show(now));
            }
            self.settle(now, &object);
        }
    }

    fn on_node(&self, node: &Name) -> Vec<ObjectRef> {
        let is_on = |tracked: &Tracked| tracked.subject.node.as_ref() == Some(node);
        let pods = self.objects.iter().filter(|(object, tracked)| object.kind == Kind::Pod && is_on(tracked));
        pods.map(|(object, _)| object.clone()).collect()
    }

    /// A namespace is being deleted: nothing begins or ends in it any more until it is gone.
    pub(crate) fn give_up(&mut self, namespace: &Name) {
        let doomed: Vec<_> = self.objects.keys().filter(|object| object.namespace == *namespace).cloned().collect();
        doomed.iter().for_each(|object| self.leave_unknown(object));
    }

    fn leave_unknown(&mut self, object: &ObjectRef) {
        if let Some(tracked) = self.objects.get_mut(object) {
            tracked.troubles.values_mut().for_each(Track::unknown);
        }
        self.requeue(object);
    }

    /// The watch has listed all there is: what was not in the list is gone.
    pub(crate) fn listed(&mut self, now: Timestamp, scope: &Scope) {
        if scope.resource.kind() == Kind::Node {
            let gone: Vec<_> = self.silent.iter().filter(|(_, seen)| !**seen).map(|(node, _)| node.clone()).collect();
            gone.iter().for_each(|node| self.see_node(now, node, true));
        }
        for object in self.in_scope(scope) {
            if self.objects.get(&object).is_some_and(|tracked| !tracked.seen) {
                self.forget(&object, Ending::Gone);
            }
        }
    }

    /// An Event proves something about an object.
    pub(crate) fn prove(&mut self, now: Timestamp, object: &ObjectRef, evidence: Evidence) {
        self.lately.prove(now, object, evidence);
        self.settle(now, object);
    }

    /// Does what is due by now.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some((at, object)) = self.due.first().cloned() {
            if at > now {
                break;
            }
            self.settle(now, &object);
        }
        self.lately.advance(now);
    }

    /// When something is due next, if nothing more is seen.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at).into_iter().chain(self.lately.next_due()).min()
    }

    /// What happened since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Who is in trouble now, told or not.
    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Where what explains others began or ended, told or not, since this was last asked.
    pub(crate) fn take_explanations(&mut self) -> Changed {
        self.presence.take_changed()
    }

    /// Whether what is saved changed since this was last asked.
    pub(crate) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    /// One firing alert.
    pub(crate) fn alert(&self, key: &AlertKey) -> Option<(Alert, &Subject, Timestamp)> {
        let Tracked { subject, troubles, .. } = self.objects.get(&key.object)?;
        let track = troubles.get(&(key.monitor, key.trouble.clone())).filter(|track| track.is_firing())?;
        Some((alert(key.clone(), subject, track), subject, track.fired_at.unwrap_or(track.since)))
    }

    /// What an object is, beyond its troubles, if it is remembered.
    pub(crate) fn subject(&self, object: &ObjectRef) -> Option<&Subject> {
        self.objects.get(object).map(|tracked| &tracked.subject)
    }

    /// Every trouble of an object, as an alert that may not fire yet, and when the next thing happens to it.
    pub(crate) fn troubles_of(&self, object: &ObjectRef) -> impl Iterator<Item = (Alert, Phase, Option<Timestamp>)> {
        let proven = self.lately.proven(object);
        let tracked = self.objects.get_key_value(object).into_iter();
        tracked.flat_map(move |(object, tracked)| {
            let proven = proven.clone();
            tracked.troubles.iter().map(move |((monitor, trouble), track)| {
                let key = AlertKey { object: object.clone(), monitor: *monitor, trouble: trouble.clone() };
                (alert(key, &tracked.subject, track), track.phase, track.due(&proven, self.window))
            })
        })
    }

    /// Every trouble that is present and will be told if it lasts, and when.
    pub(crate) fn pending(&self, now: Timestamp) -> impl Iterator<Item = (Alert, &Subject, Timestamp)> {
        self.objects.iter().flat_map(move |(object, Tracked { subject, troubles, .. })| {
            let proven = self.lately.proven(object);
            troubles.iter().filter_map(move |((monitor, trouble), track)| {
                let due = track.pending_until(now, &proven)?;
                let key = AlertKey { object: object.clone(), monitor: *monitor, trouble: trouble.clone() };
                Some((alert(key, subject, track), subject, due))
            })
        })
    }

    /// How many troubles each monitor sees now, those that are not due yet among them.
    pub(crate) fn findings(&self, now: Timestamp) -> BTreeMap<MonitorName, usize> {
        let mut counts = BTreeMap::new();
        let troubles = self.objects.values().flat_map(|tracked| &tracked.troubles);
        for ((monitor, _), _) in troubles.filter(|(_, track)| track.is_present(now)) {
            *counts.entry(*monitor).or_default() += 1;
        }
        counts
    }

    /// Since when a monitor has had something to say of an object.
    pub(crate) fn failing_since(&self, object: &ObjectRef, monitor: MonitorName) -> Option<Timestamp> {
        let troubles = &self.objects.get(object)?.troubles;
        troubles.iter().filter(|((by, _), _)| *by == monitor).map(|(_, track)| track.since).min()
    }

    /// Every alert that fires.
    pub(crate) fn firing(&self) -> Vec<AlertKey> {
        self.objects.keys().flat_map(|object| self.firing_of(object)).collect()
    }

    /// Every alert of one object that fires.
    pub(crate) fn firing_of(&self, object: &ObjectRef) -> Vec<AlertKey> {
        let troubles = self.objects.get(object).into_iter().flat_map(|tracked| &tracked.troubles);
        troubles
            .filter(|(_, track)| track.is_firing())
            .map(|((monitor, trouble), _)| AlertKey {
                object: object.clone(),
                monitor: *monitor,
                trouble: trouble.clone(),
            })
            .collect()
    }

    /// How many objects are remembered as troubled.
    pub(crate) fn len(&self) -> usize {
        self.objects.values().filter(|tracked| tracked.is_troubled()).count()
    }

    /// How many objects are remembered for any reason, how many of them are in the queue, and how many for what Events
    /// and deletions proved.
    pub(crate) fn remembered(&self) -> (usize, usize, usize) {
        (self.objects.len(), self.due.len(), self.lately.len())
    }

    fn in_scope(&self, scope: &Scope) -> Vec<ObjectRef> {
        self.objects.keys().filter(|object| scope.covers(object)).cloned().collect()
    }

    /// Takes in what monitors say of a remembered object.
    fn take(&mut self, now: Timestamp, object: &ObjectRef, said: Vec<(MonitorName, Findings)>) {
        let Some(tracked) = self.objects.get_mut(object) else { return };
        self.touched |= tracked.is_troubled();
        let mut steps = Vec::new();
        for (monitor, findings) in said {
            tracked.take(now, monitor, findings, &mut steps);
        }
        if object.kind == Kind::Pod && tracked.subject.node.as_ref().is_some_and(|node| self.silent.contains_key(node))
        {
            tracked.troubles.values_mut().for_each(Track::hide);
        }
        self.touched |= tracked.is_troubled();
        self.apply(object, steps);
        self.settle(now, object);
    }

    /// Does what is due for one object, until nothing more is.
    fn settle(&mut self, now: Timestamp, object: &ObjectRef) {
        let (proven, window) = (self.lately.proven(object), self.window);
        while let Some(tracked) = self.objects.get_mut(object) {
            let mut steps = Vec::new();
            for (which, track) in &mut tracked.troubles {
                steps.extend(track.advance(now, &proven, window).map(|step| (which.clone(), step)));
            }
            if steps.is_empty() {
                break;
            }
            self.touched = true;
            self.apply(object, steps);
        }
        self.requeue(object);
    }

    fn apply(&mut self, object: &ObjectRef, steps: Vec<((MonitorName, TroubleKey), Step)>) {
        for ((monitor, trouble), step) in steps {
            let what = match step {
                Step::Fired | Step::Changed => Turn::Fires,
                Step::Recovered => Turn::Ended(Ending::Recovered),
                Step::Forgotten => {
                    if let Some(tracked) = self.objects.get_mut(object) {
                        tracked.troubles.remove(&(monitor, trouble));
                    }
                    continue;
                }
            };
            self.changes.push(Change { key: AlertKey { object: object.clone(), monitor, trouble }, what });
        }
    }

    /// Ends every alert of an object and remembers nothing of it.
    fn forget(&mut self, object: &ObjectRef, ending: Ending) {
        let Some(tracked) = self.objects.remove(object) else { return };
        self.touched |= tracked.is_troubled();
        self.presence.drop(object);
        if let Some(due) = tracked.due {
            self.due.remove(&(due, object.clone()));
        }
        for ((monitor, trouble), track) in tracked.troubles {
            if track.is_firing() {
                let key = AlertKey { object: object.clone(), monitor, trouble };
                self.changes.push(Change { key, what: Turn::Ended(ending) });
            }
        }
    }

    fn requeue(&mut self, object: &ObjectRef) {
        let (proven, window) = (self.lately.proven(object), self.window);
        let Some(tracked) = self.objects.get_mut(object) else { return };
        if let Some(due) = tracked.due.take() {
            self.due.remove(&(due, object.clone()));
        }
        if tracked.troubles.is_empty() {
            self.objects.remove(object);
            self.presence.drop(object);
            return;
        }
        self.presence.show(object, &tracked.subject, || tracked.shown());
        tracked.due = tracked.troubles.values().filter_map(|track| track.due(&proven, window)).min();
        if let Some(due) = tracked.due {
            self.due.insert((due, object.clone()));
        }
    }
}

/// A trouble as an alert.
fn alert(key: AlertKey, subject: &Subject, track: &Track) -> Alert {
    let finding = &track.finding;
    Alert {
        key,
        reason: finding.reason.clone(),
        severity: finding.severity,
        what: finding.what.clone(),
        cause: finding.cause.clone(),
        started_at: track.since,
        workload: subject.workload.clone(),
        node: subject.node.clone(),
        labels: subject.labels.clone(),
        title_name: finding.title_name.clone(),
        occurrences: finding.occurrences,
        shared: finding.shared.clone(),
    }
}
