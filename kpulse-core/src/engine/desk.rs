//! Where each channel stands: what waits for it, what is on its way to it, and whether it wants to be left in peace.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::bulletins::Parcel;
use super::report::report;
use super::stages::{Form, Stand, truth};
use super::{Engine, Queue};
use crate::ledger::{Attempt, Ledger, Storm, Told, Way};
use crate::monitors::{MonitorName, blindness};
use crate::notification::{AlertState, Content, Why};
use crate::policy::owed::{Owed, Truth, milestone};
use crate::settings::Channel;
use crate::{Findings, GroupKey, Name, Notification, NotificationId, Outcome, Receipt, Report};

/// A message this much late says so.
const LATE: SignedDuration = SignedDuration::from_mins(1);
/// What can be sent within this time may have arrived before the state is saved again.
const IMMINENT: SignedDuration = SignedDuration::from_secs(20);
/// More new troubles than these within a minute are told together.
const STORM: usize = 8;
const STORM_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Where each channel stands.
#[derive(Debug, Default)]
pub(super) struct Desk {
    counter: u64,
    channels: BTreeMap<Name, Place>,
}

#[derive(Debug, Default)]
pub(super) struct Place {
    waiting: BTreeMap<GroupKey, Waiting>,
    in_flight: Option<InFlight>,
    paused_until: Option<Timestamp>,
    /// When new troubles were accepted lately.
    news: VecDeque<Timestamp>,
}

/// What a channel is owed of a group.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    turn: u64,
    pub(super) since: Timestamp,
    pub(super) owed: Owed,
    pub(super) form: Form,
}

impl Waiting {
    fn is_ripe(&self, now: Timestamp) -> bool {
        self.owed.from.is_none_or(|from| from <= now)
    }

    /// Whether it is news that is owed, and not a word that comes by itself as time passes.
    fn is_owed(&self) -> bool {
        self.form != Form::Reminder && !matches!(self.owed.why, Why::Refreshed | Why::Updated)
    }

    /// Whether it may be part of a storm.
    pub(super) fn is_news(&self) -> bool {
        self.form == Form::Alone && self.owed.why == Why::First
    }
}

/// A message on its way, and what it makes of the ledger once it is accepted.
#[derive(Debug)]
struct InFlight {
    id: NotificationId,
    /// What it tells of, since when that waited, and the entry of the ledger after it; nothing for an end.
    groups: Vec<(GroupKey, Timestamp, Option<Told>)>,
    parcel: Parcel,
}

impl Desk {
    /// Puts what a channel is owed of a group in line, or takes it out.
    fn put(&mut self, channel: &Name, group: &GroupKey, since: Timestamp, owed: Option<(Owed, Form)>) {
        let place = self.channels.entry(channel.clone()).or_default();
        let Some((owed, form)) = owed else {
            place.waiting.remove(group);
            return;
        };
        let next = &mut self.counter;
        let waiting = place.waiting.entry(group.clone()).or_insert_with(|| {
            *next += 1;
            Waiting { turn: *next, since, owed, form }
        });
        // What turned into something else in line began to wait when it did.
        if waiting.form != form {
            waiting.since = since;
        }
        (waiting.owed, waiting.form) = (owed, form);
    }

    pub(super) fn place(&self, channel: &Name) -> Option<&Place> {
        self.channels.get(channel)
    }

    fn send(&mut self, channel: &Name, flight: impl FnOnce(NotificationId) -> InFlight) -> NotificationId {
        self.counter += 1;
        let id = NotificationId(self.counter);
        let flight = flight(id);
        let place = self.channels.entry(channel.clone()).or_default();
        for (group, ..) in &flight.groups {
            place.waiting.remove(group);
        }
        place.paused_until = None;
        place.in_flight = Some(flight);
        id
    }

