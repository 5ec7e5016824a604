//! The tracker: from findings to the lives of alerts. It remembers troubled objects only, and keeps one queue of due
//! times for all of them; a healthy object leaves no trace.

mod pairs;
mod track;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facts::{Evidence, Meta, Notes};
use crate::monitors::MonitorName;
use crate::{Alert, AlertKey, Ending, Finding, Findings, Name, ObjectRef, Scope, TroubleKey, Workload, workload_of};
use track::{Step, Track};

/// Evidence about an object that is not troubled is kept this long: Events and the state they explain come in any
/// order, seconds apart.
const EVIDENCE_KEPT: SignedDuration = SignedDuration::from_mins(15);

/// What an object is, beyond its troubles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subject {
    uid: Name,
    pub(crate) workload: Option<Workload>,
    pub(crate) node: Option<Name>,
    labels: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub(crate) notes: Notes,
}

impl Subject {
    pub(crate) fn new(object: &ObjectRef, meta: &Meta, node: Option<&Name>) -> Self {
        Self {
            uid: meta.uid.clone(),
            workload: workload_of(object.kind, meta),
            node: node.cloned(),
            labels: meta.labels.clone(),
            notes: meta.notes.clone(),
        }
    }
}

/// A troubled object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tracked {
    subject: Subject,
    #[serde(with = "pairs")]
    troubles: BTreeMap<(MonitorName, TroubleKey), Track>,
    /// Its entry in the queue.
    #[serde(skip)]
    due: Option<Timestamp>,
    /// Whether it was seen since its watch last began to list.
    #[serde(skip)]
    seen: bool,
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
    due: BTreeSet<(Timestamp, ObjectRef)>,
    evidence: BTreeMap<ObjectRef, Vec<(Evidence, Timestamp)>>,
    changes: Vec<Change>,
    touched: bool,
}

