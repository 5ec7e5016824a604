//! How things stand, for whoever looks instead of waiting to be told: a scan, a page.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Engine;
use super::report::{report, what};
use crate::group::{Group, Member};
use crate::notification::Why;
use crate::tracker::Subject;
use crate::{Alert, AlertKey, GroupKey, ObjectRef, Report};

/// One trouble of one workload as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// In words, as a channel would be told of it now.
    pub report: Report,
    /// What is wrong, without the place: `12 Pods crash-looping`, `Certificate shop.example.com ends in 3d`.
    pub what: String,
    /// How it goes on.
    pub course: Course,
}

/// How a trouble goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It is there, and lasts until it is seen to be over.
    Lasts,
    /// It happened a short while ago, and has no end.
    Happened,
    /// It is there, and will be told at this time if it lasts.
    Pending {
        /// When.
        due_at: Timestamp,
    },
}

impl Course {
    /// When it will be told if it lasts; nothing for what was.
    #[must_use]
    pub const fn due_at(self) -> Option<Timestamp> {
        match self {
            Self::Pending { due_at } => Some(due_at),
            Self::Lasts | Self::Happened => None,
        }
    }
}

/// Why something that is wrong is nobody's concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftAlone {
    /// Its namespace is not among those that are looked at.
    Namespace,
    /// Its author, or that of its workload or namespace, asked for it by annotation.
    Annotation,
}

impl Engine {
    /// Every trouble of every workload that the user wants looked at, as far as `wanted` its objects go; those that are
    /// not due yet too.
    pub fn standing(&self, now: Timestamp, wanted: impl Fn(&Alert) -> bool) -> Vec<Standing> {
        let firing = self.groups.values().filter_map(|group| {
            let mut shown = Group { members: BTreeMap::new(), ..group.clone() };
            let members = group.members.values().filter(|member| wanted(&member.alert));
            members.for_each(|member| shown.join(member.clone(), group.fired_at));
            let course = if group.once { Course::Happened } else { Course::Lasts };
            self.stand(&shown, course, now)
        });
        let mut pending: BTreeMap<GroupKey, (Group, Timestamp)> = BTreeMap::new();
        for (alert, subject, due) in self.tracker.pending(now) {
            if !wanted(&alert) || self.is_doomed(&alert) || self.left_alone(&alert.key, subject).is_some() {
                continue;
            }
            let alert = self.capped(alert, subject);
            let (group, due_at) =
                pending.entry(alert.group()).or_insert_with(|| (Group::new(&alert, alert.started_at), due));
            *due_at = due.min(*due_at);
            let since = alert.started_at;
            group.join(Member { alert, channels: Vec::new(), held: None }, since);
        }
        let pending = pending.into_values();
        let pending = pending.filter_map(|(group, due_at)| self.stand(&group, Course::Pending { due_at }, now));
        firing.chain(pending).collect()
    }

    /// What is wrong and due, and nobody's concern.
    pub fn unwatched(&self) -> impl Iterator<Item = (AlertKey, LeftAlone)> {
        self.tracker.firing().into_iter().filter_map(|key| {
            let (alert, subject, _) = self.tracker.alert(&key)?;
            let why = self.left_alone(&key, subject).filter(|_| !self.is_doomed(&alert))?;
            Some((key, why))
        })
    }

    fn stand(&self, group: &Group, course: Course, now: Timestamp) -> Option<Standing> {
        let members: BTreeSet<ObjectRef> = group.members.keys().cloned().collect();
        let report = report(group, Why::First, &members, None, &self.settings.cluster, now, None);
        // What goes by a name of its own is told by that name: `Certificate shop.example.com ends in 3d`.
        let named = group.face.title_name.is_some();
        let what = if named { report.title.clone() } else { what(group, members.len()) };
        (!members.is_empty()).then_some(Standing { report, what, course })
    }

    /// Why the user does not want this looked at; nothing if it is.
    pub(super) fn left_alone(&self, key: &AlertKey, subject: &Subject) -> Option<LeftAlone> {
        if !self.is_in_scope(&key.object.namespace) {
            Some(LeftAlone::Namespace)
        } else if self.surroundings.ignores(key.monitor, &key.object, subject) {
            Some(LeftAlone::Annotation)
        } else {
            None
        }
    }

    /// The alert, no worse than its author allows.
    pub(super) fn capped(&self, mut alert: Alert, subject: &Subject) -> Alert {
        if let Some(most) = self.surroundings.max_severity(&alert.key.object, subject) {
            alert.severity = alert.severity.min(most);
        }
        alert
    }

    /// What fails where all is being deleted is no trouble; what people know of goes on until it is gone.
    pub(super) fn is_doomed(&self, alert: &Alert) -> bool {
        self.surroundings.is_terminating(&alert.key.object.namespace) && !self.is_known(&alert.group())
    }
}
