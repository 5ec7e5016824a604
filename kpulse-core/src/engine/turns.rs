//! What happens to alerts happens to their groups: they are joined, left, silenced, explained and ended.

use jiff::{SignedDuration, Timestamp};

use super::{Engine, desk};
use crate::group::Group;
use crate::policy::Reason;
use crate::policy::inhibit::can_be_explained;
use crate::tracker::{Change, Changed, Turn};
use crate::{AlertKey, Ending, GroupKey, Kind, Name, ObjectRef};

/// What was explained has this long to end with its explanation before it is told itself.
const SETTLE: SignedDuration = SignedDuration::from_mins(1);

impl Engine {
    /// Takes what the tracker says happened into the groups.
    pub(super) fn settle(&mut self, now: Timestamp) {
        for Change { key, what } in self.tracker.take_changes() {
            self.changed = true;
            match what {
                Turn::Fires => self.review_alert(now, &key),
                Turn::Ended(ending) => self.leave(now, &key, ending),
            }
        }
        let explanations = self.tracker.take_explanations();
        self.review_explained(now, &explanations);
        if self.next_linger.is_some_and(|at| at <= now) {
            self.end_lingering(now);
        }
    }

    fn end_lingering(&mut self, now: Timestamp) {
        let linger = desk::after(now, self.settings.monitors.pod_crashes.stable_for.get());
        let due = self.groups.values().filter(|group| group.lingers_until.is_some_and(|until| until <= now));
        let open: Vec<GroupKey> =
            due.filter(|group| self.may_be_replaced(group)).map(|group| group.key.clone()).collect();
        for key in open {
            if let Some(group) = self.groups.get_mut(&key) {
                group.lingers_until = Some(linger);
            }
        }
        let over = self.groups.values_mut().filter_map(|group| group.advance(now).then(|| group.key.clone()));
        let over: Vec<GroupKey> = over.collect();
        self.meanwhile.ended += over.len();
        for key in over {
            self.keep_past(now, &key);
            self.dirty.push((key, now));
        }
        self.changed = true;
        self.next_linger = self.groups.values().filter_map(|group| group.lingers_until).min();
    }

    /// Whether nobody can tell yet what took the place of a group's members: it cannot be seen, or has the same trouble
    /// and is not due.
    fn may_be_replaced(&self, group: &Group) -> bool {
        if group.once {
            return false;
        }
        let GroupKey { monitor, namespace, workload, trouble } = &group.key;
        let is_seen = self.live.iter().any(|scope| scope.covers(&group.face.object));
        let same = (*monitor, trouble.clone());
        let troubled = self.tracker.presence().of_workload(namespace, workload);
        !is_seen || troubled.into_iter().any(|(_, shown)| shown.troubles.contains(&same))
    }

    /// Has an alert join its group if the user wants it looked at, and leave it if not.
    pub(super) fn review_alert(&mut self, now: Timestamp, key: &AlertKey) {
        let Some((alert, subject, fired_at)) = self.tracker.alert(key) else { return };
        let Ok(mut member) = self.judge(now, alert, subject) else {
            self.leave(now, key, Ending::Unwatched);
            return;
        };
        let group = member.alert.group();
        let known = self.groups.get(&group);
        if member.held.is_none() {
            let before = known.and_then(|known| known.members.get(&key.object)?.held.as_ref());
            member.held = settling(now, before);
        }
        if let Some(Reason::Silenced { until: Some(until), .. } | Reason::Settling { until }) = &member.held {
            self.next_review = Some(self.next_review.map_or(*until, |at| at.min(*until)));
        }
        if known.is_some_and(|known| known.members.get(&key.object) == Some(&member)) {
            return;
        }
        // Its workload may have changed: it was adopted, or released.
        if self.homes.get(key).is_some_and(|home| *home != group) {
            self.leave(now, key, Ending::Recovered);
        }
        if !self.homes.contains_key(key) {
            self.past.fired(&member.alert, fired_at);
        }
        let known = self.groups.get(&group);
        if known.is_none_or(|known| known.ended.is_some()) {
            self.meanwhile.fired += 1;
        }
        self.homes.insert(key.clone(), group.clone());
        self.groups.entry(group.clone()).or_insert_with(|| Group::new(&member.alert, fired_at)).join(member, fired_at);
        self.changed = true;
        self.dirty.push((group, now));
    }