    fn land(&mut self, receipt: &Receipt) -> Option<InFlight> {
        let place = self.channels.get_mut(&receipt.channel)?;
        if let Outcome::TryAgain { at, .. } | Outcome::Paused { at, .. } = receipt.outcome {
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

    /// Counts new troubles that a channel accepted.
    fn count_news(&mut self, now: Timestamp, channel: &Name, count: usize) {
        if let Some(place) = self.channels.get_mut(channel) {
            place.news.extend(std::iter::repeat_n(now, count.min(STORM + 1)));
            while place.news.len() > STORM + 1 || place.news.front().is_some_and(|at| *at < before(now, STORM_WINDOW)) {
                place.news.pop_front();
            }
        }
    }

    pub(super) fn resume(&mut self, channel: &Name) {
        if let Some(place) = self.channels.get_mut(channel) {
            place.paused_until = None;
        }
    }

    /// What waits for each channel, or is on its way to it.
    pub(super) fn queues(&self) -> BTreeMap<Name, Queue> {
        let queue = |place: &Place| {
            let waiting = place.waiting.values().filter(|waiting| waiting.is_owed());
            let since = waiting.map(|waiting| waiting.since);
            let flying = place.in_flight.iter().flat_map(|flight| flight.groups.iter().map(|(_, since, _)| *since));
            let since = since.chain(flying);
            Queue { messages: since.clone().count(), oldest: since.min() }
        };
        self.channels.iter().map(|(channel, place)| (channel.clone(), queue(place))).collect()
    }

    /// How many messages wait or are on their way.
    pub(super) fn len(&self) -> usize {
        let waiting = |place: &Place| place.waiting.values().filter(|waiting| waiting.is_owed()).count();
        self.channels.values().map(|place| waiting(place) + usize::from(place.in_flight.is_some())).sum()
    }

    pub(super) fn keep_only(&mut self, channels: &[Name]) {
        self.channels.retain(|channel, _| channels.contains(channel));
    }

    /// Whether something waits for the summary of what was broken before, or is on its way with it.
    pub(super) fn has_summary(&self, channel: &Name) -> bool {
        self.channels.get(channel).is_some_and(|place| {
            let flies = place.in_flight.as_ref().is_some_and(|flight| flight.parcel == Parcel::Summary);
            flies || place.waiting.values().any(|waiting| waiting.form == Form::Summary)
        })
    }

    fn is_on_its_way(&self, group: &GroupKey) -> bool {
        let flies = |flight: &InFlight| flight.groups.iter().any(|(key, ..)| key == group);
        self.channels.values().any(|place| place.in_flight.as_ref().is_some_and(flies))
    }
}

impl Place {
    /// What waits, in the order in which it is told.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&GroupKey, &Waiting)> {
        self.waiting.iter()
    }

    pub(super) fn has_in_flight(&self, group: &GroupKey) -> bool {
        self.in_flight.as_ref().is_some_and(|flight| flight.groups.iter().any(|(key, ..)| key == group))
    }

    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        self.paused_until
    }

    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.in_flight.is_none() && self.paused_until.is_none_or(|until| until <= now)
    }

    /// What waits in this form and may be told by now, first come first.
    pub(super) fn ripe(&self, now: Timestamp, form: Form) -> Vec<(&GroupKey, &Waiting)> {
        let mut ripe: Vec<_> =
            self.waiting.iter().filter(|(_, waiting)| waiting.form == form && waiting.is_ripe(now)).collect();
        ripe.sort_by_key(|(_, waiting)| waiting.turn);
        ripe
    }

    /// Whether so many new troubles more are a storm.
    pub(super) fn is_storm(&self, now: Timestamp, more: usize) -> bool {
        let lately = self.news.iter().filter(|at| **at >= before(now, STORM_WINDOW)).count();
        more > 0 && lately + more > STORM
    }
}

impl Engine {
    /// Computes anew what every channel is owed of a group, and forgets the group once nobody needs it.
    pub(super) fn touch(&mut self, now: Timestamp, key: &GroupKey) {
        let Some(group) = self.groups.get(key) else { return };
        let is_ready = self.is_ready(self.clock);
        for channel in &self.settings.channels {
            let Stand { members, truth, owed } = self.stand_with(channel, group);
            if let Some(told) = self.ledger.told_mut(&channel.name, &group.fingerprint) {
                if truth.count == 0 && !truth.lingers && owed.is_err() {
                    self.ledger.strike(&channel.name, &group.fingerprint);
                    self.desk.put(&channel.name, key, now, None);
                    self.changed = true;
                    continue;
                }
                // Who joins without a message is told of all the same: the entry stands for the group. Who joins before
                // all is known may turn out to be held back.
                if truth.count > 0 && is_ready {
                    told.members = members;
                }
            }
            // A digest is late by when its first trouble was found, also after a restart.
            let since = match owed {
                Ok((Owed { why: Why::First, .. }, Form::Digest)) => group.fired_at.min(now),
                _ => now,
            };
            self.desk.put(&channel.name, key, since, owed.ok());
        }
        if group.ended.is_some() && !self.is_known(key) && !self.is_remembered_by_standby(now, group) {
            self.groups.remove(key);
        }
    }

