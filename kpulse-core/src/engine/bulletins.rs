//! What is told together: digests, storms, the first summary, reminders, and the word of a channel that is back.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::desk::{Place, Waiting, after};
use super::report::{line, span};
use super::stages::{Form, truth};
use crate::group::Group;
use crate::ledger::{Storm, Told, Way};
use crate::monitors::MonitorName;
use crate::notification::{AlertState, Bulletin, BulletinKind, BulletinLine, Content};
use crate::settings::Channel;
use crate::{Fingerprint, GroupKey, Name, Severity};

/// The first digest after quiet waits this long for company.
const DIGEST_FIRST: SignedDuration = SignedDuration::from_secs(30);
/// How long after its last word a storm has another: for new troubles, and for ends; less where it is changed in place.
const STORM_NEWS: SignedDuration = SignedDuration::from_mins(1);
const STORM_ENDS: SignedDuration = SignedDuration::from_mins(5);
const STORM_EDIT: SignedDuration = SignedDuration::from_secs(10);
/// How many lines a message has.
const LINES: usize = 40;
/// How many the first summary has.
const WORST: usize = 10;
/// How many names a line of a storm has.
const NAMES: usize = 5;

/// What one message holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parcel {
    /// One group.
    Alone,
    Digest,
    /// Many new groups, and the storm as it is then; nothing once it is over.
    Storm(Option<Storm>),
    Summary,
    Reminder,
    /// All there is to say to a channel that takes messages again.
    Back,
}

impl Parcel {
    /// How the channel was told of what is in it.
    pub(super) const fn way(&self) -> Way {
        match self {
            Self::Digest => Way::Digest,
            Self::Storm(_) => Way::Storm,
            _ => Way::Alone,
        }
    }
}

/// What keeps the things that wait for a channel from being told before a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holds {
    pub(super) refuses: bool,
    news: Option<Timestamp>,
    ends: Option<Timestamp>,
    digest: Option<Timestamp>,
    summary: Option<Timestamp>,
}

impl Holds {
    /// When something that waits goes out if nothing more is seen and the channel takes it.
    pub(super) fn until(&self, waiting: &Waiting) -> Timestamp {
        let from = waiting.owed.from.unwrap_or(Timestamp::MIN);
        let held = match waiting.form {
            _ if self.refuses => None,
            Form::Alone => self.news.filter(|_| waiting.is_news()),
            Form::Digest => self.digest,
            Form::Storm => self.ends,
            Form::Summary => self.summary,
            Form::Reminder => None,
        };
        held.map_or(from, |held| held.max(from))
    }
}

type Groups = [(GroupKey, Timestamp, Option<Told>)];

impl Engine {
    /// The next thing to tell a channel, and which groups are in it.
    pub(super) fn pack(&self, now: Timestamp, channel: &Channel) -> Option<(Parcel, Vec<GroupKey>)> {
        let place = self.desk.place(&channel.name)?;
        let keys = |waiting: Vec<(&GroupKey, &Waiting)>| waiting.into_iter().map(|(key, _)| key.clone()).collect();
        if !channel.incident && self.refuses(channel) {
            let owed = place.waiting().filter(|(_, waiting)| waiting.form != Form::Reminder);
            return Some((Parcel::Back, owed.map(|(key, _)| key.clone()).collect()));
        }
        let broken = place.ripe(now, Form::Summary);
        if !broken.is_empty() && self.first_look.is_none_or(|until| until <= now) {
            return Some((Parcel::Summary, keys(broken)));
        }
        if let Some(parcel) = self.pack_storm(now, channel, place) {
            return Some(parcel);
        }
        let held = self.news(now, channel, place);
        let alone = place.ripe(now, Form::Alone).into_iter().find(|(key, _)| !held.contains(key));
        if let Some((key, _)) = alone {
            return Some((Parcel::Alone, vec![key.clone()]));
        }
        let digest = place.ripe(now, Form::Digest);
        if self.digest_due(channel, place).is_some_and(|due| due <= now) && !digest.is_empty() {
            return Some((Parcel::Digest, keys(digest)));
        }
        if place.ripe(now, Form::Reminder).is_empty() {
            return None;
        }
        // Who is reminded of one trouble is reminded of the others as well, if that would come soon.
        let soon = after(now, self.settings.dedupe.repeat_interval.get() / 2);
        Some((Parcel::Reminder, keys(place.ripe(soon, Form::Reminder))))
    }

