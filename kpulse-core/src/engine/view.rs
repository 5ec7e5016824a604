//! What the engine knows, to be shown: a copy by which nobody can change anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::report::report;
use super::{Course, Engine, Standing};
use crate::group::Group;
use crate::ledger::Told;
use crate::monitors::MonitorName;
use crate::notification::Why;
use crate::settings::Channel;
use crate::{Alert, Fingerprint, GroupKey, Name, ObjectRef, Report, Severity};

/// How many groups that are over are remembered.
const REMEMBERED: usize = 100;

/// What the engine knows at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// The groups that last, the worst first; of those the newest.
    pub active: Vec<Shown>,
    /// What is wrong and will be told if it lasts, the next first.
    pub pending: Vec<Standing>,
    /// What ended, and what happened and has no end; the latest first. Of what is over, only the last hundred.
    pub lately: Vec<Shown>,
    /// What each monitor did since the engine began; nothing for one that did nothing.
    pub monitors: BTreeMap<MonitorName, Tally>,
    /// What waits for each channel, or is on its way to it.
    pub queues: BTreeMap<Name, Queue>,
    /// How many findings each monitor has: troubles of objects that are there now, told or not.
    pub findings: BTreeMap<MonitorName, usize>,
}

/// A group, in words, and who was told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The group as a channel would be told of it now.
    pub report: Report,
    /// Whether it happens rather than lasts: it has no end.
    pub happens: bool,
    /// How often it happened; 0 for what lasts.
    pub occurrences: i64,
    /// The channels that know of it.
    pub told: Vec<ToldTo>,
}

/// What one channel knows of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldTo {
    /// The channel.
    pub channel: Name,
    /// When it accepted the last message.
    pub at: Timestamp,
    /// How bad that message said it is.
    pub severity: Severity,
    /// How many objects it named.
    pub count: usize,
    /// The channel would not take the message: it knows nothing.
    pub refused: bool,
}

/// What one monitor did since the engine began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many alerts it fired.
    pub fired: u64,
    /// How many of its alerts ended.
    pub ended: u64,
    /// When it last fired.
    pub last_fired: Option<Timestamp>,
    /// When an alert of it last ended.
    pub last_ended: Option<Timestamp>,
}

/// What waits for a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many messages wait or are on their way.
    pub messages: usize,
    /// Since when the oldest does.
    pub oldest: Option<Timestamp>,
}

impl Shown {
    /// When it happened, or ended; for what lasts, when it fired.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.report.ended_at.unwrap_or(self.report.fired_at)
    }

    /// The key that the earlier program gave its alerts. It names the object and the reason, and changes with both.
    #[must_use]
    pub fn earlier_key(&self) -> Fingerprint {
        let Report { monitor, object, reason, .. } = &self.report;
        Fingerprint::of(&format!("{monitor}|{}|{}|{}|{reason}", object.namespace, object.kind, object.name))
    }
}

/// What is over, and what was done since the engine began. Bounded, and not saved.
#[derive(Debug, Default)]
pub(super) struct Past {
    began: Option<Timestamp>,
    over: VecDeque<Shown>,
    monitors: BTreeMap<MonitorName, Tally>,
}

impl Past {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { began: Some(now), ..Self::default() }
    }

    /// An alert joined its group. One that comes out of a saved state was counted before.
    pub(super) fn fired(&mut self, alert: &Alert, fired_at: Timestamp) {
        if self.began.is_some_and(|began| fired_at >= began) {
            let tally = self.monitors.entry(alert.key.monitor).or_default();
            tally.fired += 1;
            tally.last_fired = Some(fired_at);
        }
    }

    /// An alert left its group.
    pub(super) fn ended(&mut self, now: Timestamp, monitor: MonitorName) {
        let tally = self.monitors.entry(monitor).or_default();
        tally.ended += 1;
        tally.last_ended = Some(now);
    }

    /// Remembers a group that is over, once.
    fn keep(&mut self, shown: Shown) {
        let is_same = |kept: &Shown| {
            let (kept, new) = (&kept.report, &shown.report);
            (&kept.fingerprint, kept.fired_at, kept.ended_at) == (&new.fingerprint, new.fired_at, new.ended_at)
        };
        if self.over.iter().any(is_same) {
            return;
        }
        self.over.push_front(shown);
        self.over.truncate(REMEMBERED);
    }
}

impl Engine {
    /// What is known now, to be shown.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> View {
        let lasting = self.groups.values().filter(|group| group.ended.is_none() && !group.once);
        let mut active: Vec<Shown> = lasting.map(|group| self.shown(now, group)).collect();
        active.sort_by(|a, b| {
            let order = |shown: &Shown| (shown.report.severity, shown.report.fired_at);
            order(b).cmp(&order(a)).then_with(|| a.report.fingerprint.cmp(&b.report.fingerprint))
        });
        let happened = self.groups.values().filter(|group| group.ended.is_none() && group.once);
        let mut lately: Vec<Shown> = happened.map(|group| self.shown(now, group)).collect();
        lately.extend(self.past.over.iter().cloned());
        lately.sort_by_key(|shown| std::cmp::Reverse(shown.at()));
        let mut pending = self.standing(now, |_| true);
        pending.retain(|standing| matches!(standing.course, Course::Pending { .. }));
        pending.sort_by_key(|standing| standing.course.due_at());
        View {
            active,
            pending,
            lately,
            monitors: self.past.monitors.clone(),
            queues: self.desk.queues(),
            findings: self.tracker.findings(now),
        }
    }

    /// Remembers a group that is over, with the channels that know of it, before they hear of its end.
    pub(super) fn keep_past(&mut self, now: Timestamp, key: &GroupKey) {
        if let Some(group) = self.groups.get(key).filter(|group| group.ended.is_some()) {
            let shown = self.shown(now, group);
            self.past.keep(shown);
        }
    }

    fn shown(&self, now: Timestamp, group: &Group) -> Shown {
        let knows =
            |channel: &Channel| Some((channel.name.clone(), self.ledger.told(&channel.name, &group.fingerprint)?));
        let known: Vec<(Name, &Told)> = self.settings.channels.iter().filter_map(knows).collect();
        let why = if group.ended.is_some() && !group.once { Why::Resolved } else { Why::First };
        // The words of a channel's own entry are for that channel; here the group speaks for all of them.
        let named = named(group, known.iter().map(|(_, told)| *told));
        let told = |(channel, told): (Name, &Told)| ToldTo {
            channel,
            at: told.at,
            severity: told.severity,
            count: told.count,
            refused: told.refused,
        };
        Shown {
            report: report(group, why, &named, None, &self.settings.cluster, now, self.aside(group, why)),
            happens: group.once,
            occurrences: group.members.values().map(|member| member.alert.occurrences).sum(),
            told: known.into_iter().map(told).collect(),
        }
    }
}

/// Whom to name: those that fire; if none does any more, those that people were told of, else the last one.
fn named<'a>(group: &Group, told: impl Iterator<Item = &'a Told>) -> BTreeSet<ObjectRef> {
    let firing: BTreeSet<ObjectRef> = group.members.keys().cloned().collect();
    if !firing.is_empty() {
        return firing;
    }
    let known =
        told.map(|told| &told.members).max_by_key(|members| members.len()).filter(|members| !members.is_empty());
    known.cloned().unwrap_or_else(|| [group.face.object.clone()].into())
}