    /// Whether a channel knows of a group, or is about to.
    pub(super) fn is_known(&self, group: &GroupKey) -> bool {
        self.groups.get(group).is_some_and(|group| self.ledger.knows(&group.fingerprint))
            || self.desk.is_on_its_way(group)
    }

    /// The next message for a channel, if it is owed one that can be sent now.
    pub(super) fn next_for(&mut self, now: Timestamp, channel: &Channel) -> Option<Notification> {
        if !self.desk.place(&channel.name)?.is_free(now) {
            return None;
        }
        let (parcel, keys) = self.pack(now, channel)?;
        let groups: Vec<_> = keys.into_iter().filter_map(|key| self.take_along(now, channel, key, &parcel)).collect();
        let why = self.why(channel, &groups, &parcel);
        let (content, idempotency_key) = match &parcel {
            Parcel::Alone => self.say_alone(now, channel, why, groups.first()?)?,
            _ => self.say_together(now, channel, &groups, &parcel)?,
        };
        let message_id = match &parcel {
            Parcel::Alone => self.told_of(channel, &groups.first()?.0).and_then(|told| told.message_id.clone()),
            Parcel::Storm(_) => {
                let page = self.ledger.page(&channel.name);
                page.and_then(|page| page.storm.as_ref()).and_then(|storm| storm.message_id.clone())
            }

            _ => None,
        };
        // What may be told together, or late by design, is not delayed.
        let since = groups.iter().map(|(_, since, _)| *since).min().filter(|_| matches!(parcel, Parcel::Alone));
        let late = since.map(|since| now.duration_since(since)).filter(|late| *late >= LATE);
        self.changed = true;
        Some(Notification {
            id: self.desk.send(&channel.name, |id| InFlight { id, groups, parcel }),
            channel: channel.name.clone(),
            why,
            idempotency_key,
            message_id,
            delayed: late,
            content,
        })
    }

    fn told_of(&self, channel: &Channel, key: &GroupKey) -> Option<&Told> {
        self.ledger.told(&channel.name, &self.groups.get(key)?.fingerprint)
    }

    /// What the ledger says of a group once the message is accepted.
    fn take_along(
        &self,
        now: Timestamp,
        channel: &Channel,
        key: GroupKey,
        parcel: &Parcel,
    ) -> Option<(GroupKey, Timestamp, Option<Told>)> {
        let group = self.groups.get(&key)?;
        let told = self.ledger.told(&channel.name, &group.fingerprint);
        let waiting = self.desk.place(&channel.name)?.waiting.get(&key)?;
        let (members, truth) = truth(group, channel, told);
        let then = match (told, waiting.owed.why) {
            (_, Why::Resolved) => None,
            // It may be over by now: what may have arrived is said again as it was.
            (Some(told), _) if told.uncertain => Some(Told { uncertain: false, words: truth.words, ..told.clone() }),
            (Some(told), _) if matches!(parcel, Parcel::Reminder) => {
                Some(Told { reminded_at: Some(now), ..told.clone() })
            }
            (Some(told), Why::Updated | Why::Refreshed) => {
                Some(Told { count: truth.count, words: truth.words, at: now, ..told.clone() })
            }
            _ => {
                // Only what is told of as it was written, again and again, is told ever more seldom.
                let unchanged = waiting.owed.why == Why::Repeated && key.monitor == MonitorName::WarningEvents;
                let repeats = told.filter(|_| unchanged).map_or(0, |told| told.repeats.saturating_add(1));
                let message_id = told.and_then(|told| told.message_id.clone());
                let way = parcel.way();
                Some(Told { repeats, message_id, way, words: truth.words, ..Told::new(members, truth, now) })
            }
        };
        Some((key, waiting.since, then))
    }

    fn why(&self, channel: &Channel, groups: &[(GroupKey, Timestamp, Option<Told>)], parcel: &Parcel) -> Why {
        let place = self.desk.place(&channel.name);
        let waiting = place.and_then(|place| place.waiting.get(&groups.first()?.0));
        match parcel {
            Parcel::Alone => waiting.map_or(Why::First, |waiting| waiting.owed.why),
            Parcel::Storm(None) => Why::Resolved,
            Parcel::Storm(Some(_)) if self.ledger.page(&channel.name).is_some_and(|page| page.storm.is_some()) => {
                if groups.iter().any(|(.., then)| then.is_some()) {
                    Why::Grown
                } else {
                    Why::Updated
                }
            }
            Parcel::Reminder => Why::Repeated,
            _ => Why::First,
        }
    }

