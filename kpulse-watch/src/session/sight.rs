//! What a session sees, as a machine without a clock: watcher's events and faults in, observations and waits out.

use std::time::Duration;

use kpulse_core::{Blindness, Observation, Scope};
use kube::runtime::watcher::Event;
use tokio::time::Instant;

use super::SessionSettings;
use super::backoff::{Backoff, Jitter};
use super::fault::Fault;
use crate::lean::Lean;

/// A list that was followed by a fault sooner than this has not mended anything.
const SETTLED: Duration = Duration::from_secs(30);

/// What a session sees of its scope, and what it said about that.
#[derive(Debug)]
pub(crate) struct Sight {
    scope: Scope,
    stage: Stage,
    /// Why we are blind, as far as it was said.
    said: Option<Said>,
    /// The outage that began when a live watch could not be resumed.
    outage: Option<Outage>,
    /// How often the watcher began to list since it last had listed.
    begun: u32,
    patience: Duration,
    failures: Backoff,
    refusals: Backoff,
    longest: Duration,
    jitter: Jitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is asked.
    Blind,
    /// A list was asked for; nothing came yet.
    Asking,
    /// Objects come.
    Listing,
    /// All was listed, and changes come.
    Live { since: Instant },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Refused(u16),
    Away,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    /// When it was last tried again.
    tried: Instant,
}

/// What to do about a fault.
#[derive(Debug)]
pub(crate) struct Setback {
    /// What to say; nothing where it was said, or may pass unnoticed.
    pub(crate) told: Option<Observation>,
    /// How long to leave the server alone.
    pub(crate) wait: Duration,
    /// Whether to begin with a new list. If not, the watcher resumes where it was.
    pub(crate) renew: bool,
}

impl Sight {
    pub(crate) fn new(scope: Scope, settings: &SessionSettings, jitter: Jitter) -> Self {
        Self {
            scope,
            stage: Stage::Blind,
            said: None,
            outage: None,
            begun: 0,
            patience: settings.patience,
            failures: Backoff::new(settings.retry_first, settings.retry_at_most),
            refusals: Backoff::new(settings.refused_retry_first, settings.refused_retry_at_most),
            longest: settings.refused_retry_at_most,
            jitter,
        }
    }

    /// Whether everything was listed and changes come.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    /// How often a list was begun since one was complete.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }

    /// What an event of the watcher says, in order.
    pub(crate) fn event(&mut self, event: Event<Lean>, now: Instant) -> impl Iterator<Item = Observation> + use<> {
        let said = match event {
            Event::Init => {
                self.stage = Stage::Asking;
                self.begun += 1;
                [None, None]
            }
            Event::InitApply(object) => [self.begin(), applied(object)],
            Event::InitDone => {
                let begun = self.begin();
                self.stage = Stage::Live { since: now };
                self.said = None;
                self.outage = None;
                self.begun = 0;
                self.refusals.reset();
                [begun, Some(Observation::Listed(self.scope.clone()))]
            }
            Event::Apply(object) => {
                self.mended();
                [applied(object), None]
            }
            Event::Delete(object) => {
                self.mended();
                [deleted(object), None]
            }
        };
        said.into_iter().flatten()
    }

    /// The begin of a listing is said only once something comes: a list that fails has told nothing.
    fn begin(&mut self) -> Option<Observation> {
        let first = self.stage != Stage::Listing;
        self.stage = Stage::Listing;
        first.then(|| Observation::ListingBegun(self.scope.clone()))
    }

    fn mended(&mut self) {
        self.outage = None;
        self.failures.reset();
    }

    /// What to do about a fault. `last_sign` is when the server was last heard, `after` what it asked for.
    pub(crate) fn fault(&mut self, fault: Fault, now: Instant, last_sign: Instant, after: Option<Duration>) -> Setback {
        self.forget_what_passed(now, last_sign);
        let live = self.is_live();
        match fault {
            Fault::Refused { code, why } => {
                let wait = self.refusals.next(&mut self.jitter);
                let remedy = self.remedy(code);
                self.blind(Said::Refused(code), || Blindness::Refused(format!("{why}; {remedy}")), wait)
            }
            // What was listed is known; it is only not known what came next. If the new list fails, that is said.
            Fault::Expired | Fault::Failed { lossy: true, .. } | Fault::NoStreaming if live => {
                self.stage = Stage::Blind;
                Setback { told: None, wait: self.failures.next(&mut self.jitter), renew: true }
            }
            Fault::Expired => self.fail("the list expired before it was read".to_owned()),
            Fault::NoStreaming => self.fail("the API server has no streaming lists".to_owned()),
            Fault::Silent(why) => self.fail(why),
            Fault::Failed { why, after: asked, lossy: _ } => {
                let after = asked.max(after);
                let wait = self.wait(after);
                if live && let Some(wait) = self.bear(now, wait, after) {
                    return Setback { told: None, wait, renew: false };
                }
                self.blind(Said::Away, || Blindness::Away(why), wait)
            }
        }
    }

    /// An outage is over once the server was heard again and went on for a while; so is a row of failures.
    fn forget_what_passed(&mut self, now: Instant, last_sign: Instant) {
        if let Some(Outage { tried, .. }) = self.outage
            && last_sign > tried
            && now >= tried + self.patience
        {
            self.mended();
        }
        if let Stage::Live { since } = self.stage
            && self.outage.is_none()
            && now >= since + SETTLED
        {
            self.failures.reset();
        }
    }

    /// How long to wait before the watch is resumed where it was, with nothing said; nothing if the outage is too old
    /// for that, or would be by the time the server lets us come back.
    fn bear(&mut self, now: Instant, wait: Duration, after: Option<Duration>) -> Option<Duration> {
        let outage = self.outage.get_or_insert(Outage { since: now, tried: now });
        let left = (outage.since + self.patience).saturating_duration_since(now);
        if left.is_zero() || after.unwrap_or_default() > left {
            return None;
        }
        let wait = wait.min(left);
        outage.tried = now + wait;
        Some(wait)
    }

    /// What a person can do about a refusal.
    fn remedy(&self, code: u16) -> String {
        let resource = self.scope.resource;
        let group = resource.api_version().rsplit_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
        match code {
            403 => format!("grant list and watch on {}{group} to kpulse", resource.plural()),
            _ => format!("this cluster has no {} in {}", resource.plural(), resource.api_version()),
        }
    }

    fn fail(&mut self, why: String) -> Setback {
        let wait = self.wait(None);
        self.blind(Said::Away, || Blindness::Away(why), wait)
    }

    fn blind(&mut self, cause: Said, blindness: impl FnOnce() -> Blindness, wait: Duration) -> Setback {
        self.stage = Stage::Blind;
        self.outage = None;
        let news = self.said != Some(cause);
        self.said = Some(cause);
        let told = news.then(|| Observation::SightLost(self.scope.clone(), blindness()));
        Setback { told, wait, renew: true }
    }

    /// The next wait, and no shorter than asked for: a little longer, so that not all come back at once.
    fn wait(&mut self, after: Option<Duration>) -> Duration {
        let wait = self.failures.next(&mut self.jitter);
        let after = after.unwrap_or_default().min(self.longest);
        wait.max(after.mul_f64(1.0 + 0.2 * self.jitter.fraction()))
    }
}

fn applied(object: Lean) -> Option<Observation> {
    object.facts.map(Observation::Applied)
}

fn deleted(object: Lean) -> Option<Observation> {
    let facts = object.facts?;
    Some(Observation::Deleted { object: facts.object(), uid: facts.meta().uid.clone() })
}