impl Tracker {
    pub(crate) fn new(window: SignedDuration, state: TrackerState) -> Self {
        let mut tracker = Self {
            window,
            objects: state.0.into_iter().collect(),
            due: BTreeSet::new(),
            evidence: BTreeMap::new(),
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
        if self.objects.get(object).is_some_and(|tracked| tracked.subject.uid != *uid) {
            self.forget(object, Ending::Gone);
        }
        let well = said.iter().all(|(_, findings)| findings.present.is_empty());
        if well && !self.objects.contains_key(object) {
            return;
        }
        self.touched |= self.objects.get(object).is_some_and(Tracked::is_troubled);
        let tracked = self.objects.entry(object.clone()).or_insert_with(|| Tracked {
            subject: Subject::default(),
            troubles: BTreeMap::new(),
            due: None,
            seen: true,
        });
        tracked.seen = true;
        tracked.subject = subject();
        let mut steps = Vec::new();
        for (monitor, findings) in said {
            tracked.take(now, monitor, findings, &mut steps);
        }
        self.touched |= tracked.is_troubled();
        self.apply(object, steps);
        self.settle(now, object);
    }

    /// An object was seen to be deleted.
    pub(crate) fn delete(&mut self, object: &ObjectRef, uid: &Name) {
        self.evidence.remove(object);
        if self.objects.get(object).is_some_and(|tracked| tracked.subject.uid == *uid || uid.is_empty()) {
            self.forget(object, Ending::Gone);
        }
    }

    /// Nothing can be seen through this watch until its objects are seen again.
    pub(crate) fn lose_sight(&mut self, scope: &Scope) {
        for object in self.in_scope(scope) {
            if let Some(tracked) = self.objects.get_mut(&object) {
                tracked.seen = false;
                tracked.troubles.values_mut().for_each(Track::unknown);
            }
            self.requeue(&object);
        }
    }

    /// The watch has listed all there is: what was not in the list is gone.
    pub(crate) fn listed(&mut self, scope: &Scope) {
        for object in self.in_scope(scope) {
            if self.objects.get(&object).is_some_and(|tracked| !tracked.seen) {
                self.forget(&object, Ending::Gone);
            }
        }
    }

    /// An Event proves something about an object.
    pub(crate) fn prove(&mut self, now: Timestamp, object: &ObjectRef, evidence: Evidence) {
        self.evidence.retain(|_, proofs| {
            proofs.retain(|(_, at)| now.duration_since(*at) < EVIDENCE_KEPT);
            !proofs.is_empty()
        });
        let proofs = self.evidence.entry(object.clone()).or_default();
        proofs.retain(|(known, _)| *known != evidence);
        proofs.push((evidence, now));
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
    }

    /// When something is due next, if nothing more is seen.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// What happened since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Whether what is saved changed since this was last asked.
    pub(crate) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    /// One firing alert.
    pub(crate) fn alert(&self, key: &AlertKey) -> Option<(Alert, &Subject, Timestamp)> {
        let Tracked { subject, troubles, .. } = self.objects.get(&key.object)?;
        let track = troubles.get(&(key.monitor, key.trouble.clone())).filter(|track| track.is_firing())?;
        let finding = &track.finding;
        let alert = Alert {
            key: key.clone(),
            reason: finding.reason.clone(),
            severity: finding.severity,
            what: finding.what.clone(),
            cause: finding.cause.clone(),
            started_at: track.since,
            workload: subject.workload.clone(),
            node: subject.node.clone(),
            labels: subject.labels.clone(),
            title_name: finding.title_name.clone(),
            shared: finding.shared.clone(),
        };
        Some((alert, subject, track.fired_at.unwrap_or(track.since)))
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

    fn in_scope(&self, scope: &Scope) -> Vec<ObjectRef> {
        self.objects.keys().filter(|object| scope.covers(object)).cloned().collect()
    }

    fn proven(&self, object: &ObjectRef) -> Vec<Evidence> {
        self.evidence.get(object).into_iter().flatten().map(|(evidence, _)| *evidence).collect()
    }

    /// Does what is due for one object, until nothing more is.
    fn settle(&mut self, now: Timestamp, object: &ObjectRef) {
        let (proven, window) = (self.proven(object), self.window);
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
        self.touched = true;
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
        let (proven, window) = (self.proven(object), self.window);
        let Some(tracked) = self.objects.get_mut(object) else { return };
        if let Some(due) = tracked.due.take() {
            self.due.remove(&(due, object.clone()));
        }
        if tracked.troubles.is_empty() {
            self.objects.remove(object);
            return;
        }
        tracked.due = tracked.troubles.values().filter_map(|track| track.due(&proven, window)).min();
        if let Some(due) = tracked.due {
            self.due.insert((due, object.clone()));
        }
    }
}

impl Tracked {
    /// Whether there is more to it than a time that the object names in advance.
    fn is_troubled(&self) -> bool {
        self.troubles.values().any(Track::is_ours_to_keep)
    }

    /// Takes in what one monitor says: a trouble not mentioned was seen to be absent.
    fn take(
        &mut self,
        now: Timestamp,
        monitor: MonitorName,
        findings: Findings,
        steps: &mut Vec<((MonitorName, TroubleKey), Step)>,
    ) {
        let mut mentioned: Vec<TroubleKey> = findings.unknown;
        for ((by, trouble), track) in &mut self.troubles {
            if *by == monitor && (findings.all_unknown || mentioned.contains(trouble)) {
                track.unknown();
            }
        }
        for finding in findings.present {
            let which = (monitor, finding.key.clone());
            mentioned.push(finding.key.clone());
            steps.extend(self.part_with_another(&which, &finding));
            match self.troubles.get_mut(&which) {
                Some(track) => steps.extend(track.present(now, finding).map(|step| (which, step))),
                None => {
                    if let Some(track) = Track::begin(now, finding) {
                        self.troubles.insert(which, track);
                    }
                }
            }
        }
        if findings.all_unknown {
            return;
        }
        for ((by, trouble), track) in &mut self.troubles {
            if *by == monitor && !mentioned.contains(trouble) {
                steps.extend(track.absent(now).map(|step| ((*by, trouble.clone()), step)));
            }
        }
    }

    /// An object that shares something else than before has another trouble; the earlier one was seen to be over.
    fn part_with_another(
        &mut self,
        which: &(MonitorName, TroubleKey),
        finding: &Finding,
    ) -> Option<((MonitorName, TroubleKey), Step)> {
        let is_another = self.troubles.get(which).is_some_and(|track| track.finding.shared != finding.shared);
        let earlier = if is_another { self.troubles.remove(which) } else { None };
        earlier.filter(Track::is_firing).map(|_| (which.clone(), Step::Recovered))
    }
}
