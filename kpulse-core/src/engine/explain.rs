//! Why something is told or not: what `kpulse explain` shows, and what metrics count.

use jiff::Timestamp;

use super::Engine;
use super::stages::Form;
use crate::group::Group;
use crate::monitors::MonitorName;
use crate::notification::Why;
use crate::policy::Reason;
use crate::settings::Channel;
use crate::tracker::Phase;
use crate::{Alert, AlertKey, GroupKey, Kind, Name, ObjectRef, Severity};

/// All that is known of one object, and what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The object.
    pub object: ObjectRef,
    /// The monitors for its kind, and why one does not look at it.
    pub looks: Vec<Look>,
    /// What they found; empty for an object that is well.
    pub troubles: Vec<Trouble>,
}

/// One monitor and one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The monitor.
    pub monitor: MonitorName,
    /// Why it does not look at the object; nothing if it does.
    pub not: Option<Reason>,
}

/// One trouble of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// Which.
    pub key: AlertKey,
    /// Why, in the field's word.
    pub reason: Name,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, to follow a name.
    pub what: String,
    /// Why, in a sentence.
    pub cause: String,
    /// `pending`, `firing`, `recovering` or `resolved`.
    pub phase: &'static str,
    /// From when it counts.
    pub since: Timestamp,
    /// When the next thing happens to it if nothing more is seen: it fires, is over, is forgotten.
    pub due: Option<Timestamp>,
    /// Why it is held back from everybody.
    pub held: Option<Reason>,
    /// What becomes of it at each channel it is routed to.
    pub places: Vec<Placed>,
}

/// Where one channel stands with a trouble.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The channel.
    pub channel: Name,
    /// What it was last told; nothing if it was not.
    pub told: Option<Word>,
    /// What it is told next, or why nothing.
    pub next: Result<Why, Reason>,
}

/// What a channel was last told of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// When.
    pub at: Timestamp,
    /// How bad it was.
    pub severity: Severity,
    /// How many objects had it.
    pub count: usize,
    /// `alone`, `digest` or `storm`.
    pub way: &'static str,
}

impl Engine {
    /// Explains what is known of an object and what becomes of it.
    #[must_use]
    pub fn explain(&self, now: Timestamp, object: &ObjectRef) -> Explanation {
        let looks = MonitorName::ALL.into_iter().filter(|monitor| looks_at(*monitor, object.kind));
        let looks = looks.map(|monitor| Look { monitor, not: self.looks_not(monitor, object) });
        let tracks = self.tracker.troubles_of(object);
        let troubles = tracks.map(|(alert, phase, due)| self.explain_trouble(now, alert, phase, due));
        Explanation { object: object.clone(), looks: looks.collect(), troubles: troubles.collect() }
    }

    /// Why each channel is not told of each group that it might be told of.
    #[must_use]
    pub fn reasons(&self, now: Timestamp) -> Vec<(GroupKey, Name, Reason)> {
        let mut reasons = Vec::new();
        for group in self.groups.values() {
            for channel in &self.settings.channels {
                if let Err(reason) = self.next_word(now, channel, group) {
                    reasons.push((group.key.clone(), channel.name.clone(), reason));
                }
            }
        }
        reasons
    }

    fn looks_not(&self, monitor: MonitorName, object: &ObjectRef) -> Option<Reason> {
        if !self.settings.monitors.enabled(monitor) {
            return Some(Reason::MonitorOff(monitor));
        }
        if !self.is_in_scope(&object.namespace) {
            return Some(Reason::NamespaceExcluded(object.namespace.clone()));
        }
        let subject = self.tracker.subject(object).cloned().unwrap_or_default();
        self.surroundings.ignores(monitor, object, &subject).then_some(Reason::Ignored)
    }

