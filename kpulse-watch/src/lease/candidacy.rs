//! When to read the Lease, when to write it, and until when it is ours: a machine without I/O, on monotonic time.

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

use super::{LeaseSettings, Standing, Term};

/// What one replica knows of the Lease.
#[derive(Debug)]
pub(super) struct Candidacy {
    me: String,
    settings: LeaseSettings,
    known: Known,
    term: Option<Term>,
    terms: u64,
    /// Who had it when it was seen last, and how often it had changed hands.
    holder: Option<String>,
    transitions: i32,
    /// Nothing is sent before: something failed.
    not_before: Instant,
}

#[derive(Debug)]
enum Known {
    /// Nothing that a write could be based on.
    Nothing,
    /// That there is none.
    Absent,
    /// The Lease, and since when it is seen unchanged; when it was looked at last.
    Seen { lease: Box<Lease>, since: Instant, looked: Instant },
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Look at the Lease.
    Read,
    /// Make it ours, or keep it so, if it is still as it is known. Nothing: if there is still none.
    Write(Option<Box<Lease>>),
}

impl Act {
    /// Whether an answer with this status says that the Lease is no longer as it was known.
    pub(super) fn is_lost(&self, code: u16) -> bool {
        match self {
            Self::Read => false,
            Self::Write(known) => code == 409 || code == 404 && known.is_some(),
        }
    }
}

impl Candidacy {
    pub(super) fn new(me: String, settings: LeaseSettings, now: Instant) -> Self {
        Self {
            me,
            settings,
            known: Known::Nothing,
            term: None,
            terms: 0,
            holder: None,
            transitions: 0,
            not_before: now,
        }
    }

    pub(super) fn me(&self) -> &str {
        &self.me
    }

    /// What is to be sent next, and when.
    pub(super) fn next(&self) -> (Instant, Act) {
        let LeaseSettings { duration, renew, .. } = self.settings;
        let (at, act) = match &self.known {
            Known::Nothing => (self.not_before, Act::Read),
            Known::Absent => (self.not_before, Act::Write(None)),
            Known::Seen { lease, since, looked } => match holder(lease) {
                None => (self.not_before, Act::Write(Some(lease.clone()))),
                Some(holder) if holder == self.me => {
                    let due = self.term.map_or(self.not_before, |term| term.renewed + renew);
                    (due, Act::Write(Some(lease.clone())))
                }
                Some(_) => {
                    let (expires, look) = (*since + duration, *looked + renew);
                    if expires <= look { (expires, Act::Write(Some(lease.clone()))) } else { (look, Act::Read) }
                }
            },
        };
        (at.max(self.not_before), act)
    }

    /// The Lease is as given, or there is none.
    pub(super) fn read(&mut self, now: Instant, found: Option<Lease>) {
        // What nobody holds, or somebody else, is not ours any more; whatever our time was.
        if found.as_ref().and_then(holder) != Some(&self.me) {
            self.term = None;
        }
        let Some(lease) = found else {
            (self.known, self.holder) = (Known::Absent, None);
            return;
        };
        let since = match &self.known {
            Known::Seen { lease: known, since, .. } if version(known) == version(&lease) => *since,
            _ => now,
        };
        self.see(lease, since, now);
    }

    /// Our write, sent at `sent`, was taken; this came of it.
    pub(super) fn wrote(&mut self, sent: Instant, now: Instant, lease: Lease) {
        let unbroken = self.term.filter(|term| now < term.until);
        if unbroken.is_none() {
            self.terms += 1;
        }
        let number = unbroken.map_or(self.terms, |term| term.number);
        let until = sent + self.settings.duration.saturating_sub(self.settings.margin);
        self.term = Some(Term { number, until, renewed: sent });
        self.see(lease, now, now);
    }

    fn see(&mut self, lease: Lease, since: Instant, looked: Instant) {
        self.holder = holder(&lease).map(str::to_owned);
        self.transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or_default();
        self.known = Known::Seen { lease: Box::new(lease), since, looked };
    }

    /// The Lease is not as it was known. It may still be ours: an answer may have been lost.
    pub(super) fn conflict(&mut self, now: Instant) {
        self.known = Known::Nothing;
        self.not_before = now + self.settings.retry;
    }

    /// Nobody knows what became of it. If a write was taken all the same, the next one meets a conflict.
    pub(super) fn failed(&mut self, now: Instant) {
        let hurry = self.term.is_some_and(|term| now < term.until);
        self.not_before = now + if hurry { self.settings.retry } else { self.settings.renew };
    }

    /// The Lease, as long as it is ours.
    pub(super) fn mine(&self, now: Instant) -> Option<&Lease> {
        match &self.known {
            Known::Seen { lease, .. } if self.term.is_some_and(|term| now < term.until) => Some(lease),
            _ => None,
        }
    }

    /// How we stand, as far as the Lease is concerned.
    pub(super) fn standing(&self) -> Standing {
        Standing { term: self.term, holder: self.holder.clone(), transitions: self.transitions, fault: None }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}
