//! Where each channel stands: what waits for it, what is on its way to it, and whether it wants to be left in peace.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::report::report;
use super::{Engine, Queue};
use crate::group::Group;
use crate::ledger::{Attempt, Told};
use crate::monitors::MonitorName;
use crate::notification::{AlertState, Content, Why};
use crate::policy::owed::{Owed, Truth, milestone, owed};
use crate::{GroupKey, Name, Notification, NotificationId, ObjectRef, Outcome, Receipt, Report, Severity};

/// A message this much late says so.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// Where each channel stands.
#[derive(Debug, Default)]
pub(super) struct Desk {
    counter: u64,
    channels: BTreeMap<Name, Place>,
}

#[derive(Debug, Default)]
struct Place {
    waiting: BTreeMap<GroupKey, Waiting>,
    in_flight: Option<InFlight>,
    paused_until: Option<Timestamp>,
}

#[derive(Debug)]
struct Waiting {
    turn: u64,
    since: Timestamp,
    from: Option<Timestamp>,
}

#[derive(Debug)]
struct InFlight {
    id: NotificationId,
    group: GroupKey,
    since: Timestamp,
    /// The entry of the ledger once it is accepted; nothing for a resolve.
    then: Option<Told>,
}

impl Desk {
    /// Puts what a channel is owed of a group in line, or takes it out.
    fn put(&mut self, now: Timestamp, channel: &Name, group: &GroupKey, owed: Option<Owed>) {
        let place = self.channels.entry(channel.clone()).or_default();
        let Some(Owed { from, .. }) = owed else {
            place.waiting.remove(group);
            return;
        };
        let next = &mut self.counter;
        let waiting = place.waiting.entry(group.clone()).or_insert_with(|| {
            *next += 1;
            Waiting { turn: *next, since: now, from }
        });
        waiting.from = from;
    }

    /// The group whose turn it is, if the channel can be told something.
    fn next(&self, now: Timestamp, channel: &Name) -> Option<(GroupKey, Timestamp)> {
        let place = self.channels.get(channel)?;
        if place.in_flight.is_some() || place.paused_until.is_some_and(|until| until > now) {
            return None;
        }
        let ripe = place.waiting.iter().filter(|(_, waiting)| waiting.from.is_none_or(|from| from <= now));
        ripe.min_by_key(|(_, waiting)| waiting.turn).map(|(group, waiting)| (group.clone(), waiting.since))
    }

    fn send(&mut self, channel: &Name, group: GroupKey, since: Timestamp, then: Option<Told>) -> NotificationId {
        self.counter += 1;
        let id = NotificationId(self.counter);
        let place = self.channels.entry(channel.clone()).or_default();
        place.waiting.remove(&group);
        place.paused_until = None;
        place.in_flight = Some(InFlight { id, group, since, then });
        id
    }

    fn land(&mut self, receipt: &Receipt) -> Option<InFlight> {
        let place = self.channels.get_mut(&receipt.channel)?;
        if let Outcome::TryAgain { at } = receipt.outcome {
            place.paused_until = Some(at);
        }
        place.in_flight.take_if(|flight| flight.id == receipt.id)
    }

    /// Puts back what was not delivered, in its old place in line.
    fn put_back(&mut self, channel: &Name, group: &GroupKey, since: Timestamp) {
        if let Some(waiting) = self.channels.get_mut(channel).and_then(|place| place.waiting.get_mut(group)) {
            waiting.since = since;
            waiting.turn = 0;
        }
    }

    /// What may reach a channel before the next save: what is on its way, and what waits if the channel takes messages.
    fn imminent(&self) -> impl Iterator<Item = (&Name, &GroupKey)> {
        self.channels.iter().flat_map(|(channel, place)| {
            let waiting = place.waiting.keys().filter(|_| place.paused_until.is_none());
            let flying = place.in_flight.as_ref().map(|flight| &flight.group);
            flying.into_iter().chain(waiting).map(move |group| (channel, group))
        })
    }

