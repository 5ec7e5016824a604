//! The life of one trouble of one object: a small machine that is told what was seen and what time it is.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facts::Evidence;
use crate::{Finding, Since};

/// A hold never grows beyond this.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_mins(15);
/// The hold after a relapse of a trouble that has none of its own.
const RELAPSE_HOLD: SignedDuration = SignedDuration::from_mins(1);

/// Where a trouble is in its life. It is forgotten some time after it was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Present, and not yet due.
    Pending,
    /// Present, and told.
    Firing,
    /// Told, and looking well since then; it is over when the hold has passed.
    Recovering {
        /// Since when it looks well.
        well_since: Timestamp,
    },
    /// Over. Remembered, so that a relapse must stay away longer next time.
    Resolved {
        /// Since when.
        at: Timestamp,
    },
}

impl Phase {
    /// The word for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Recovering { .. } => "recovering",
            Self::Resolved { .. } => "resolved",
        }
    }
}

/// What a step of the machine changed for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It became due.
    Fired,
    /// It lasts, and its reason, severity or cause changed.
    Changed,
    /// It was seen to be well for long enough.
    Recovered,
    /// There is nothing left to remember.
    Forgotten,
}

/// What the API does not tell about a trouble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    /// What the monitor said last; of several reasons in one episode the sharpest.
    pub(crate) finding: Finding,
    /// Where it is in its life.
    pub(crate) phase: Phase,
    /// The earliest time from which this episode counts.
    pub(crate) since: Timestamp,
    /// When it became due.
    pub(crate) fired_at: Option<Timestamp>,
    /// How often it came back before it was over, or soon after.
    relapses: u8,
    /// When its progress was last seen to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
    /// What it will be next, while the present episode ends: its time has not come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Box<Finding>>,
    /// When the episode before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Since when it can be seen without interruption; nothing while it can't.
    #[serde(skip)]
    visible_since: Option<Timestamp>,
    /// Whether nobody could tell when it was last looked at.
    #[serde(skip)]
    doubtful: bool,
}

impl Track {
    /// A trouble seen for the first time; nothing if it is too old to be news.
    pub(crate) fn begin(now: Timestamp, mut finding: Finding) -> Option<Self> {
        finding.ripen(now);
        let track = Self { visible_since: Some(now), ..Self::pending(now, finding) };
        track.is_news(now).then_some(track)
    }

    fn pending(now: Timestamp, finding: Finding) -> Self {
        Self {
            since: counts_from(&finding, now),
            finding,
            phase: Phase::Pending,
            fired_at: None,
            relapses: 0,
            changed_at: None,
            next: None,
            ended_at: None,
            visible_since: None,
            doubtful: false,
        }
    }

    /// The monitor says the trouble is present.
    pub(crate) fn present(&mut self, now: Timestamp, seen: Finding) -> Option<Step> {
        self.doubtful = false;
        self.visible_since.get_or_insert(now);
        self.next = None;
        match self.phase {
            Phase::Pending => {
                self.merge(now, seen);
                None
            }
            Phase::Firing | Phase::Recovering { .. } if is_ahead(&seen, now) => {
                let step = self.absent(now);
                self.next = Some(Box::new(seen));
                step
            }
            Phase::Firing => {
                if let Some(well_since) = seen.well_since {
                    self.phase = Phase::Recovering { well_since };
                }
                self.merge(now, seen).then_some(Step::Changed)
            }
            Phase::Recovering { well_since } => {
                match seen.well_since {
                    None => {
                        self.relapse();
                        self.phase = Phase::Firing;
                    }
                    Some(again) if again > well_since => {
                        self.relapse();
                        self.phase = Phase::Recovering { well_since: again };
                    }
                    Some(_) => {}
                }
                self.merge(now, seen).then_some(Step::Changed)
            }
            Phase::Resolved { .. } => {
                let again = Self { relapses: self.relapses.saturating_add(1), ..Self::begin(now, seen)? };
                *self = again;
                None
            }
        }
    }

    /// The object was seen without the trouble.
    pub(crate) fn absent(&mut self, now: Timestamp) -> Option<Step> {
        self.doubtful = false;
        self.visible_since.get_or_insert(now);
        self.next = None;
        match self.phase {
            Phase::Pending => Some(Step::Forgotten),
            Phase::Firing => {
                self.phase = Phase::Recovering { well_since: now };
                None
            }
            Phase::Recovering { .. } | Phase::Resolved { .. } => None,
        }
    }

    /// Nobody can tell whether the trouble is there: nothing starts, ends or goes on until it can be seen again.
    pub(crate) fn unknown(&mut self) {
        self.doubtful = true;
        self.visible_since = None;
    }

