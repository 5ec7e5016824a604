//! The order of policy, in one place. Alert by alert: filter, inhibit, silence, route ([`Engine::judge`]). Then, for each
//! channel, of the group of those alerts: what is owed, and in which form it goes: summary, digest, storm or alone
//! ([`Engine::stand_with`]). Each stage either lets it pass or gives the [`Reason`] why it is not told.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LeftAlone};
use crate::group::{Group, Member};
use crate::ledger::{Told, Way};
use crate::monitors::{MonitorName, blindness};
use crate::notification::Why;
use crate::policy::inhibit::explained_by;
use crate::policy::owed::{Owed, Truth, owed};
use crate::policy::route::channels_for;
use crate::policy::{Reason, silence};
use crate::settings::Channel;
use crate::tracker::Subject;
use crate::{Alert, AlertKey, Kind, Name, ObjectRef, Severity};

/// After the first reminder they come daily.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

/// In which form something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// By itself, or with others if there are many at once.
    Alone,
    /// In the next digest.
    Digest,
    /// With the storm it was told in.
    Storm,
    /// In the summary of what was broken before.
    Summary,
    /// As a line of a reminder.
    Reminder,
}

/// Where a channel stands with a group.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    pub(super) members: BTreeSet<ObjectRef>,
    pub(super) truth: Truth,
    /// What it is owed, or why it is told nothing.
    pub(super) owed: Result<(Owed, Form), Reason>,
}

impl Engine {
    /// Judges an alert by itself: whether the user wants it looked at, what holds it back, and where it goes.
    ///
    /// # Errors
    /// Why it is none of kpulse's business. What only holds it back for now is in [`Member::held`].
    pub(super) fn judge(&self, now: Timestamp, alert: Alert, subject: &Subject) -> Result<Member, Reason> {
        self.filter(&alert, subject)?;
        let alert = self.capped(alert, subject);
        let held = self.inhibit(&alert.key, subject).or_else(|| self.silence(now, &alert, subject));
        let channels = self.route(&alert);
        Ok(Member { alert, channels, held })
    }

    fn filter(&self, alert: &Alert, subject: &Subject) -> Result<(), Reason> {
        let AlertKey { object, monitor, .. } = &alert.key;
        let is_off = object.kind == Kind::Watch && !blindness::is_looked_at(object, &self.settings);
        if is_off || !self.settings.monitors.enabled(*monitor) {
            return Err(Reason::MonitorOff(*monitor));
        }
        match self.left_alone(&alert.key, subject) {
            Some(LeftAlone::Namespace) => Err(Reason::NamespaceExcluded(object.namespace.clone())),
            Some(LeftAlone::Annotation) => Err(Reason::Ignored),
            None if self.is_doomed(alert) => Err(Reason::Terminating),
            None => Ok(()),
        }
    }

    /// What explains it, unless that is itself nothing the user wants to hear of.
    fn inhibit(&self, key: &AlertKey, subject: &Subject) -> Option<Reason> {
        let by = explained_by(self.tracker.presence(), key, subject)?;
        let is_wanted = self.settings.monitors.enabled(by.monitor)
            && self.tracker.subject(&by.object).is_some_and(|subject| {
                self.is_in_scope(&by.object.namespace) && !self.surroundings.ignores(by.monitor, &by.object, subject)
            });
        is_wanted.then_some(Reason::Inhibited { by })
    }

    fn silence(&self, now: Timestamp, alert: &Alert, subject: &Subject) -> Option<Reason> {
        let by_config = self.settings.silences.iter().find(|silence| silence.silences(alert, now)).map(|silence| {
            let until = silence.next_change(now);
            Reason::Silenced { reason: silence.reason.clone(), until }
        });
        by_config.or_else(|| {
            let notes = self.surroundings.silences(&alert.key.object, subject);
            let holds =
                notes.into_iter().filter_map(|text| silence::annotation(text)).filter(|(until, _)| now < *until);
            let (until, reason) = holds.max_by_key(|(until, _)| *until)?;
            Some(Reason::Silenced { reason: reason.to_owned(), until: Some(until) })
        })
    }

    /// The channels it is for. That a channel refuses what it is told is told to the others.
    fn route(&self, alert: &Alert) -> Vec<Name> {
        let channels = channels_for(alert, &self.settings);
        let Some(about) = blindness::channel_of(&alert.key.object) else {
            return channels.into_iter().cloned().collect();
        };
        let others: Vec<Name> = channels.into_iter().filter(|channel| **channel != about).cloned().collect();
        if !others.is_empty() {
            return others;
        }
        let others = self.settings.channels.iter().filter(|channel| channel.name != about && !channel.incident);
        others.map(|channel| channel.name.clone()).take(1).collect()
    }

    /// Says where a channel stands with a group: what it is owed of it, and in which form.
    pub(super) fn stand_with(&self, channel: &Channel, group: &Group) -> Stand {
        let told = self.ledger.told(&channel.name, &group.fingerprint);
        let (members, truth) = truth(group, channel, told);
        let owed = owed(truth, told, channel, self.settings.dedupe.window.get());
        let owed = owed.map_err(|reason| untold(group, channel, told, &reason).unwrap_or(reason));
        let owed = match owed {
            Ok(owed) if owed.why == Why::Resolved => self.ends(channel, group, told, owed),
            Ok(owed) => self.form(channel, group, told, truth, owed),
            Err(Reason::Told) => self.remind(channel, group, told, truth),
            Err(reason) => Err(reason),
        };
        Stand { members, truth, owed }
    }