    pub(super) fn resume(&mut self, channel: &Name) {
        if let Some(place) = self.channels.get_mut(channel) {
            place.paused_until = None;
        }
    }

    /// What waits for each channel, or is on its way to it.
    pub(super) fn queues(&self) -> BTreeMap<Name, Queue> {
        let queue = |place: &Place| {
            let since = place.waiting.values().map(|waiting| waiting.since);
            let since = since.chain(place.in_flight.as_ref().map(|flight| flight.since));
            Queue { messages: since.clone().count(), oldest: since.min() }
        };
        self.channels.iter().map(|(channel, place)| (channel.clone(), queue(place))).collect()
    }

    /// How many messages wait or are on their way.
    pub(super) fn len(&self) -> usize {
        self.channels.values().map(|place| place.waiting.len() + usize::from(place.in_flight.is_some())).sum()
    }

    pub(super) fn keep_only(&mut self, channels: &[Name]) {
        self.channels.retain(|channel, _| channels.contains(channel));
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let place = |place: &Place| {
            if place.in_flight.is_some() {
                return None;
            }
            let ripe = place.waiting.values().map(|waiting| waiting.from.unwrap_or(Timestamp::MIN)).min()?;
            Some(ripe.max(place.paused_until.unwrap_or(Timestamp::MIN)))
        };
        self.channels.values().filter_map(place).min()
    }
}

impl Engine {
    /// Computes anew what every channel is owed of a group, and forgets the group once nobody needs it.
    pub(super) fn touch(&mut self, now: Timestamp, key: &GroupKey) {
        self.keep_past(now, key);
        let Some(group) = self.groups.get(key) else { return };
        let fingerprint = key.fingerprint();
        for channel in &self.settings.channels {
            let channel = &channel.name;
            let (members, truth) = truth(group, channel, self.ledger.told(channel, &fingerprint));
            let owed = owed(truth, self.ledger.told(channel, &fingerprint), self.settings.dedupe.window.get());
            if let Some(told) = self.ledger.told_mut(channel, &fingerprint) {
                let silent = owed.is_some_and(|owed| owed.why == Why::Resolved)
                    && (told.refused || group.once || !self.settings.resolution.enabled);
                if silent {
                    self.ledger.strike(channel, &fingerprint);
                    self.desk.put(now, channel, key, None);
                    self.changed = true;
                    continue;
                }
                // Who joins without a message is told of all the same: the entry stands for the group.
                if truth.count > 0 {
                    told.members = members;
                }
            }
            self.desk.put(now, channel, key, owed);
        }
        if group.ended.is_some() && !self.is_known(key) {
            self.groups.remove(key);
        }
    }

    /// Whether a channel knows of a group, or is about to.
    pub(super) fn is_known(&self, group: &GroupKey) -> bool {
        self.ledger.knows(&group.fingerprint()) || self.desk.is_on_its_way(group)
    }

    /// The next message for a channel, if it is owed one that can be sent now.
    pub(super) fn next_for(&mut self, now: Timestamp, channel: &Name) -> Option<Notification> {
        let (key, since) = self.desk.next(now, channel)?;
        let group = self.groups.get(&key)?;
        let fingerprint = key.fingerprint();
        let told = self.ledger.told(channel, &fingerprint);
        let (members, truth) = truth(group, channel, told);
        let why = owed(truth, told, self.settings.dedupe.window.get())?.why;
        let report = report(group, why, &members, told, &self.settings.cluster, now);
        let message_id = told.and_then(|told| told.message_id.clone());
        let then = match told {
            _ if why == Why::Resolved => None,
            // It may be over by now: what may have arrived is said again as it was.
            Some(told) if told.uncertain => Some(Told { uncertain: false, ..told.clone() }),
            _ => {
                // Only what is told of as it was written, again and again, is told ever more seldom.
                let unchanged = why == Why::Repeated && key.monitor == MonitorName::WarningEvents;
                let repeats = told.filter(|_| unchanged).map_or(0, |told| told.repeats.saturating_add(1));
                Some(Told { repeats, ..Told::new(members, truth, now, message_id.clone()) })
            }
        };
        self.changed = true;
        let late = now.duration_since(since);
        Some(Notification {
            id: self.desk.send(channel, key, since, then),
            channel: channel.clone(),
            why,
            idempotency_key: idempotency_key(&report, truth),
            message_id,
            delayed: (late >= LATE).then_some(late),
            content: Content::Report(Box::new(report)),
        })
    }