    /// What is seen of it is of before.
    pub(crate) fn hide(&mut self) {
        self.visible_since = None;
    }

    /// What was last seen of it counts from now on, if anything could be told then.
    pub(crate) fn show(&mut self, now: Timestamp) {
        if !self.doubtful {
            self.visible_since.get_or_insert(now);
        }
    }

    /// What is due by now.
    pub(crate) fn advance(&mut self, now: Timestamp, proven: &[Evidence], window: SignedDuration) -> Option<Step> {
        if self.ended_at.is_some_and(|ended| later(ended, window) <= now) {
            self.ended_at = None;
            self.relapses = 0;
        }
        if self.due(proven, window)? > now {
            return None;
        }
        match self.phase {
            Phase::Pending if !self.is_news(now) => Some(Step::Forgotten),
            Phase::Pending => {
                self.finding.ripen(now);
                self.phase = match self.finding.well_since {
                    Some(well_since) => Phase::Recovering { well_since },
                    None => Phase::Firing,
                };
                self.fired_at = Some(now);
                self.ended_at = None;
                Some(Step::Fired)
            }
            Phase::Recovering { well_since } if self.over_at(well_since).is_some_and(|over| over <= now) => {
                self.end(now);
                Some(Step::Recovered)
            }
            Phase::Recovering { .. } => {
                let next = self.next.take()?;
                self.relapse();
                self.phase = Phase::Firing;
                self.merge(now, *next);
                Some(Step::Changed)
            }
            Phase::Resolved { .. } => Some(Step::Forgotten),
            Phase::Firing => self.finding.ripen(now).then_some(Step::Changed),
        }
    }