    fn say_alone(
        &self,
        now: Timestamp,
        channel: &Channel,
        why: Why,
        (key, ..): &(GroupKey, Timestamp, Option<Told>),
    ) -> Option<(Content, String)> {
        let group = self.groups.get(key)?;
        let told = self.ledger.told(&channel.name, &group.fingerprint);
        let (members, truth) = truth(group, channel, told);
        let aside = self.aside(group, why);
        let report = report(group, why, &members, told, &self.settings.cluster, now, aside);
        let mut key = idempotency_key(&report, truth);
        match why {
            Why::Updated => key.push_str(&format!("-{}", truth.words)),
            Why::Refreshed => key.push_str(&format!("-{}", now.as_second())),
            _ => {}
        }
        Some((Content::Report(Box::new(report)), key))
    }

    /// The ledger as it may be before it is saved again: an end that is on its way may have arrived.
    pub(super) fn ledger_in_doubt(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        for channel in &self.settings.channels {
            let Some(place) = self.desk.place(&channel.name) else { continue };
            let flying = place.in_flight.iter().flat_map(|flight| &flight.groups);
            let flying = flying.filter(|(.., then)| then.is_none()).map(|(key, ..)| key);
            let waiting = place.waiting.iter().filter(|(_, waiting)| waiting.owed.why == Why::Resolved);
            for key in flying.chain(waiting.map(|(key, _)| key)) {
                let group = self.groups.get(key);
                if let Some(told) = group.and_then(|group| ledger.told_mut(&channel.name, &group.fingerprint)) {
                    told.perhaps_ended = true;
                }
            }
        }
        ledger
    }

