//! The engine: what is seen goes in, what channels are owed comes out.
//!
//! It knows the truth (the alerts that fire now, in groups) and the ledger (what each channel has accepted). What is
//! owed is the difference, computed anew each time: a crash, a restart, a failed send or a changed configuration is
//! never a special case.

mod asides;
mod bulletins;
mod desk;
mod drains;
mod explain;
mod intake;
mod remembered;
mod report;
mod stages;
mod standing;
mod surveys;
mod turns;
mod unseen;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cron_runs::CronRuns;
use crate::group::Group;
use crate::ledger::{Attempt, Ledger};
use crate::monitors::{Drains, RestartMemory, blindness};
use crate::settings::Settings;
use crate::surroundings::Surroundings;
use crate::tracker::{Tracker, TrackerState};
use crate::{Alert, AlertKey, GroupKey, Name, Notification, Receipt, Scope};
pub use drains::Inquiry;
pub use explain::{Explanation, Look, Placed, Trouble, Word};
pub use remembered::Remembered;
pub use standing::{Course, LeftAlone, Standing};
pub use view::{Queue, Shown, Tally, ToldTo, View};

use asides::Meanwhile;
use desk::Desk;
use view::Past;

/// Nothing is told until every watch has listed once or was refused, but no longer than this.
const READY_AT_MOST: SignedDuration = SignedDuration::from_secs(10);

/// The summary of what was broken before goes out after one round of kubelets, but no later than this.
const FIRST_LOOK_AT_MOST: SignedDuration = SignedDuration::from_mins(2);
/// After a sleep nothing is told for this long: clusters sleep with their machines, and need a while to wake.
const WAKING: SignedDuration = SignedDuration::from_secs(60);
/// A standby remembers what ended for this long, for the leader may have told of it.
const STANDBY_MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// What is kept across a restart: what channels accepted, and what the API does not tell. The default is a first start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineState {
    /// The version of this format; 0 where nothing was ever saved.
    pub version: u32,
    /// Counts the leaders there have been: what an earlier one still writes is older.
    pub epoch: u64,
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

    /// The state of a program that ran before and knew of no trouble.
    #[must_use]
    pub fn quiet() -> Self {
        Self { version: Self::VERSION, ..Self::default() }
    }

    /// Every channel that was told anything.
    pub fn channels(&self) -> impl Iterator<Item = &Name> {
        self.ledger.channels()
    }

    /// Whether nothing was ever saved.
    #[must_use]
    pub const fn is_first_start(&self) -> bool {
        self.version == 0
    }
}

/// Decides what is broken and who must be told. Sans I/O: the caller brings observations, receipts and the time, and
/// carries notifications away.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    tracker: Tracker,
    surroundings: Surroundings,
    groups: BTreeMap<GroupKey, Group>,
    /// The group that each alert is a member of.
    homes: BTreeMap<AlertKey, GroupKey>,
    ledger: Ledger,
    desk: Desk,
    restarts: RestartMemory,
    newest_event: Timestamp,
    cron_runs: CronRuns,
    drains: Drains,
    /// The watches that have listed and go on: what they send now happens now.
    live: BTreeSet<Scope>,
    readiness: Readiness,
    /// Until when what was broken before the first look waits for the summary of it.
    first_look: Option<Timestamp>,
    /// When a silence begins or ends next.
    next_review: Option<Timestamp>,
    /// The first time at which a group that lost its members ends.
    next_linger: Option<Timestamp>,
    /// Groups that changed since channels' standings with them were last computed, and when, in that order.
    dirty: Vec<(GroupKey, Timestamp)>,
    meanwhile: Meanwhile,
    past: Past,
    /// Messages that channels would not take.
    refusals: i64,
    epoch: u64,
    standby: bool,
    /// The latest time it was told.
    clock: Timestamp,
    changed: bool,
}

/// Which watches have not shown yet what there is.
#[derive(Debug, Default)]
struct Readiness {
    scopes: Vec<Scope>,
    waiting: BTreeSet<Scope>,
    /// When the wait ends all the same; nothing before the watches are opened.
    deadline: Option<Timestamp>,
    /// Not before this time, whatever is seen.
    not_before: Option<Timestamp>,
}

impl Readiness {
    fn is_over(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|at| at <= now)
            && self.deadline.is_some_and(|deadline| self.waiting.is_empty() || deadline <= now)
    }

    /// When it is over if nothing more is seen.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let deadline = self.deadline?;
        let at = if self.waiting.is_empty() {
            self.not_before?
        } else {
            self.not_before.map_or(deadline, |at| at.max(deadline))
        };
        Some(at).filter(|_| !self.is_over(now))
    }
}