    /// When the next thing happens if nothing more is seen.
    pub(crate) fn due(&self, proven: &[Evidence], window: SignedDuration) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending => {
                let told = self.told_at(proven);
                let relapses_forgotten = self.ended_at.map(|ended| later(ended, window));
                [told, relapses_forgotten].into_iter().flatten().min()
            }
            Phase::Firing => Some(self.finding.stages.first()?.at.max(self.visible_since?)),
            Phase::Recovering { well_since } => {
                let over = self.over_at(well_since)?;
                let next = self.next.as_ref().map(|next| later(counts_from(next, over), next.wait));
                Some(next.map_or(over, |next| next.min(over)))
            }
            Phase::Resolved { at } => Some(later(at, window)),
        }
    }

    /// When it is told, or dropped untold.
    fn told_at(&self, proven: &[Evidence]) -> Option<Timestamp> {
        let visible_since = self.visible_since?;
        let due = later(self.since, self.wait(proven));
        let lapses = [self.finding.until, self.looks_over_at()].into_iter().flatten().min();
        let provable = self.finding.needs.is_none_or(|needed| proven.contains(&needed));
        // What looked well before it was due is told only if it fails again.
        let holds = self.finding.well_since.is_none_or(|well_since| well_since >= due);
        let due = due.max(self.seen_enough_at(visible_since));
        if provable && holds { Some(lapses.map_or(due, |lapse| lapse.min(due))) } else { lapses }
            .map(|at| at.max(visible_since))
            .filter(|at| *at < Timestamp::MAX)
    }

    /// When it will be told if it lasts; nothing if it was told, is still ahead, or will be dropped untold.
    pub(crate) fn pending_until(&self, now: Timestamp, proven: &[Evidence]) -> Option<Timestamp> {
        let told_at = self.told_at(proven).filter(|_| self.phase == Phase::Pending && self.since <= now)?;
        self.is_news(told_at).then_some(told_at)
    }

    /// Whether it is there: not over, and not a time that lies ahead.
    pub(crate) fn is_present(&self, now: Timestamp) -> bool {
        self.is_firing() || self.phase == Phase::Pending && self.since <= now
    }

    /// Whether people count it as lasting.
    pub(crate) fn is_firing(&self) -> bool {
        matches!(self.phase, Phase::Firing | Phase::Recovering { .. })
    }

    /// Whether it explains others: it is there now, told or not. What an object names in advance does not, until its
    /// time has come; what is never told itself does.
    pub(crate) fn is_there(&self) -> bool {
        match self.phase {
            Phase::Pending => !matches!(self.finding.since, Since::NotBefore(at) if at < Timestamp::MAX),
            Phase::Firing | Phase::Recovering { .. } => true,
            Phase::Resolved { .. } => false,
        }
    }

    /// Whether kpulse alone knows of it. What an object names in advance it says again after a restart.
    pub(crate) fn is_ours_to_keep(&self) -> bool {
        let is_said_again = self.phase == Phase::Pending
            && match self.finding.since {
                Since::NotBefore(_) => true,
                Since::At(at) => at == self.since && self.relapses == 0,
                Since::FirstSeen | Since::FirstSeenOrLater(_) => false,
            };
        !is_said_again || self.ended_at.is_some()
    }

    fn seen_enough_at(&self, visible_since: Timestamp) -> Timestamp {
        let known_since = self.changed_at.map_or(visible_since, |changed_at| changed_at.max(visible_since));
        let seen = later(known_since, self.finding.seen_for);
        let unsettled_since = if self.finding.settle_unseen { Some(known_since) } else { self.changed_at };
        match unsettled_since.filter(|at| *at > self.since) {
            Some(at) => seen.max(later(at, self.finding.settle_for)),
            None => seen,
        }
    }

    fn over_at(&self, well_since: Timestamp) -> Option<Timestamp> {
        Some(later(well_since.max(self.visible_since?), self.hold()))
    }

    /// Ends the episode. What comes next waits for its time, and is a relapse if it comes soon.
    fn end(&mut self, now: Timestamp) {
        self.phase = Phase::Resolved { at: now };
        if let Some(next) = self.next.take() {
            *self = Self {
                relapses: self.relapses.saturating_add(1),
                ended_at: Some(now),
                visible_since: self.visible_since,
                ..Self::pending(now, *next)
            };
        }
    }

    fn wait(&self, proven: &[Evidence]) -> SignedDuration {
        match self.finding.patience {
            Some((evidence, longer)) if proven.contains(&evidence) => longer.max(self.finding.wait),
            _ => self.finding.wait,
        }
    }

    /// An untold trouble is over once it looked well for the shortest hold, or is too old.
    fn is_news(&self, now: Timestamp) -> bool {
        self.finding.until.is_none_or(|until| now < until) && self.looks_over_at().is_none_or(|over| now < over)
    }

    fn looks_over_at(&self) -> Option<Timestamp> {
        self.finding.well_since.map(|well_since| later(well_since, self.finding.hold))
    }

    fn relapse(&mut self) {
        self.relapses = self.relapses.saturating_add(1);
    }

    /// How long it must look well: doubled with each relapse.
    fn hold(&self) -> SignedDuration {
        let own = self.finding.hold;
        let doubled = |hold: SignedDuration, times: u8| {
            let factor = 1_i32.checked_shl(u32::from(times)).filter(|factor| *factor > 0).unwrap_or(i32::MAX);
            hold.checked_mul(factor).unwrap_or(LONGEST_HOLD).min(LONGEST_HOLD.max(own))
        };
        match self.relapses {
            0 => own,
            times if own.is_zero() => doubled(RELAPSE_HOLD, times - 1),
            times => doubled(own, times),
        }
    }

    /// Takes in what was seen now; tells whether what people read changed.
    fn merge(&mut self, now: Timestamp, mut seen: Finding) -> bool {
        seen.ripen(now);
        if seen.progress != self.finding.progress {
            self.changed_at = Some(now);
        }
        self.since = match seen.since {
            _ if seen.progress != self.finding.progress => counts_from(&seen, now),
            Since::NotBefore(at) => at,
            Since::FirstSeenOrLater(at) => self.since.max(at.min(now)),
            Since::At(_) | Since::FirstSeen => self.since.min(counts_from(&seen, now)),
        };
        // What is not told yet may still turn out milder.
        if self.phase != Phase::Pending {
            seen.severity = seen.severity.max(self.finding.severity);
        }
        if seen.sharpness < self.finding.sharpness {
            seen.sharpness = self.finding.sharpness;
            seen.reason = self.finding.reason.clone();
            std::mem::swap(&mut seen.what, &mut self.finding.what);
            std::mem::swap(&mut seen.cause, &mut self.finding.cause);
        }
        let old = std::mem::replace(&mut self.finding, seen);
        let new = &self.finding;
        (&old.reason, old.severity, &old.cause, old.occurrences)
            != (&new.reason, new.severity, &new.cause, new.occurrences)
    }
}

fn counts_from(finding: &Finding, now: Timestamp) -> Timestamp {
    match finding.since {
        Since::At(at) => at.min(now),
        Since::NotBefore(at) => at,
        // What it says of earlier times was over when it was first seen.
        Since::FirstSeen | Since::FirstSeenOrLater(_) => now,
    }
}

/// Whether the object is well until a time that has not come yet.
fn is_ahead(finding: &Finding, now: Timestamp) -> bool {
    matches!(finding.since, Since::NotBefore(at) if later(at, finding.wait) > now)
}

/// `at` plus `span`, or the end of time.
fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod not_before_tests;

#[cfg(test)]
mod tests;