    /// First messages that a channel may have accepted before the state is saved again.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for channel in &self.settings.channels {
            let Some(place) = self.desk.place(&channel.name) else { continue };
            let flying = place.in_flight.iter().flat_map(|flight| {
                let way = flight.parcel.way();
                flight.groups.iter().map(move |(key, ..)| (key, way))
            });
            let (soon, holds) = (after(self.clock, IMMINENT), self.holds(channel, place));
            let waiting = place.waiting.iter().filter_map(|(key, waiting)| {
                let is_soon = place.paused_until.is_none() && holds.until(waiting) <= soon;
                let way = if waiting.form == Form::Digest { Way::Digest } else { Way::Alone };
                (is_soon && waiting.owed.why == Why::First).then_some((key, way))
            });
            attempts.extend(flying.chain(waiting).filter_map(|(key, way)| self.attempt(channel, key, way)));
        }
        attempts
    }

    fn attempt(&self, channel: &Channel, key: &GroupKey, way: Way) -> Option<Attempt> {
        let group = self.groups.get(key)?;
        if self.ledger.told(&channel.name, &group.fingerprint).is_some() {
            return None;
        }
        let (members, truth) = truth(group, channel, None);
        let told = Told { way, ..Told::new(members, truth, group.fired_at) };
        Some(Attempt { channel: channel.name.clone(), group: group.fingerprint.clone(), told })
    }

    pub(super) fn settle_receipt(&mut self, now: Timestamp, receipt: &Receipt) {
        let Some(InFlight { groups, parcel, .. }) = self.desk.land(receipt) else { return };
        let channel = &receipt.channel;
        let (accepted, message_id) = match &receipt.outcome {
            Outcome::TryAgain { perhaps, .. } => {
                if *perhaps {
                    self.doubt(channel, &groups);
                }
                self.put_back(now, channel, &groups);
                return;
            }
            Outcome::Paused { why, .. } => {
                self.ledger.page_mut(channel).refuses_since.get_or_insert(now);
                let findings = blindness::refusing(why);
                self.tracker.report(now, &blindness::channel(channel), MonitorName::Blindness, findings);
                self.changed = true;
                self.put_back(now, channel, &groups);
                return;
            }
            Outcome::Accepted { message_id } => (true, message_id.clone()),
            Outcome::Refused { why } => {
                self.note_refusal(now, channel, why, &groups);
                (false, None)
            }
        };
        let news = groups.iter().filter(|(key, _, then)| then.is_some() && self.is_new_to(channel, key)).count();
        self.desk.count_news(now, channel, news);
        for (key, _, then) in &groups {
            let Some(fingerprint) = self.groups.get(key).map(|group| group.fingerprint.clone()) else { continue };
            match then.clone() {
                Some(told) => {
                    let message_id =
                        message_id.clone().filter(|_| matches!(parcel, Parcel::Alone)).or(told.message_id.clone());
                    // A reminder and a refresh say nothing new of it: when it was told stays.
                    let at = if matches!(parcel, Parcel::Reminder) { told.at } else { now };
                    let before = self.ledger.told(channel, &fingerprint);
                    let refused = !accepted && (told.refused || before.is_none_or(|before| before.uncertain));
                    self.ledger.record(channel, &fingerprint, Told { at, message_id, refused, ..told });
                }
                None => self.ledger.strike(channel, &fingerprint),
            }
        }
        self.close_parcel(now, channel, parcel, accepted, message_id);
        self.changed = true;
        for (key, ..) in &groups {
            self.touch(now, key);
        }
    }

    fn close_parcel(&mut self, now: Timestamp, channel: &Name, parcel: Parcel, accepted: bool, id: Option<String>) {
        let page = self.ledger.page_mut(channel);
        match parcel {
            Parcel::Alone | Parcel::Reminder => {}
            Parcel::Digest => page.digest_at = Some(now),
            Parcel::Summary => page.summary_of = None,
            // All that lasts was named: nobody need be reminded of it soon.
            Parcel::Back => {
                page.storm = None;
                page.remind_later(now);
            }
            Parcel::Storm(storm) => {
                page.storm = storm.map(|storm| Storm { at: now, message_id: id.or(storm.message_id.clone()), ..storm });
            }
        }
        if accepted && page.refuses_since.take().is_some() {
            let about = blindness::channel(channel);
            self.tracker.report(now, &about, MonitorName::Blindness, Findings::default());
            self.tracker.advance(now);
        }
    }

    /// What may have arrived is told again, and only then ended.
    fn doubt(&mut self, channel: &Name, groups: &[(GroupKey, Timestamp, Option<Told>)]) {
        for (key, _, then) in groups {
            let Some(group) = self.groups.get(key) else { continue };
            let Some(told) = then else {
                if let Some(told) = self.ledger.told_mut(channel, &group.fingerprint) {
                    told.perhaps_ended = true;
                    self.changed = true;
                }
                continue;
            };
            if self.ledger.told(channel, &group.fingerprint).is_none() {
                let (channel, group, told) = (channel.clone(), group.fingerprint.clone(), told.clone());
                self.ledger.doubt(Attempt { channel, group, told });
                self.changed = true;
            }
        }
    }

    fn is_new_to(&self, channel: &Name, key: &GroupKey) -> bool {
        self.groups.get(key).is_some_and(|group| self.ledger.told(channel, &group.fingerprint).is_none())
    }

    fn put_back(&mut self, now: Timestamp, channel: &Name, groups: &[(GroupKey, Timestamp, Option<Told>)]) {
        for (key, since, _) in groups {
            self.touch(now, key);
            self.desk.put_back(channel, key, *since);
        }
    }

    /// That a channel would not take a message is told to the others.
    fn note_refusal(
        &mut self,
        now: Timestamp,
        channel: &Name,
        why: &str,
        groups: &[(GroupKey, Timestamp, Option<Told>)],
    ) {
        self.refusals += 1;
        let about: Vec<String> = groups.iter().take(3).map(|(key, ..)| key.to_string()).collect();
        let findings = blindness::refused_message(now, why, &about, self.refusals);
        self.tracker.report(now, &blindness::messages_of(channel), MonitorName::Blindness, findings);
        self.tracker.advance(now);
    }

    /// When something is to be sent if nothing more is seen.
    pub(super) fn next_message(&self) -> Option<Timestamp> {
        self.settings.channels.iter().filter_map(|channel| self.next_message_for(channel)).min()
    }

    fn next_message_for(&self, channel: &Channel) -> Option<Timestamp> {
        let place = self.desk.place(&channel.name)?;
        if place.in_flight.is_some() {
            return None;
        }
        let holds = self.holds(channel, place);
        let probe = place.paused_until.filter(|_| holds.refuses);
        let first = place.waiting.values().map(|waiting| holds.until(waiting)).chain(probe).min()?;
        Some(first.max(place.paused_until.unwrap_or(Timestamp::MIN)))
    }
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

pub(super) fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}
