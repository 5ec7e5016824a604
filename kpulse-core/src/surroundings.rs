//! What holds for an object because of where it is: its namespace is being deleted, or its namespace or owner says
//! by annotation to leave it alone. Only what is out of the ordinary is remembered.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, Notes};
use crate::monitors::MonitorName;
use crate::{Kind, Name, ObjectRef, Scope, Workload};

#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    terminating: BTreeSet<Name>,
    notes: BTreeMap<ObjectRef, Notes>,
    /// What was remembered when a watch began to list, and has not been seen since.
    unseen: BTreeSet<ObjectRef>,
}

impl Surroundings {
    /// Takes note of a namespace, a workload, or what others speak of; tells whether anything changed for what is in it.
    pub(crate) fn see(&mut self, facts: &Facts) -> bool {
        let object = facts.object();
        self.unseen.remove(&object);
        let mut changed = false;
        if let Facts::Namespace(namespace) = facts {
            changed |= if namespace.is_terminating() {
                self.terminating.insert(object.name.clone())
            } else {
                self.terminating.remove(&object.name)
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
    pub(crate) fn delete(&mut self, object: &ObjectRef) -> bool {
        self.unseen.remove(object);
        let ended = object.kind == Kind::Namespace && self.terminating.remove(&object.name);
        self.notes.remove(object).is_some() || ended
    }

    pub(crate) fn begin_listing(&mut self, scope: &Scope) {
        let namespaces = self.terminating.iter().map(|name| ObjectRef::new(Kind::Namespace, "", name));
        let known = self.notes.keys().cloned().chain(namespaces);
        self.unseen.extend(known.filter(|object| scope.covers(object)));
    }

    /// What was remembered and is not in the list is gone; tells whether anything changed.
    pub(crate) fn listed(&mut self, scope: &Scope) -> bool {
        let gone: Vec<_> = self.unseen.iter().filter(|object| scope.covers(object)).cloned().collect();
        let mut changed = false;
        for object in gone {
            changed |= self.delete(&object);
        }
        changed
    }

    /// Whether a namespace is being deleted: what fails in it now is no trouble.
    pub(crate) fn is_terminating(&self, namespace: &Name) -> bool {
        self.terminating.contains(namespace)
    }

    /// Whether an object's author, or that of its workload or namespace, asked that this monitor leave it alone.
    pub(crate) fn ignores(
        &self,
        monitor: MonitorName,
        object: &ObjectRef,
        own: &Notes,
        workload: Option<&Workload>,
    ) -> bool {
        let namespace = ObjectRef::new(Kind::Namespace, "", &object.namespace);
        let of_workload = workload.and_then(|workload| {
            let notes = |(owner, notes)| workload.is(owner).then_some(notes);
            self.notes.iter().filter(|(owner, _)| owner.namespace == object.namespace).find_map(notes)
        });
        [Some(own), self.notes.get(object), of_workload, self.notes.get(&namespace)]
            .into_iter()
            .flatten()
            .any(|notes| notes.ignores(monitor.as_str()))
    }
}