    fn pack_storm(&self, now: Timestamp, channel: &Channel, place: &Place) -> Option<(Parcel, Vec<GroupKey>)> {
        let known = self.ledger.page(&channel.name).and_then(|page| page.storm.clone());
        let news = self.news(now, channel, place);
        let ends = place.ripe(now, Form::Storm);
        let over =
            known.is_some() && news.is_empty() && self.ledger.told_by(&channel.name, Way::Storm).count() <= ends.len();
        let due = match &known {
            None => !news.is_empty(),
            Some(_) if over => true,
            Some(storm) => {
                let spaced = |span| after(storm.at, if channel.edits { STORM_EDIT } else { span }) <= now;
                !news.is_empty() && spaced(STORM_NEWS) || !ends.is_empty() && spaced(STORM_ENDS)
            }
        };
        if !due {
            return None;
        }
        let firings = news.iter().filter_map(|key| self.groups.get(key));
        let (first, severity) = firings.fold((now, Severity::Info), |(first, severity), group| {
            (first.min(group.fired_at), severity.max(group.face.severity))
        });
        let storm = known.unwrap_or(Storm { started_at: first, at: now, total: 0, severity, message_id: None });
        let storm = Storm { total: storm.total + news.len(), severity: storm.severity.max(severity), ..storm };
        let ends = ends.into_iter().map(|(key, _)| key.clone());
        Some((Parcel::Storm(Some(storm).filter(|_| !over)), news.into_iter().chain(ends).collect()))
    }

    /// New troubles that are told together: too many came within a minute, or they came within a minute of a storm's
    /// last word.
    fn news(&self, now: Timestamp, channel: &Channel, place: &Place) -> Vec<GroupKey> {
        if channel.incident {
            return Vec::new();
        }
        let news = place.ripe(now, Form::Alone).into_iter();
        let news: Vec<(&GroupKey, &Waiting)> =
            news.filter(|(key, waiting)| waiting.is_news() && key.monitor != MonitorName::Blindness).collect();
        let is_storm = place.is_storm(now, news.len());
        let storm = self.ledger.page(&channel.name).and_then(|page| page.storm.as_ref());
        let joins = |waiting: &Waiting| storm.is_some_and(|storm| waiting.since < after(storm.at, STORM_NEWS));
        let news = news.into_iter().filter(|(_, waiting)| is_storm || joins(waiting));
        news.map(|(key, _)| key.clone()).collect()
    }

    fn refuses(&self, channel: &Channel) -> bool {
        self.ledger.page(&channel.name).is_some_and(|page| page.refuses_since.is_some())
    }

    /// When the next digest goes out, if there is something to tell in it.
    pub(super) fn digest_due(&self, channel: &Channel, place: &Place) -> Option<Timestamp> {
        let waiting = place.waiting().filter(|(_, waiting)| waiting.form == Form::Digest);
        let first = waiting.map(|(_, waiting)| after(waiting.since, DIGEST_FIRST)).min()?;
        let last = self.ledger.page(&channel.name).and_then(|page| page.digest_at);
        let spaced = last.map(|at| after(at, self.settings.dedupe.digest.interval.get()));
        Some(spaced.map_or(first, |spaced| spaced.max(first)))
    }

    /// What keeps the things that wait for a channel from being told before a time.
    pub(super) fn holds(&self, channel: &Channel, place: &Place) -> Holds {
        let page = self.ledger.page(&channel.name);
        let storm = page.and_then(|page| page.storm.as_ref()).filter(|_| !channel.incident);
        let spaced = |span| storm.map(|storm| after(storm.at, if channel.edits { STORM_EDIT } else { span }));
        let ends = place.waiting().filter(|(_, waiting)| waiting.form == Form::Storm).count();
        let is_over = storm.is_some() && self.ledger.told_by(&channel.name, Way::Storm).count() <= ends;
        Holds {
            refuses: self.refuses(channel) && !channel.incident,
            news: spaced(STORM_NEWS).filter(|_| !self.news(self.clock, channel, place).is_empty()),
            ends: spaced(STORM_ENDS).filter(|_| !is_over),
            digest: self.digest_due(channel, place),
            summary: self.first_look,
        }
    }