    /// Judges every alert anew: settings, annotations or silences changed.
    pub(super) fn review(&mut self, now: Timestamp) {
        self.settle(now);
        self.next_review = self.settings.silences.iter().filter_map(|silence| silence.next_change(now)).min();
        for key in self.tracker.firing() {
            self.review_alert(now, &key);
        }
    }

    /// Judges anew what may be explained by something that began or ended.
    fn review_explained(&mut self, now: Timestamp, changed: &Changed) {
        let presence = self.tracker.presence();
        let mut places = changed.workloads.clone();
        let mut objects: Vec<ObjectRef> = Vec::new();
        for node in &changed.nodes {
            for (object, shown) in presence.on_node(node) {
                objects.push(object.clone());
                places.extend(shown.workload.clone().map(|workload| (object.namespace.clone(), workload)));
            }
        }
        for (namespace, workload) in &places {
            let explained = presence.of_workload(namespace, workload).filter(|(_, shown)| {
                let is_more =
                    |monitor| can_be_explained(monitor) && monitor != crate::monitors::MonitorName::PodCrashes;
                shown.troubles.iter().any(|(monitor, _)| is_more(*monitor))
            });
            objects.extend(explained.map(|(object, _)| object.clone()));
        }
        for object in objects {
            for key in self.tracker.firing_of(&object) {
                if can_be_explained(key.monitor) {
                    self.review_alert(now, &key);
                }
            }
        }
        // What a node explains is part of what is said of it.
        let nodes = self.groups.keys().filter(|key| *key.workload.kind == *Kind::Node.as_str());
        if !changed.nodes.is_empty() || !changed.workloads.is_empty() {
            self.dirty.extend(nodes.map(|key| (key.clone(), now)).collect::<Vec<_>>());
        }
    }

    /// Ends groups that came out of a saved state without any alert to stand for.
    pub(super) fn abandon(&mut self, now: Timestamp) {
        for (key, group) in &mut self.groups {
            group.abandon(now);
            self.dirty.push((key.clone(), now));
        }
    }

    pub(super) fn leave(&mut self, now: Timestamp, key: &AlertKey, ending: Ending) {
        let home = self.homes.remove(key);
        if let Some(group) = home.and_then(|home| self.groups.get_mut(&home)) {
            self.past.ended(now, key.monitor);
            let linger =
                if group.once { self.settings.dedupe.window } else { self.settings.monitors.pod_crashes.stable_for };
            group.leave(now, &key.object, ending, desk::after(now, linger.get()));
            if group.ended.is_some() {
                self.meanwhile.ended += 1;
            }
            if let Some(until) = group.lingers_until {
                self.next_linger = Some(self.next_linger.map_or(until, |at| at.min(until)));
            }
            self.changed = true;
            let key = group.key.clone();
            self.keep_past(now, &key);
            self.dirty.push((key, now));
        }
    }

    pub(super) fn lose_workload(&mut self, now: Timestamp, of: impl Fn(&Group) -> bool) {
        let lost: Vec<GroupKey> =
            self.groups.values().filter(|group| of(group)).map(|group| group.key.clone()).collect();
        for key in lost {
            if let Some(group) = self.groups.get_mut(&key) {
                group.lose_workload(now);
            }
            self.changed = true;
            self.keep_past(now, &key);
            self.dirty.push((key, now));
        }
    }

    /// Whether the user wants a namespace looked at; cluster-scoped objects always are.
    pub(super) fn is_in_scope(&self, namespace: &Name) -> bool {
        let namespaces = &self.settings.namespaces;
        let selected = namespaces.selector.is_empty() || self.surroundings.is_selected(namespace);
        namespace.is_empty() || namespaces.watches(namespace) && selected
    }
}

/// Why an alert that nothing holds back any more is not told at once.
fn settling(now: Timestamp, before: Option<&Reason>) -> Option<Reason> {
    match before? {
        Reason::Inhibited { .. } => Some(Reason::Settling { until: desk::after(now, SETTLE) }),
        Reason::Settling { until } if *until > now => Some(Reason::Settling { until: *until }),
        _ => None,
    }
}
