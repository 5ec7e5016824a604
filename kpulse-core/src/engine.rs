//! The engine: what is seen goes in, what channels are owed comes out.
//!
//! It knows the truth (the alerts that fire now, in groups) and the ledger (what each channel has accepted). What is
//! owed is the difference, computed anew each time: a crash, a restart, a failed send or a changed configuration is
//! never a special case.

mod desk;
mod drains;
mod intake;
mod remembered;
mod report;
mod standing;
mod surveys;
mod unseen;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cron_runs::CronRuns;
use crate::group::{Group, Member};
use crate::ledger::{Attempt, Ledger};
use crate::monitors::{Drains, RestartMemory, blindness};
use crate::policy::route::channels_for;
use crate::settings::Settings;
use crate::surroundings::Surroundings;
use crate::tracker::{Change, Subject, Tracker, TrackerState, Turn};
use crate::{Alert, AlertKey, Ending, GroupKey, Kind, Name, Notification, Receipt, Scope};
pub use drains::Inquiry;
pub use remembered::Remembered;
pub use standing::{Course, LeftAlone, Standing};
pub use view::{Queue, Shown, Tally, ToldTo, View};

use desk::Desk;
use view::Past;

/// Nothing is told until every watch has listed once or was refused, but no longer than this.
const READY_AT_MOST: SignedDuration = SignedDuration::from_secs(10);

/// What is kept across a restart: what channels accepted, and what the API does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineState {
    /// The version of this format.
    pub version: u32,
    groups: Vec<Group>,
    ledger: Ledger,
    /// What may have reached a channel since this was saved.
    attempts: Vec<Attempt>,
    tracker: TrackerState,
    restarts: RestartMemory,
    /// When the newest Event was written that was seen: older ones in a list are no news.
    newest_event: Option<Timestamp>,
}

impl EngineState {
    /// The version written by this program.
    pub const VERSION: u32 = 1;
}

/// Decides what is broken and who must be told. Sans I/O: the caller brings observations, receipts and the time, and
/// carries notifications away.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    tracker: Tracker,
    surroundings: Surroundings,
    groups: BTreeMap<GroupKey, Group>,
    ledger: Ledger,
    desk: Desk,
    restarts: RestartMemory,
    newest_event: Timestamp,
    cron_runs: CronRuns,
    drains: Drains,
    /// The watches that have listed and go on: what they send now happens now.
    live: BTreeSet<Scope>,
    readiness: Readiness,
    past: Past,
    changed: bool,
}

/// Which watches have not shown yet what there is.
#[derive(Debug, Default)]
struct Readiness {
    waiting: BTreeSet<Scope>,
    /// When the wait ends all the same; nothing before the watches are opened.
    deadline: Option<Timestamp>,
}

impl Readiness {
    fn is_over(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| self.waiting.is_empty() || deadline <= now)
    }
}

impl Engine {
    /// An engine that goes on from a saved state; the default state for a first start.
    #[must_use]
    pub fn new(now: Timestamp, settings: Settings, state: EngineState) -> Self {
        let mut engine = Self {
            tracker: Tracker::new(settings.dedupe.window.get(), state.tracker),
            surroundings: Surroundings::default(),
            groups: state.groups.into_iter().map(|group| (group.key.clone(), group)).collect(),
            ledger: state.ledger,
            desk: Desk::default(),
            restarts: state.restarts,
            newest_event: state.newest_event.unwrap_or(now),
            cron_runs: CronRuns::default(),
            drains: Drains::default(),
            live: BTreeSet::new(),
            readiness: Readiness::default(),
            past: Past::begin(now),
            changed: false,
            settings,
        };
        for attempt in state.attempts {
            engine.ledger.doubt(attempt);
        }
        engine.review(now);
        engine.abandon(now);
        engine
    }

    /// What is to be kept across a restart.
    #[must_use]
    pub fn state(&self) -> EngineState {
        EngineState {
            version: EngineState::VERSION,
            groups: self.groups.values().cloned().collect(),
            ledger: self.ledger.clone(),
            attempts: self.attempts(),
            tracker: self.tracker.state(),
            restarts: self.restarts.clone(),
            newest_event: Some(self.newest_event),
        }
    }

    /// Whether [`Engine::state`] may differ from what it was when this was last asked.
    pub fn take_changed(&mut self) -> bool {
        let touched = self.tracker.take_touched();
        std::mem::take(&mut self.changed) || touched
    }

    /// Goes on with other settings. Nothing is lost or repeated; entries of channels that are no more are dropped,
    /// and their number returned.
    pub fn configure(&mut self, now: Timestamp, settings: Settings) -> usize {
        self.settings = settings;
        self.tracker.set_window(self.settings.dedupe.window.get());
        let channels = self.channel_names();
        let dropped = self.ledger.keep_only(&channels);
        self.desk.keep_only(&channels);
        self.review(now);
        for key in self.groups.keys().cloned().collect::<Vec<_>>() {
            self.touch(now, &key);
        }
        self.changed = true;
        dropped
    }

    /// Does what is due by now.
    pub fn advance(&mut self, now: Timestamp) {
        self.restarts.prune(now, self.settings.monitors.pod_restarts.window.get());
        self.tracker.advance(now);
        self.settle(now);
    }

    /// What channels are owed and can be told now. Each is in flight until its receipt comes, and a channel has at
    /// most one in flight: what waits is computed anew when its turn comes, and so is never stale.
    pub fn notifications(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        if !self.is_ready(now) {
            return Vec::new();
        }
        let channels = self.channel_names();
        channels.iter().filter_map(|channel| self.next_for(now, channel)).collect()
    }