    /// Puts a parcel of several groups into words; with the key that a repeat would carry too.
    pub(super) fn say_together(
        &self,
        now: Timestamp,
        channel: &Channel,
        groups: &Groups,
        parcel: &Parcel,
    ) -> Option<(Content, String)> {
        let page = self.ledger.page(&channel.name).cloned().unwrap_or_default();
        let mut lines = self.lines(now, channel, groups);
        let bulletin = match parcel {
            Parcel::Alone => return None,
            Parcel::Digest => digest(now, &lines, page.digest_at),
            Parcel::Summary => summary(now, &lines),
            Parcel::Reminder => reminder(now, &lines),
            Parcel::Back => {
                lines.extend(self.still_true(now, channel, groups));
                sort(&mut lines);
                back(now, &lines, page.refuses_since.unwrap_or(now))
            }
            Parcel::Storm(after) => {
                let members = self.storm_members(channel, groups);
                let before = page.storm.or_else(|| after.clone())?;
                let ended = groups.iter().filter(|(.., then)| then.is_none()).count();
                lines = storm_lines(&members);
                storm(now, after.as_ref().unwrap_or(&before), members.len(), ended, &members)
            }
        };
        let shown = if matches!(parcel, Parcel::Summary) { WORST } else { LINES };
        let content =
            Bulletin { more: lines.len().saturating_sub(shown), cluster: self.settings.cluster.clone(), ..bulletin };
        let (fingerprint, key) = self.identity(channel, groups, &content);
        lines.truncate(shown);
        let covers = self.covers(channel, groups, parcel);
        let bulletin = Bulletin { fingerprint, lines, covers, ..content };
        Some((Content::Bulletin(Box::new(bulletin)), key))
    }

    /// What a bulletin is recognised by: a storm by its beginning, all else by what it tells.
    fn identity(&self, channel: &Channel, groups: &Groups, bulletin: &Bulletin) -> (Fingerprint, String) {
        let kind = bulletin.kind.as_str();
        let about = |(key, _, then): &(GroupKey, Timestamp, Option<Told>)| {
            let group = self.groups.get(key)?;
            let state = if then.is_some() { "firing" } else { "resolved" };
            Some(format!("{}|{}|{state}", group.fingerprint, group.started_at.as_second()))
        };
        let told: Vec<String> = groups.iter().filter_map(about).collect();
        let content = Fingerprint::of(&format!("{kind}|{}|{}", channel.name, told.join("\n")));
        let fingerprint = match bulletin.kind {
            BulletinKind::Storm => {
                Fingerprint::of(&format!("storm|{}|{}", channel.name, bulletin.started_at.as_second()))
            }
            BulletinKind::Reminder => Fingerprint::of(&format!("reminder|{}|{}|{content}", channel.name, bulletin.at)),
            _ => content.clone(),
        };
        let key = format!("{kind}-{fingerprint}-{content}");
        (fingerprint, key)
    }

    /// Every group that a parcel tells of, and how each stands.
    fn covers(&self, channel: &Channel, groups: &Groups, parcel: &Parcel) -> Vec<(Fingerprint, AlertState)> {
        let told = groups.iter().filter_map(|(key, _, then)| {
            let state = if then.is_some() { AlertState::Firing } else { AlertState::Resolved };
            Some((self.groups.get(key)?.fingerprint.clone(), state))
        });
        let still: Vec<&Group> = match parcel {
            Parcel::Storm(_) => self.storm_members(channel, groups),
            Parcel::Back => self.known_besides(channel, groups).collect(),
            _ => Vec::new(),
        };
        let mut covers: BTreeMap<Fingerprint, AlertState> =
            still.into_iter().map(|group| (group.fingerprint.clone(), AlertState::Firing)).collect();
        covers.extend(told);
        covers.into_iter().collect()
    }

    fn lines(&self, now: Timestamp, channel: &Channel, groups: &Groups) -> Vec<BulletinLine> {
        let lines = groups.iter().filter_map(|(key, _, then)| {
            let group = self.groups.get(key)?;
            Some(self.line_of(now, channel, group, then.is_none()))
        });
        let mut lines: Vec<BulletinLine> = lines.collect();
        sort(&mut lines);
        lines
    }

