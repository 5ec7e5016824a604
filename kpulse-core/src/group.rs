//! A group: the alerts of one trouble of one workload, and what is remembered of it until every channel knows its end.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::policy::Reason;
use crate::{Alert, Ending, Fingerprint, GroupKey, Name, ObjectRef, Severity};

/// A group that fires, or whose end is still owed to a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    /// The key's, worked out once.
    #[serde(skip)]
    pub(crate) fingerprint: Fingerprint,
    /// The alert that speaks for the group: the worst one, of those the first.
    pub(crate) face: Face,
    pub(crate) started_at: Timestamp,
    pub(crate) fired_at: Timestamp,
    /// All its members were deleted and their workload was not: until then a replacement may join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lingers_until: Option<Timestamp>,
    /// How and when the latest member to leave did so: the end of the trouble for channels that answer for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<Left>,
    /// How and when the group ended: set while it has no member and waits for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Left>,
    /// Whether it tells of what happens, not of what lasts: it has no end that is told.
    #[serde(default)]
    pub(crate) once: bool,
    /// Whether the workload was seen to be deleted.
    #[serde(default)]
    pub(crate) workload_gone: bool,
    /// How often it had happened to an object when that was silenced or explained: so much of it is not told later.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "crate::pairs")]
    pub(crate) dropped: BTreeMap<ObjectRef, i64>,
    /// Whether the workload was missing so far in a listing that is going on.
    #[serde(skip)]
    pub(crate) workload_unseen: bool,
    /// The alerts that fire now.
    #[serde(skip)]
    pub(crate) members: BTreeMap<ObjectRef, Member>,
}

/// A firing alert of a group, the channels it is routed to, and what keeps it from being told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) alert: Alert,
    pub(crate) channels: Vec<Name>,
    /// A silence, or something that explains it.
    pub(crate) held: Option<Reason>,
}

/// How a trouble ended for a member or for the whole group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) ending: Ending,
    pub(crate) at: Timestamp,
    /// Something else took the place of what was deleted.
    #[serde(default)]
    pub(crate) replaced: bool,
}

/// What is said of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Face {
    pub(crate) object: ObjectRef,
    pub(crate) is_bare: bool,
    pub(crate) node: Option<Name>,
    pub(crate) reason: Name,
    pub(crate) severity: Severity,
    /// What people call it, where the object's own name does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title_name: Option<String>,
    pub(crate) what: String,
    pub(crate) cause: String,
}

impl From<&Alert> for Face {
    fn from(alert: &Alert) -> Self {
        Self {
            object: alert.key.object.clone(),
            is_bare: alert.workload.is_none(),
            node: alert.node.clone(),
            reason: alert.reason.clone(),
            severity: alert.severity,
            title_name: alert.title_name.clone(),
            what: alert.what.clone(),
            cause: alert.cause.clone(),
        }
    }
}

impl Group {
    pub(crate) fn new(alert: &Alert, fired_at: Timestamp) -> Self {
        let key = alert.group();
        Self {
            fingerprint: key.fingerprint(),
            key,
            face: Face::from(alert),
            started_at: alert.started_at,
            fired_at,
            lingers_until: None,
            left: None,
            ended: None,
            once: alert.occurrences > 0,
            workload_gone: false,
            workload_unseen: false,
            dropped: BTreeMap::new(),
            members: BTreeMap::new(),
        }
    }

    /// The group as it was saved: its members are for the tracker to say.
    pub(crate) fn restored(self) -> Self {
        Self { fingerprint: self.key.fingerprint(), members: BTreeMap::new(), ..self }
    }

    /// Takes an alert in, or what it says now.
    pub(crate) fn join(&mut self, member: Member, fired_at: Timestamp) {
        if self.ended.take().is_some() {
            self.started_at = member.alert.started_at;
            self.fired_at = fired_at;
        }
        self.lingers_until = None;
        self.started_at = self.started_at.min(member.alert.started_at);
        let object = member.alert.key.object.clone();
        if self.once && member.held.is_some() {
            self.dropped.insert(object.clone(), member.alert.occurrences);
        }
        self.members.insert(object, member);
        self.refresh_face();
    }

    /// An alert is over. The last one decides how the group ended; deleted Pods of a workload that lives on leave it
    /// open until `linger`.
    pub(crate) fn leave(&mut self, now: Timestamp, object: &ObjectRef, ending: Ending, linger: Timestamp) {
        let Some(member) = self.members.remove(object) else { return };
        let owned = member.alert.workload.as_ref().is_some_and(|workload| !workload.is(object));
        let replaced = ending == Ending::Gone && owned && !self.workload_gone;
        let left = Left { ending: if replaced { Ending::Recovered } else { ending }, at: now, replaced };
        self.left = Some(left);
        if !self.members.is_empty() {
            self.refresh_face();
        } else if replaced || self.once {
            self.lingers_until = Some(linger);
        } else {
            self.ended = Some(left);
        }
    }

    /// Whether this object is the group's workload.
    pub(crate) fn is_of(&self, object: &ObjectRef) -> bool {
        self.key.namespace == object.namespace && self.key.workload.is(object)
    }

    /// Ends a group that has nobody to stand for and waits for nobody.
    pub(crate) fn abandon(&mut self, now: Timestamp) {
        if self.members.is_empty() && self.lingers_until.is_none() && self.ended.is_none() {
            self.end(Left { ending: Ending::Unwatched, at: now, replaced: false });
        }
    }

    /// The workload was seen to be deleted; what only waited for a replacement ends now.
    pub(crate) fn lose_workload(&mut self, now: Timestamp) {
        self.workload_gone = true;
        if self.lingers_until.is_some() {
            self.end(Left { ending: Ending::Gone, at: now, replaced: false });
        }
    }

    /// The workload was seen to be there.
    pub(crate) fn see_workload(&mut self) {
        self.workload_gone = false;
        self.workload_unseen = false;
    }

    /// Nothing took the place of the deleted members in time, or what did is well.
    pub(crate) fn advance(&mut self, now: Timestamp) -> bool {
        let over = self.lingers_until.is_some_and(|until| until <= now);
        if over {
            self.end(Left { ending: Ending::Recovered, at: now, replaced: true });
        }
        over
    }

    fn end(&mut self, how: Left) {
        self.lingers_until = None;
        self.dropped.clear();
        self.ended = Some(how);
    }

    fn refresh_face(&mut self) {
        let alerts = self.members.values().map(|member| &member.alert);
        let worst = alerts.min_by_key(|alert| (Reverse(alert.severity), alert.started_at));
        if let Some(alert) = worst {
            self.face = Face::from(alert);
        }
    }
}