    /// Takes in what became of a notification. Only an accepted one counts as told.
    pub fn receive(&mut self, now: Timestamp, receipt: &Receipt) {
        self.settle_receipt(now, receipt);
        self.settle(now);
    }

    /// Lets a channel be tried again at once: its secret appeared, or its settings changed.
    pub fn retry_now(&mut self, channel: &Name) {
        self.desk.resume(channel);
    }

    /// When there is something to do if nothing more is seen.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let lingers = self.groups.values().filter_map(|group| group.lingers_until).min();
        let ready = self.readiness.deadline.filter(|_| !self.readiness.waiting.is_empty());
        let inquiry = self.next_inquiry();
        [self.tracker.next_due(), lingers, ready, inquiry, self.desk.next_deadline()].into_iter().flatten().min()
    }

    /// Whether the cluster is known well enough to speak of it.
    #[must_use]
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.readiness.is_over(now)
    }

    /// Every alert that fires and that the user wants looked at.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.groups.values().flat_map(|group| group.members.values()).map(|member| &member.alert)
    }

    /// How many objects are remembered as troubled.
    #[must_use]
    pub fn troubled_objects(&self) -> usize {
        self.tracker.len()
    }

    /// Takes what the tracker says happened into the groups, and what happened to groups to the channels' desks.
    fn settle(&mut self, now: Timestamp) {
        for change in self.tracker.take_changes() {
            self.changed = true;
            self.turn(now, change);
        }
        let over: Vec<GroupKey> =
            self.groups.values_mut().filter_map(|group| group.advance(now).then(|| group.key.clone())).collect();
        for key in over {
            self.touch(now, &key);
        }
    }

    fn channel_names(&self) -> Vec<Name> {
        self.settings.channels.iter().map(|channel| channel.name.clone()).collect()
    }

    fn turn(&mut self, now: Timestamp, Change { key, what }: Change) {
        match what {
            Turn::Fires => self.review_alert(now, &key),
            Turn::Ended(ending) => self.leave(now, &key, ending),
        }
    }

    /// Has an alert join its group if the user wants it looked at, and leave it if not.
    fn review_alert(&mut self, now: Timestamp, key: &AlertKey) {
        let Some((alert, subject, fired_at)) = self.tracker.alert(key) else { return };
        if self.is_doomed(&alert) || !self.is_watched(key, subject) {
            self.leave(now, key, Ending::Unwatched);
            return;
        }
        let alert = self.capped(alert, subject);
        let channels = channels_for(&alert, &self.settings.routing, self.settings.default_channel());
        let member = Member { channels: channels.into_iter().cloned().collect(), alert };
        let group = member.alert.group();
        if self.groups.get(&group).is_some_and(|known| known.members.get(&key.object) == Some(&member)) {
            return;
        }
        if !self.groups.get(&group).is_some_and(|known| known.has(key)) {
            self.past.fired(&member.alert, fired_at);
        }
        self.groups.entry(group.clone()).or_insert_with(|| Group::new(&member.alert, fired_at)).join(member, fired_at);
        self.touch(now, &group);
    }

    /// Judges every alert anew: settings or annotations changed.
    fn review(&mut self, now: Timestamp) {
        self.settle(now);
        for key in self.tracker.firing() {
            self.review_alert(now, &key);
        }
    }

    /// Ends groups that came out of a saved state without any alert to stand for.
    fn abandon(&mut self, now: Timestamp) {
        let keys: Vec<GroupKey> = self.groups.keys().cloned().collect();
        for key in keys {
            if let Some(group) = self.groups.get_mut(&key) {
                group.abandon(now);
            }
            self.touch(now, &key);
        }
    }

    fn leave(&mut self, now: Timestamp, key: &AlertKey, ending: Ending) {
        let left = self.groups.values_mut().find(|group| group.has(key));
        if let Some(group) = left {
            self.past.ended(now, key.monitor);
            let linger =
                if group.once { self.settings.dedupe.window } else { self.settings.monitors.pod_crashes.stable_for };
            let linger = now.checked_add(linger.get()).unwrap_or(now);
            group.leave(now, &key.object, ending, linger);
            let group = group.key.clone();
            self.touch(now, &group);
        }
    }

    fn lose_workload(&mut self, now: Timestamp, of: impl Fn(&Group) -> bool) {
        let lost: Vec<GroupKey> =
            self.groups.values().filter(|group| of(group)).map(|group| group.key.clone()).collect();
        for key in lost {
            if let Some(group) = self.groups.get_mut(&key) {
                group.lose_workload(now);
            }
            self.changed = true;
            self.touch(now, &key);
        }
    }

    /// Whether the user wants a namespace looked at; cluster-scoped objects always are.
    fn is_in_scope(&self, namespace: &Name) -> bool {
        let namespaces = &self.settings.namespaces;
        let selected = namespaces.selector.is_empty() || self.surroundings.is_selected(namespace);
        namespace.is_empty() || namespaces.watches(namespace) && selected
    }

    /// What the user wants kpulse to look at.
    fn is_watched(&self, key: &AlertKey, subject: &Subject) -> bool {
        let is_looked_at = key.object.kind != Kind::Watch || blindness::is_looked_at(&key.object, &self.settings);
        is_looked_at && self.settings.monitors.enabled(key.monitor) && self.left_alone(key, subject).is_none()
    }
}