    fn line_of(&self, now: Timestamp, channel: &Channel, group: &Group, resolved: bool) -> BulletinLine {
        let told = self.ledger.told(&channel.name, &group.fingerprint);
        let (members, truth) = truth(group, channel, told);
        let severity = told.map_or(truth.severity, |told| told.severity.max(truth.severity));
        BulletinLine {
            state: if resolved { AlertState::Resolved } else { AlertState::Firing },
            severity,
            text: line(group, &members, told, resolved),
            since: group.started_at,
            ended_at: group.ended.or(group.left).filter(|_| resolved).map(|left| left.at.min(now)),
        }
    }

    /// What a channel knows of, besides these, and still lasts.
    fn still_true(&self, now: Timestamp, channel: &Channel, besides: &Groups) -> Vec<BulletinLine> {
        self.known_besides(channel, besides).map(|group| self.line_of(now, channel, group, false)).collect()
    }

    fn known_besides<'a>(&'a self, channel: &Channel, besides: &Groups) -> impl Iterator<Item = &'a Group> {
        self.groups.values().filter(move |group| {
            let told = self.ledger.told(&channel.name, &group.fingerprint).filter(|told| !told.refused);
            told.is_some()
                && !group.once
                && !group.members.is_empty()
                && !besides.iter().any(|(key, ..)| *key == group.key)
        })
    }

    /// The groups of a channel's storm that last.
    fn storm_members<'a>(&'a self, channel: &Channel, groups: &Groups) -> Vec<&'a Group> {
        let ends: Vec<&GroupKey> = groups.iter().filter(|(.., then)| then.is_none()).map(|(key, ..)| key).collect();
        let news: Vec<&GroupKey> = groups.iter().filter(|(.., then)| then.is_some()).map(|(key, ..)| key).collect();
        let is_member = |group: &&Group| {
            let told = self.ledger.told(&channel.name, &group.fingerprint);
            told.is_some_and(|told| told.way == Way::Storm) && !ends.contains(&&group.key) || news.contains(&&group.key)
        };
        self.groups.values().filter(is_member).collect()
    }
}

/// Worst first, what is over last.
fn sort(lines: &mut [BulletinLine]) {
    lines.sort_by(|one, other| {
        let rank = |line: &BulletinLine| (line.state == AlertState::Resolved, Reverse(line.severity), line.since);
        rank(one).cmp(&rank(other)).then_with(|| one.text.cmp(&other.text))
    });
}

fn bulletin(kind: BulletinKind, now: Timestamp, lines: &[BulletinLine], title: String) -> Bulletin {
    let firing = lines.iter().filter(|line| line.state == AlertState::Firing);
    let severity = firing.map(|line| line.severity).max().or_else(|| lines.iter().map(|line| line.severity).max());
    let lasts = lines.is_empty() || lines.iter().any(|line| line.state == AlertState::Firing);
    Bulletin {
        kind,
        fingerprint: Fingerprint::default(),
        state: if lasts { AlertState::Firing } else { AlertState::Resolved },
        severity: severity.unwrap_or(Severity::Info),
        cluster: Name::default(),
        title,
        lead: String::new(),
        lines: Vec::new(),
        more: 0,
        covers: Vec::new(),
        hints: Vec::new(),
        started_at: lines.iter().map(|line| line.since).min().unwrap_or(now),
        at: now,
    }
}

fn digest(now: Timestamp, lines: &[BulletinLine], last: Option<Timestamp>) -> Bulletin {
    let ended = lines.iter().filter(|line| line.state == AlertState::Resolved).count();
    let from = last.filter(|last| now.duration_since(*last) < SignedDuration::from_hours(1));
    let first = lines.iter().map(|line| line.ended_at.unwrap_or(line.since)).min().unwrap_or(now);
    let from = from.unwrap_or(first).min(now);
    let counts = match (lines.len() - ended, ended) {
        (new, 0) => format!("{new} new"),
        (0, ended) => format!("{ended} ended"),
        (new, ended) => format!("{new} new, {ended} ended"),
    };
    let title = format!("Digest {}–{} UTC: {counts}", clock(from), clock(now));
    Bulletin { started_at: from, ..bulletin(BulletinKind::Digest, now, lines, title) }
}