    /// An end travels as its firing did.
    fn ends(&self, channel: &Channel, group: &Group, told: Option<&Told>, owed: Owed) -> Result<(Owed, Form), Reason> {
        let told_so = |reason| if told.is_some_and(|told| told.refused) { Reason::Refused } else { reason };
        if !self.settings.resolution.enabled {
            return Err(told_so(Reason::EndsOff));
        }
        if group.once || told.is_some_and(|told| told.refused) {
            return Err(told_so(Reason::NoEnd));
        }
        let form = match told.map(|told| told.way) {
            Some(Way::Digest) if self.settings.dedupe.digest.enabled && !channel.incident => Form::Digest,
            Some(Way::Storm) if self.ledger.page(&channel.name).is_some_and(|page| page.storm.is_some()) => Form::Storm,
            _ => Form::Alone,
        };
        Ok((owed, form))
    }

    fn form(
        &self,
        channel: &Channel,
        group: &Group,
        told: Option<&Told>,
        truth: Truth,
        owed: Owed,
    ) -> Result<(Owed, Form), Reason> {
        if channel.incident || group.key.monitor == MonitorName::Blindness {
            return Ok((owed, Form::Alone));
        }
        // What may have arrived is told again as it was told.
        if let Some(told) = told.filter(|told| told.uncertain) {
            let in_digest =
                told.way == Way::Digest && self.settings.dedupe.digest.holds(told.severity.max(truth.severity));
            return Ok((owed, if in_digest { Form::Digest } else { Form::Alone }));
        }
        let before = self.ledger.page(&channel.name).and_then(|page| page.summary_of);
        // What kubelets tell is known a while after the first look.
        let was_broken = before.is_some_and(|before| group.fired_at <= before || group.key.monitor.reads_kubelets());
        let was_told_alone = told.is_some_and(|told| told.way != Way::Digest);
        let digest = &self.settings.dedupe.digest;
        let form = match owed.why {
            Why::First if was_broken => Form::Summary,
            Why::Refreshed | Why::Updated => Form::Alone,
            Why::Escalated if digest.holds(truth.severity) && !was_told_alone => Form::Digest,
            Why::First | Why::Grown | Why::Repeated if digest.holds(truth.severity) && !was_told_alone => Form::Digest,
            _ => Form::Alone,
        };
        Ok((owed, form))
    }

    /// What lasts and was told by itself is told again as still broken.
    fn remind(
        &self,
        channel: &Channel,
        group: &Group,
        told: Option<&Told>,
        truth: Truth,
    ) -> Result<(Owed, Form), Reason> {
        let trouble = &*group.key.trouble.trouble;
        let never = channel.incident
            || group.once
            || truth.count == 0
            || truth.held
            || trouble == "evicted"
            || group.key.monitor == MonitorName::JobFailed
            || self.settings.dedupe.digest.holds(truth.severity);
        let told = told.filter(|told| !never && !told.refused && told.way != Way::Digest).ok_or(Reason::Told)?;
        let from = match told.reminded_at {
            Some(at) => at.checked_add(DAILY),
            None => told.at.checked_add(self.settings.dedupe.repeat_interval.get()),
        };
        Ok((Owed { why: Why::Repeated, from: from.ok() }, Form::Reminder))
    }
}

/// Why a group that a channel was not told of is not for it, if there is a sharper reason than that no route leads there.
fn untold(group: &Group, channel: &Channel, told: Option<&Told>, reason: &Reason) -> Option<Reason> {
    if *reason == Reason::Told && told.is_some_and(|told| told.refused) {
        return Some(Reason::Refused);
    }
    if let (Reason::Told, Some(until)) = (reason, group.lingers_until.filter(|_| group.members.is_empty())) {
        return Some(Reason::Lingering { until });
    }
    if *reason != Reason::NotRouted {
        return None;
    }
    let mine = group.members.values().filter(|member| member.channels.contains(&channel.name));
    let mut reasons = mine.map(|member| member.held.clone().unwrap_or(Reason::Dropped));
    reasons.next().or_else(|| (channel.incident && group.once).then_some(Reason::NoIncident))
}

/// What is true of a group as far as a channel is concerned: the alerts it was told of, and those routed to it that
/// nothing holds back.
pub(super) fn truth(group: &Group, channel: &Channel, told: Option<&Told>) -> (BTreeSet<ObjectRef>, Truth) {
    let (mut severity, mut occurrences, mut dropped, mut held) = (Severity::Info, 0, 0, true);
    let mut members = BTreeSet::new();
    for (object, member) in &group.members {
        let not_for_now = group.dropped.get(object).copied().unwrap_or_default();
        let is_news = !group.once || member.alert.occurrences > not_for_now;
        let may_be_told = member.held.is_none() && is_news && member.channels.contains(&channel.name);
        let is_known = told.is_some_and(|told| told.members.contains(object));
        if may_be_told || is_known {
            members.insert(object.clone());
            occurrences += member.alert.occurrences;
            dropped += not_for_now;
        }
        if may_be_told || is_known && member.held.is_none() {
            severity = severity.max(member.alert.severity);
            held = false;
        }
    }
    let truth = Truth {
        count: members.len(),
        severity,
        lingers: group.lingers_until.is_some(),
        occurrences: group.once.then_some(if occurrences > dropped { occurrences } else { 0 }),
        eager: group.key.monitor == MonitorName::Blindness,
        held,
        words: words(group),
    };
    (members, truth)
}

/// Stands for what is said of a group beyond its counts.
fn words(group: &Group) -> u32 {
    let mut hasher = DefaultHasher::new();
    (&group.face.reason, &group.face.what, &group.face.cause, group.face.object.kind == Kind::Watch).hash(&mut hasher);
    // Half of it tells different words apart well enough.
    u32::try_from(hasher.finish() >> 32).unwrap_or_default().max(1)
}