impl Engine {
    /// An engine that goes on from a saved state; the default state for a first start.
    #[must_use]
    pub fn new(now: Timestamp, settings: Settings, state: EngineState) -> Self {
        let is_first = state.is_first_start();
        let mut engine = Self {
            tracker: Tracker::new(settings.dedupe.window.get(), state.tracker),
            surroundings: Surroundings::default(),
            groups: state.groups.into_iter().map(|group| (group.key.clone(), group.restored())).collect(),
            homes: BTreeMap::new(),
            ledger: state.ledger,
            desk: Desk::default(),
            restarts: state.restarts,
            newest_event: state.newest_event.unwrap_or(now),
            cron_runs: CronRuns::default(),
            drains: Drains::default(),
            live: BTreeSet::new(),
            readiness: Readiness::default(),
            first_look: None,
            next_review: None,
            next_linger: None,
            dirty: Vec::new(),
            meanwhile: Meanwhile::default(),
            past: Past::begin(now),
            refusals: 0,
            epoch: state.epoch,
            standby: false,
            clock: now,
            changed: false,
            settings,
        };
        for attempt in state.attempts {
            engine.ledger.doubt(attempt);
        }
        if is_first || engine.waits_for_first_look() {
            engine.await_first_look(now);
        }
        engine.tracker.see_own(now, |object| blindness::channel_of(object).is_some());
        engine.next_linger = engine.groups.values().filter_map(|group| group.lingers_until).min();
        engine.review(now);
        engine.abandon(now);
        engine.flush();
        engine
    }