fn summary(now: Timestamp, lines: &[BulletinLine]) -> Bulletin {
    let title = match lines.len() {
        1 => "kpulse started: 1 thing is broken already".to_owned(),
        count => format!("kpulse started: {count} things are broken already"),
    };
    Bulletin {
        lead: "This is told once. What breaks from now on is told as it does, and so is the end of each of these."
            .to_owned(),
        hints: vec![
            "kpulse silence deploy/NAME -n NAMESPACE 2h".to_owned(),
            "kpulse explain KIND/NAMESPACE/NAME".to_owned(),
        ],
        ..bulletin(BulletinKind::Summary, now, lines, title)
    }
}

fn reminder(now: Timestamp, lines: &[BulletinLine]) -> Bulletin {
    let oldest = lines.iter().map(|line| line.since).min().unwrap_or(now);
    let lasted = span(now.duration_since(oldest));
    let title = match lines {
        [one] => format!("Still broken after {lasted}: {}", one.text),
        _ => format!("Still broken: {} troubles, the oldest for {lasted}", lines.len()),
    };
    bulletin(BulletinKind::Reminder, now, lines, title)
}

fn back(now: Timestamp, lines: &[BulletinLine], since: Timestamp) -> Bulletin {
    let lasts = lines.iter().filter(|line| line.state == AlertState::Firing).count();
    let still = match lasts {
        0 => "nothing is broken now".to_owned(),
        1 => "still true: 1 trouble".to_owned(),
        count => format!("still true: {count} troubles"),
    };
    let title = format!("This channel is back after {}; {still}", span(now.duration_since(since)));
    Bulletin { started_at: since, ..bulletin(BulletinKind::Back, now, lines, title) }
}

fn storm(now: Timestamp, storm: &Storm, lasting: usize, ended: usize, members: &[&Group]) -> Bulletin {
    let Storm { total, started_at, severity, .. } = storm;
    let lasted = span(now.duration_since(*started_at));
    let over = lasting == 0;
    let title = if over {
        format!("Storm over after {lasted}: all {total} troubles ended")
    } else if lasting < *total || ended > 0 {
        format!("Storm: {lasting} of {total} troubles last: {}", reasons(members))
    } else {
        let troubles = if *total == 1 { "trouble" } else { "troubles" };
        format!("Storm: {total} {troubles} at once: {}", reasons(members))
    };
    let lead = "More than 8 new troubles came within a minute: they are told together, and so is their end.";
    Bulletin {
        state: if over { AlertState::Resolved } else { AlertState::Firing },
        severity: *severity,
        lead: if over { String::new() } else { lead.to_owned() },
        started_at: *started_at,
        ..bulletin(BulletinKind::Storm, now, &[], title)
    }
}

/// `31 CrashLoopBackOff, 9 ImagePullBackOff`.
fn reasons(members: &[&Group]) -> String {
    let mut counts: BTreeMap<&Name, usize> = BTreeMap::new();
    for group in members {
        *counts.entry(&group.face.reason).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let words: Vec<String> = counts.iter().take(3).map(|(reason, count)| format!("{count} {reason}")).collect();
    let more = if counts.len() > 3 { ", …" } else { "" };
    format!("{}{more}", words.join(", "))
}

/// A line for each reason in each namespace.
fn storm_lines(members: &[&Group]) -> Vec<BulletinLine> {
    let mut by_cause: BTreeMap<(&Name, &Name), Vec<&Group>> = BTreeMap::new();
    for group in members {
        by_cause.entry((&group.key.namespace, &group.face.reason)).or_default().push(group);
    }
    let mut lines: Vec<BulletinLine> = by_cause
        .into_iter()
        .map(|((namespace, reason), groups)| {
            let names: Vec<&str> = groups
                .iter()
                .take(NAMES)
                .map(|group| match &*group.key.workload.name {
                    "" => &*group.face.object.name,
                    name => name,
                })
                .collect();
            let more = match groups.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let place = if namespace.is_empty() { String::new() } else { format!("{namespace}: ") };
            BulletinLine {
                state: AlertState::Firing,
                severity: groups.iter().map(|group| group.face.severity).max().unwrap_or(Severity::Info),
                text: format!("{place}{} {reason} ({}{more})", groups.len(), names.join(", ")),
                since: groups.iter().map(|group| group.started_at).min().unwrap_or_default(),
                ended_at: None,
            }
        })
        .collect();
    sort(&mut lines);
    lines
}

/// `14:05`.
fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}