    fn explain_trouble(&self, now: Timestamp, alert: Alert, phase: Phase, due: Option<Timestamp>) -> Trouble {
        let subject = self.tracker.subject(&alert.key.object).cloned().unwrap_or_default();
        let fires = matches!(phase, Phase::Firing | Phase::Recovering { .. });
        let (held, routed) = match self.judge(now, alert.clone(), &subject) {
            Ok(member) => (member.held, member.channels),
            Err(reason) => (Some(reason), Vec::new()),
        };
        let group = self.groups.get(&alert.group());
        let places = self.settings.channels.iter().filter_map(|channel| {
            let told = group.and_then(|group| self.ledger.told(&channel.name, &group.fingerprint));
            if !routed.contains(&channel.name) && told.is_none() {
                return None;
            }
            let next = match (group, &held) {
                _ if !fires && told.is_none() => Err(Reason::Pending { due }),
                (_, Some(reason)) if told.is_none() => Err(reason.clone()),
                (Some(group), _) => self.next_word(now, channel, group),
                (None, _) => Err(Reason::Queued),
            };
            let told = told.filter(|told| !told.refused).map(|told| Word {
                at: told.at,
                severity: told.severity,
                count: told.count,
                way: told.way.as_str(),
            });
            Some(Placed { channel: channel.name.clone(), told, next })
        });
        Trouble {
            places: places.collect(),
            phase: phase.as_str(),
            since: alert.started_at,
            key: alert.key,
            reason: alert.reason,
            severity: alert.severity,
            what: alert.what,
            cause: alert.cause,
            due,
            held,
        }
    }

    /// What a channel is told of a group next, or why nothing.
    fn next_word(&self, now: Timestamp, channel: &Channel, group: &Group) -> Result<Why, Reason> {
        if self.standby {
            return Err(Reason::Standby);
        }
        let place = self.desk.place(&channel.name);
        if place.is_some_and(|place| place.has_in_flight(&group.key)) {
            return Err(Reason::InFlight);
        }
        let (owed, form) = self.stand_with(channel, group).owed?;
        if !self.is_ready(now) {
            return Err(Reason::NotReady);
        }
        if form == Form::Reminder {
            return Err(Reason::Told);
        }
        let Some(place) = place else { return Ok(owed.why) };
        if let Some(until) = place.paused_until().filter(|until| *until > now) {
            return Err(Reason::Paused { until });
        }
        let waits = place.waiting().find(|(key, _)| **key == group.key).map(|(_, waiting)| waiting);
        let at = waits.map(|waiting| self.holds(channel, place).until(waiting)).filter(|at| *at > now);
        match (form, at) {
            (Form::Summary, _) => Err(Reason::Summary),
            (Form::Digest, at) => Err(Reason::Digest { at: at.unwrap_or(now) }),
            (Form::Storm, at) => Err(Reason::Storm { at: at.unwrap_or(now) }),
            (_, Some(at)) if owed.from.is_some() => Err(Reason::Spaced { at }),
            (_, Some(at)) => Err(Reason::Storm { at }),
            (_, None) if !place.is_free(now) => Err(Reason::Queued),
            (_, None) => Ok(owed.why),
        }
    }
}

/// Whether a monitor has something to say of objects of this kind.
fn looks_at(monitor: MonitorName, kind: Kind) -> bool {
    match monitor {
        MonitorName::PodCrashes | MonitorName::PodRestarts | MonitorName::PodStuckTerminating => kind == Kind::Pod,
        MonitorName::WarningEvents => kind == Kind::Event,
        MonitorName::CronjobMissed => kind == Kind::CronJob,
        MonitorName::DaemonsetUnscheduled => kind == Kind::DaemonSet,
        MonitorName::HpaAtMax => kind == Kind::HorizontalPodAutoscaler,
        MonitorName::JobFailed => matches!(kind, Kind::Job | Kind::CronJob),
        MonitorName::NodeConditions | MonitorName::NodeDisk => kind == Kind::Node,
        MonitorName::PdbBlocked => kind == Kind::PodDisruptionBudget,
        MonitorName::PvcPending | MonitorName::PvcUsage => kind == Kind::PersistentVolumeClaim,
        MonitorName::RolloutStuck => matches!(kind, Kind::Deployment | Kind::StatefulSet),
        MonitorName::TlsCertExpiry => kind == Kind::Secret,
        MonitorName::Blindness => kind == Kind::Watch,
    }
}