    /// What is to be kept across a restart.
    #[must_use]
    pub fn state(&self) -> EngineState {
        EngineState {
            version: EngineState::VERSION,
            epoch: self.epoch,
            groups: self.groups.values().cloned().collect(),
            ledger: self.ledger_in_doubt(),
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
        self.clock = self.clock.max(now);
        self.settings = settings;
        self.tracker.set_window(self.settings.dedupe.window.get());
        let channels: Vec<Name> = self.settings.channels.iter().map(|channel| channel.name.clone()).collect();
        let dropped = self.ledger.keep_only(&channels);
        self.desk.keep_only(&channels);
        self.review(now);
        self.dirty_all();
        self.flush();
        self.changed = true;
        dropped
    }

    /// Forgets what was told. What lasts goes out as a summary; tells how many groups are told anew.
    pub fn reset(&mut self, now: Timestamp) -> usize {
        self.ledger = Ledger::default();
        self.first_look = None;
        self.groups.retain(|_, group| !group.members.is_empty());
        for channel in self.settings.channels.iter().filter(|channel| !channel.incident) {
            self.ledger.page_mut(&channel.name).summary_of = Some(now);
        }
        self.dirty_all();
        self.flush();
        self.changed = true;
        self.groups.len()
    }

    /// The machine slept: nothing that was seen before counts, and nothing is told until all was listed again and a
    /// minute has passed. Reminders that came due meanwhile are skipped.
    pub fn wake(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        for scope in self.readiness.scopes.clone() {
            self.live.remove(&scope);
            self.tracker.lose_sight(&scope);
        }
        self.readiness.waiting = self.readiness.scopes.iter().cloned().collect();
        let awake = desk::after(now, WAKING);
        (self.readiness.deadline, self.readiness.not_before) = (Some(awake), Some(awake));
        let interval = self.settings.dedupe.repeat_interval.get();
        for told in self.ledger.entries_mut() {
            let due = told.reminded_at.unwrap_or_else(|| desk::after(told.at, interval));
            if due <= now {
                told.reminded_at = Some(now);
            }
        }
        self.dirty_all();
        self.changed = true;
    }

    /// Watches without telling anything: another replica leads. What ended is remembered for a while.
    pub fn stand_by(&mut self) {
        self.standby = true;
    }

    /// Takes over from the leader that saved this state: from now on this engine tells. What it saw itself is the
    /// truth, what was told is in the state. Returns its epoch, which must be saved before anything is told.
    pub fn adopt(&mut self, now: Timestamp, state: EngineState) -> u64 {
        self.epoch = self.epoch.max(state.epoch) + 1;
        self.standby = false;
        self.ledger = state.ledger;
        self.desk = Desk::default();
        for attempt in state.attempts {
            self.ledger.doubt(attempt);
        }
        for group in state.groups {
            let group = group.restored();
            if self.ledger.knows(&group.fingerprint) {
                self.groups.entry(group.key.clone()).or_insert(group);
            }
        }
        self.newest_event = self.newest_event.max(state.newest_event.unwrap_or(self.newest_event));
        if state.version == 0 || self.waits_for_first_look() {
            self.await_first_look(now);
        }
        self.abandon(now);
        self.dirty_all();
        self.flush();
        self.changed = true;
        self.epoch
    }

    /// Does what is due by now.
    pub fn advance(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        self.restarts.prune(now, self.settings.monitors.pod_restarts.window.get());
        self.surroundings.tidy(now);
        self.tracker.advance(now);
        self.settle(now);
        if self.next_review.is_some_and(|at| at <= now) {
            self.review(now);
        }
        self.look_first(now);
        self.flush();
    }

    /// What channels are owed and can be told now. Each is in flight until its receipt comes, and a channel has at
    /// most one in flight: what waits is computed anew when its turn comes, and so is never stale.
    pub fn notifications(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        if !self.is_ready(now) || self.standby {
            return Vec::new();
        }
        let channels = self.settings.channels.clone();
        channels.iter().filter_map(|channel| self.next_for(now, channel)).collect()
    }

    /// Takes in what became of a notification. Only an accepted one counts as told.
    pub fn receive(&mut self, now: Timestamp, receipt: &Receipt) {
        self.clock = self.clock.max(now);
        self.flush();
        self.settle_receipt(now, receipt);
        self.settle(now);
        self.flush();
    }

    /// Lets a channel be tried again at once: its secret appeared, or its settings changed.
    pub fn retry_now(&mut self, channel: &Name) {
        self.desk.resume(channel);
    }

    /// When there is something to do if nothing more is seen.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let dirty = Some(self.clock).filter(|_| !self.dirty.is_empty());
        let message = self.next_message().filter(|_| self.is_ready(self.clock) && !self.standby);
        [
            self.tracker.next_due(),
            self.next_linger,
            self.next_review,
            self.readiness.next(self.clock),
            self.first_look,
            self.next_inquiry(),
            message,
            dirty,
        ]
        .into_iter()
        .flatten()
        .min()
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

    /// Whether a state was saved before the first summary went out.
    fn waits_for_first_look(&self) -> bool {
        let waits = |channel: &crate::settings::Channel| {
            self.ledger.page(&channel.name).is_some_and(|page| page.summary_of == Some(Timestamp::MAX))
        };
        self.settings.channels.iter().any(waits)
    }

    fn await_first_look(&mut self, now: Timestamp) {
        self.first_look = Some(desk::after(now, FIRST_LOOK_AT_MOST));
        for channel in self.settings.channels.iter().filter(|channel| !channel.incident) {
            self.ledger.page_mut(&channel.name).summary_of = Some(Timestamp::MAX);
        }
    }

    /// Once the cluster is known, what began before that is what was broken already; once kubelets were asked as well,
    /// the summary of it goes out.
    fn look_first(&mut self, now: Timestamp) {
        if !self.is_ready(now) {
            return;
        }
        let survives =
            self.first_look.filter(|until| *until > now && self.settings.monitors.survey_interval().is_some());
        if self.first_look.is_some() && survives.is_none() {
            self.first_look = None;
        }
        let mut known = false;
        for channel in &self.settings.channels {
            let Some(page) = self.ledger.page(&channel.name) else { continue };
            let Some(before) = page.summary_of else { continue };
            if before == Timestamp::MAX {
                self.ledger.page_mut(&channel.name).summary_of = Some(now);
                known = true;
            } else if self.first_look.is_none() && self.dirty.is_empty() && !self.desk.has_summary(&channel.name) {
                self.ledger.page_mut(&channel.name).summary_of = None;
                known = true;
            }
        }
        if known {
            self.changed = true;
            self.dirty_all();
        }
    }

    fn dirty_all(&mut self) {
        self.dirty = self.groups.keys().map(|key| (key.clone(), self.clock)).collect();
    }

    /// Computes what channels are owed of the groups that changed.
    fn flush(&mut self) {
        let mut seen = BTreeSet::new();
        for (key, at) in std::mem::take(&mut self.dirty) {
            if seen.insert(key.clone()) {
                self.touch(at, &key);
            }
        }
    }

    fn is_remembered_by_standby(&self, now: Timestamp, group: &Group) -> bool {
        self.standby && group.ended.is_some_and(|left| desk::after(left.at, STANDBY_MEMORY) > now)
    }
}
