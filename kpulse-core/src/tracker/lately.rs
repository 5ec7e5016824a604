//! What is kept for a while only, of objects troubled or not: what Events proved about them, and that they were deleted.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::facts::Evidence;
use crate::{Kind, ObjectRef};

/// Events and the state they explain come in any order, seconds apart; what others say of an object that was deleted
/// this recently, they saw before.
const KEPT: SignedDuration = SignedDuration::from_mins(15);

/// What was seen lately.
#[derive(Debug, Default)]
pub(super) struct Lately {
    evidence: BTreeMap<ObjectRef, Vec<(Evidence, Timestamp)>>,
    /// Of the kinds that others speak of: what was deleted, and when.
    deleted: BTreeMap<ObjectRef, Timestamp>,
    /// When all of it is looked through for what is old; nothing where there is none.
    tidy_at: Option<Timestamp>,
}

impl Lately {
    /// An Event proves something about an object.
    pub(super) fn prove(&mut self, now: Timestamp, object: &ObjectRef, evidence: Evidence) {
        let proofs = self.evidence.entry(object.clone()).or_default();
        proofs.retain(|(known, _)| *known != evidence);
        proofs.push((evidence, now));
        self.tidy_later(now);
    }

    pub(super) fn proven(&self, object: &ObjectRef) -> Vec<Evidence> {
        self.evidence.get(object).into_iter().flatten().map(|(evidence, _)| *evidence).collect()
    }

    pub(super) fn delete(&mut self, now: Timestamp, object: &ObjectRef) {
        self.evidence.remove(object);
        if is_spoken_of(object.kind) {
            self.deleted.insert(object.clone(), now);
            self.tidy_later(now);
        }
    }

    /// It is there, perhaps again.
    pub(super) fn see(&mut self, object: &ObjectRef) {
        self.deleted.remove(object);
    }

    pub(super) fn has_deleted(&self, now: Timestamp, object: &ObjectRef) -> bool {
        self.deleted.get(object).is_some_and(|at| is_lately(now, *at))
    }

    /// When there is something to forget.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.tidy_at
    }

    /// Forgets what is old. All of it is looked through, but not more often than it is kept.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if self.tidy_at.is_none_or(|at| at > now) {
            return;
        }
        self.evidence.retain(|_, proofs| {
            proofs.retain(|(_, at)| is_lately(now, *at));
            !proofs.is_empty()
        });
        self.deleted.retain(|_, at| is_lately(now, *at));
        self.tidy_at = None;
        if self.len() > 0 {
            self.tidy_later(now);
        }
    }

    /// How many objects it knows of.
    pub(super) fn len(&self) -> usize {
        self.evidence.len() + self.deleted.len()
    }

    fn tidy_later(&mut self, now: Timestamp) {
        self.tidy_at = self.tidy_at.or_else(|| now.checked_add(KEPT).ok());
    }
}

fn is_lately(now: Timestamp, at: Timestamp) -> bool {
    now.duration_since(at) < KEPT
}

/// Whether objects of this kind are spoken of by others: by Jobs, by nodes' summaries.
fn is_spoken_of(kind: Kind) -> bool {
    matches!(kind, Kind::CronJob | Kind::Node | Kind::PersistentVolumeClaim)
}
