//! What holds for an object because of where it is: its namespace is being deleted, or its namespace or owner says
//! by annotation to leave it alone. Only what is out of the ordinary is remembered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::facts::{Facts, Notes};
use crate::monitors::MonitorName;
use crate::settings::Namespaces;
use crate::tracker::Subject;
use crate::{Kind, Name, ObjectRef, Scope, Severity};

/// How long what a deleted workload said holds for its Pods: longer than these take to end.
const LEAVING_FOR: SignedDuration = SignedDuration::from_mins(15);

#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    terminating: BTreeSet<Name>,
    /// Namespaces that the user's selector fits, where there is one.
    selected: BTreeSet<Name>,
    notes: BTreeMap<ObjectRef, Notes>,
    /// What was remembered when a watch began to list, and has not been seen since.
    unseen: BTreeSet<ObjectRef>,
    /// Workloads that were deleted, and when: what they say holds for their Pods, which stay a while longer.
    leaving: BTreeMap<ObjectRef, Timestamp>,
}

impl Surroundings {
    /// Takes note of a namespace, a workload, or what others speak of; tells whether anything changed for what is in it.
    pub(crate) fn see(&mut self, facts: &Facts, namespaces: &Namespaces) -> bool {
        let object = facts.object();
        self.unseen.remove(&object);
        self.leaving.remove(&object);
        let mut changed = false;
        if let Facts::Namespace(namespace) = facts {
            changed |= if namespace.is_terminating() {
                self.terminating.insert(object.name.clone())
            } else {
                self.terminating.remove(&object.name)
            };
            changed |= if namespaces.selects(&namespace.meta.labels) {
                self.selected.insert(object.name.clone())
            } else {
                self.selected.remove(&object.name)
            };
        }
        let notes = &facts.meta().notes;
        changed
            | if notes.is_empty() {
                self.notes.remove(&object).is_some()
            } else {
                self.notes.insert(object, notes.clone()).as_ref() != Some(notes)
            }
    }

    /// A namespace or workload is gone; tells whether anything changed.
    pub(crate) fn delete(&mut self, now: Timestamp, object: &ObjectRef) -> bool {
        self.unseen.remove(object);
        if object.kind != Kind::Namespace && self.notes.contains_key(object) {
            self.leaving.insert(object.clone(), now);
            return false;
        }
        let is_namespace = object.kind == Kind::Namespace;
        let ended = is_namespace && self.terminating.remove(&object.name);
        let left = is_namespace && self.selected.remove(&object.name);
        self.notes.remove(object).is_some() || ended || left
    }

    pub(crate) fn begin_listing(&mut self, scope: &Scope) {
        let namespaces =
            self.terminating.iter().chain(&self.selected).map(|name| ObjectRef::new(Kind::Namespace, "", name));
        let known = self.notes.keys().cloned().chain(namespaces);
        self.unseen.extend(known.filter(|object| scope.covers(object)));
    }

    /// What was remembered and is not in the list is gone; tells whether anything changed.
    pub(crate) fn listed(&mut self, now: Timestamp, scope: &Scope) -> bool {
        let gone: Vec<_> = self.unseen.iter().filter(|object| scope.covers(object)).cloned().collect();
        let mut changed = false;
        for object in gone {
            changed |= self.delete(now, &object);
        }
        changed
    }

    /// Forgets what workloads said that were deleted long ago.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        let notes = &mut self.notes;
        self.leaving.retain(|object, at| {
            let stays = now.duration_since(*at) < LEAVING_FOR;
            if !stays {
                notes.remove(object);
            }
            stays
        });
    }

    /// How much is remembered.
    pub(crate) fn len(&self) -> usize {
        self.terminating.len() + self.selected.len() + self.notes.len()
    }

    /// Whether a namespace is being deleted: what fails in it now is no trouble.
    pub(crate) fn is_terminating(&self, namespace: &Name) -> bool {
        self.terminating.contains(namespace)
    }

    /// Whether the user's selector fits a namespace's labels.
    pub(crate) fn is_selected(&self, namespace: &Name) -> bool {
        self.selected.contains(namespace)
    }

    /// Whether an object's author, or that of its workload or namespace, asked that this monitor leave it alone.
    pub(crate) fn ignores(&self, monitor: MonitorName, object: &ObjectRef, subject: &Subject) -> bool {
        self.notes_on(object, subject).any(|notes| notes.ignores(monitor.as_str()))
    }

    /// How bad an object's trouble can be at most, for its author or that of its workload or namespace.
    pub(crate) fn max_severity(&self, object: &ObjectRef, subject: &Subject) -> Option<Severity> {
        self.notes_on(object, subject).filter_map(|notes| notes.max_severity).min()
    }

    /// What the object's author, or that of its workload or namespace, says of silence.
    pub(crate) fn silences<'a>(&'a self, object: &ObjectRef, subject: &'a Subject) -> Vec<&'a str> {
        self.notes_on(object, subject).filter_map(|notes| notes.silence.as_deref()).collect()
    }

    fn notes_on<'a>(&'a self, object: &ObjectRef, subject: &'a Subject) -> impl Iterator<Item = &'a Notes> {
        let namespace = ObjectRef::new(Kind::Namespace, "", &object.namespace);
        let of_workload = subject.workload.as_ref().and_then(|workload| {
            let notes = |(owner, notes)| workload.is(owner).then_some(notes);
            self.notes.iter().filter(|(owner, _)| owner.namespace == object.namespace).find_map(notes)
        });
        [Some(&subject.notes), self.notes.get(object), of_workload, self.notes.get(&namespace)].into_iter().flatten()
    }
}