    /// First messages that a channel may have accepted before the state is saved again.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let attempt = |(channel, key): (&Name, &GroupKey)| {
            let (group, fingerprint) = (self.groups.get(key)?, key.fingerprint());
            if self.ledger.told(channel, &fingerprint).is_some() {
                return None;
            }
            let (members, truth) = truth(group, channel, None);
            let at = group.fired_at;
            let told = Told::new(members, truth, at, None);
            Some(Attempt { channel: channel.clone(), group: fingerprint, told })
        };
        self.desk.imminent().filter_map(attempt).collect()
    }

    pub(super) fn settle_receipt(&mut self, now: Timestamp, receipt: &Receipt) {
        let Some(InFlight { group, since, then, .. }) = self.desk.land(receipt) else { return };
        let fingerprint = group.fingerprint();
        match (&receipt.outcome, then) {
            (Outcome::TryAgain { .. }, _) => {
                self.touch(now, &group);
                self.desk.put_back(&receipt.channel, &group, since);
                return;
            }
            (Outcome::Accepted { message_id }, Some(told)) => {
                let message_id = message_id.clone().or(told.message_id);
                self.ledger.record(&receipt.channel, &fingerprint, Told { at: now, message_id, ..told });
            }
            (Outcome::Refused, Some(told)) => {
                self.ledger.record(&receipt.channel, &fingerprint, Told { at: now, refused: true, ..told });
            }
            (Outcome::Accepted { .. } | Outcome::Refused, None) => self.ledger.strike(&receipt.channel, &fingerprint),
        }
        self.changed = true;
        self.touch(now, &group);
    }
}

impl Desk {
    fn is_on_its_way(&self, group: &GroupKey) -> bool {
        self.channels.values().any(|place| place.in_flight.as_ref().is_some_and(|flight| flight.group == *group))
    }
}

/// What is true of a group as far as a channel is concerned: the alerts routed to it, and those it was told of.
fn truth(group: &Group, channel: &Name, told: Option<&Told>) -> (BTreeSet<ObjectRef>, Truth) {
    let mine = group.members.iter().filter(|(object, member)| {
        member.channels.contains(channel) || told.is_some_and(|told| told.members.contains(*object))
    });
    let (mut severity, mut occurrences) = (Severity::Info, 0);
    let mut members = BTreeSet::new();
    for (object, member) in mine {
        severity = severity.max(member.alert.severity);
        occurrences += member.alert.occurrences;
        members.insert(object.clone());
    }
    let truth = Truth {
        count: members.len(),
        severity,
        lingers: group.lingers_until.is_some(),
        occurrences: group.once.then_some(occurrences),
        eager: group.key.monitor == MonitorName::Blindness,
    };
    (members, truth)
}

/// The same for the same content. A repeat after a crash carries it again; a message with other content does not.
fn idempotency_key(report: &Report, truth: Truth) -> String {
    let state = match report.state {
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
    };
    let Report { fingerprint, started_at, severity, count, .. } = report;
    let times = truth.occurrences.map_or(String::new(), |times| format!("-{times}"));
    // A count that is not told by itself makes no other message.
    let size = milestone(*count);
    format!("{fingerprint}-{}-{state}-{severity}-{size}{times}", started_at.as_second())
}
